// A request on its way: checked, with the limits that hold for it, and what a redirection makes of it.
// Thread safety: owner only; constant while it is sent.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/http/client.hpp>
#include <greenroom/http/internal/response_parser.hpp>
#include <greenroom/http/internal/web_url.hpp>
#include <greenroom/runtime/trace.hpp>

namespace greenroom::http::internal {

struct outgoing {
  /// Errors: invalid_argument, saying what is wrong with it, but not of which address: that is perhaps not for who made it wrong.
  static result<outgoing> from(client_request request, const client_options& how, bool streamed);

  /// Returns request line and header section.
  std::string head(std::string_view traceparent) const;
  /// Says whether it may be sent again after it may have arrived.
  bool may_repeat() const noexcept;
  /// Turns to where an answer of that status leads. Source: RFC 9110 section 15.4, Fetch section 4.4.
  /// Errors: parse, or unsupported for what must not be followed.
  result<void> redirect(int status, std::string_view location);

  http::method method = http::method::get;
  web_url url;
  std::vector<client_request::line> fields;
  std::string body;
  answer_limits most;
  duration limit{};
  duration hedge_after = duration::max();
  bool idempotent = false;
  trace_context trace; // of the call's span; empty if it has none
  // Whether it ever had a connection to itself: else what it waited for in vain was our own limit. Written by the attempts, which may be
  // actors of their own, and read by the caller when all is over.
  std::shared_ptr<std::atomic<bool>> had_turn = std::make_shared<std::atomic<bool>>(false);

private:
  template <std::size_t N>
  void remove_fields(const std::string_view (&names)[N]);
};

} // namespace greenroom::http::internal
