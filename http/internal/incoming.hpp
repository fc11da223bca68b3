// An answer while it comes: the connection that it comes over, and the parser. Complete, it leaves the connection to the next request, if
// that may use it; destroyed before that, it closes the connection.
// Thread safety: owner only.
#pragma once

#include <cstddef>
#include <string_view>

#include <greenroom/http/internal/connection_pool.hpp>
#include <greenroom/http/internal/outgoing.hpp>
#include <greenroom/http/internal/response_parser.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom::http::internal {

struct incoming {
  incoming(connection_pool::lease from, const outgoing& request)
      : held(std::move(from)), parser(request.most), limit(request.limit), what(request) {}

  /// Feeds the parser with what has come; false if nothing has. Waits: never. Requires: neither complete nor failed.
  bool receive();
  /// Takes in the rest of a body that nobody wants, if it is there already and short, so that the connection can be used again.
  void drain();
  bool ended() const noexcept {
    return parser.at() == response_parser::state::complete || parser.at() == response_parser::state::failed;
  }

  connection_pool::lease held; // empty once the answer has ended
  response_parser parser;
  bool any_sent = false;
  bool all_sent = false;
  duration limit;

  /// What errors call it, "GET http://127.0.0.1:8080/quote".
  struct name {
    explicit name(const outgoing& request) : of(request.method), url(request.url) {}
    http::method of;
    web_url url;
  } what;

private:
  void finish(bool surplus) noexcept;
};

/// Sends a request and receives the answer up to the end of its header section, or its failure.
/// Waits: suspends the actor. Cancellation: throws `cancelled`. Requires: `to` and `body` stay until it has ended.
task<> converse(incoming* to, std::string head, std::string_view body);

/// Receives until something of the body has come, or the answer has ended. Waits and cancellation: as above.
task<> receive_more(incoming* from);
/// Receives until the answer has ended. The body stays in the parser, which holds it to its limit. Waits and cancellation: as above.
task<> receive_all(incoming* from);

} // namespace greenroom::http::internal
