// tls_context: the options of one side, read and made into what OpenSSL makes sessions of. Constant once made; a reload makes another.
// Thread safety: any thread. Lifetime: counted; each session keeps its own.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <greenroom/runtime/internal/openssl.hpp>

namespace greenroom::internal {

struct tls_context {
  std::string alpn; // as in RFC 7301, each name behind its length; the context refers to it
  ssl_ctx_ptr ctx;
  std::optional<tls_certificate> own;
};

/// Waits, Errors: as tls_server::make().
result<std::shared_ptr<const tls_context>> make_context(const tls_server_options& how);
result<std::shared_ptr<const tls_context>> make_context(const tls_client_options& how);

} // namespace greenroom::internal
