// The actor of one connection: waits for what `connection` cannot do at once.
// Thread safety: any thread. Lifetime: the lane outlives the actor.
#pragma once

#include <memory>

#include <greenroom/http/internal/server_core.hpp>
#include <greenroom/runtime/task.hpp>
#include <greenroom/runtime/transport.hpp>

namespace greenroom::http::internal {

/// Serves one connection to its end.
task<> serve_connection(open_connection here, lane* in, std::unique_ptr<stream> io);
/// Agrees on TLS with the client first. Requires: the server has the options for it.
task<> serve_secure_connection(open_connection here, lane* in, std::unique_ptr<stream> io);

} // namespace greenroom::http::internal
