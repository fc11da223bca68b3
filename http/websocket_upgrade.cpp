#include <greenroom/http/websocket_upgrade.hpp>

#include <greenroom/http/internal/websocket_handshake.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http::detail {

websocket_answer answer_websocket(const request& asked, const websocket_options& how) {
  if (const auto fine = how.check(); !fine) throw usage_error(std::string(fine.error().message()));
  auto answer = internal::answer_upgrade(asked, how);
  auto head = answer.accepted() ? response() : text(answer.why + "\n", answer.status);
  for (const auto& [name, value] : answer.fields) {
    if (name != "Connection") head.header(name, value); // which the server writes
  }
  return {answer.accepted(), std::move(head), std::move(answer.protocol)};
}

} // namespace greenroom::http::detail
