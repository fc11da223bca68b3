#include <greenroom/http/websocket_options.hpp>

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include <greenroom/http/internal/characters.hpp>

namespace greenroom::http {
namespace {

using internal::all_of;
using internal::token_char;
using internal::value_char;

constexpr std::array<std::string_view, 12> fields_of_the_handshake{"host",
                                                                   "upgrade",
                                                                   "connection",
                                                                   "content-length",
                                                                   "transfer-encoding",
                                                                   "expect",
                                                                   "te",
                                                                   "trailer",
                                                                   "sec-websocket-key",
                                                                   "sec-websocket-version",
                                                                   "sec-websocket-protocol",
                                                                   "sec-websocket-extensions"};

error refusal(std::string why) { return {errc::invalid_argument, std::move(why)}; }

bool is_token(std::string_view text) noexcept { return !text.empty() && all_of(text, token_char); }

result<void> check_field(const std::pair<std::string, std::string>& field) {
  const auto& [name, value] = field;
  const bool reserved = std::any_of(fields_of_the_handshake.begin(), fields_of_the_handshake.end(),
                                    [&n = name](std::string_view lower) { return internal::same_word(n, lower); });
  if (reserved) return refusal(fmt::format("the field {} of a websocket belongs to its handshake: leave it out", name));
  if (!is_token(name)) return refusal("the name of a field of a websocket's request is not a token");
  if (!all_of(value, value_char)) {
    return refusal(fmt::format("the field {} of a websocket's request holds a control character", name));
  }
  return {};
}

} // namespace

result<void> websocket_limits::check() const {
  struct row {
    const char* name;
    std::int64_t value;
    const char* unit;
  };
  const auto count = [](std::size_t n) { return static_cast<std::int64_t>(std::min<std::size_t>(n, INT64_MAX)); };
  const row rows[] = {{"message", count(message), "byte"},
                      {"frame", count(frame), "byte"},
                      {"fragments", count(fragments), "frame"},
                      {"ping_after", ping_after.count(), "ms"},
                      {"pong_time", pong_time.count(), "ms"},
                      {"message_time", message_time.count(), "ms"},
                      {"write_time", write_time.count(), "ms"},
                      {"close_time", close_time.count(), "ms"},
                      {"handshake_time", handshake_time.count(), "ms"}};
  for (const auto& r : rows) {
    if (r.value < 1) {
      return refusal(fmt::format("the websocket limit {} must be at least 1 {}, not {}", r.name, r.unit, r.value));
    }
  }
  return {};
}

result<void> websocket_options::check() const {
  if (auto sound = limits.check(); !sound) return sound;
  for (auto it = protocols.begin(); it != protocols.end(); ++it) {
    if (!is_token(*it)) return refusal("a websocket protocol is not a token: it needs letters, digits or a few signs");
    if (std::find(protocols.begin(), it, *it) != it) {
      return refusal(fmt::format("the websocket protocol {} stands twice in the list", *it));
    }
  }
  for (const auto& field : fields) {
    if (auto sound = check_field(field); !sound) return sound;
  }
  return {};
}

} // namespace greenroom::http
