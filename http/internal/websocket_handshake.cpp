#include <greenroom/http/internal/websocket_handshake.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <random>

#include <fmt/format.h>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/internal/host.hpp>
#include <greenroom/http/internal/sha1.hpp>

namespace greenroom::http::internal {
namespace {

constexpr std::size_t key_size = 24; // 16 bytes in base64

/// Returns the only value of a field; nothing if there is none, or `twice` is set.
std::optional<std::string_view> single(std::span<const field> fields, std::string_view lower, bool& twice) {
  std::optional<std::string_view> found;
  for (const auto& f : fields) {
    if (!same_word(f.name, lower)) continue;
    if (found) return twice = true, std::nullopt;
    found = f.value;
  }
  return found;
}

bool names(std::span<const field> fields, std::string_view lower, std::string_view word) {
  bool found = false;
  for (const auto& f : fields) {
    if (same_word(f.name, lower)) for_each_element(f.value, [&](std::string_view e) { found |= same_word(e, word); });
  }
  return found;
}

bool same_text(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return to_lower(x) == to_lower(y); });
}

bool is_key(std::string_view key) noexcept {
  const auto digit = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  return key.size() == key_size && key.ends_with("==") && std::all_of(key.begin(), key.end() - 2, digit);
}

upgrade_answer refuse(int status, std::string why) { return {.status = status, .why = std::move(why)}; }

upgrade_answer ask_for_upgrade(std::string why) {
  auto answer = refuse(426, std::move(why));
  answer.fields = {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}};
  return answer;
}

// -- the origin ---------------------------------------------------------------------------------------------

/// Without the port, if it is the one that the scheme has anyway: browsers leave it out, a Host field may have it.
std::string_view without_port(std::string_view host, std::string_view scheme) noexcept {
  const std::string_view usual = same_word(scheme, "https") ? ":443" : same_word(scheme, "http") ? ":80" : "";
  if (!usual.empty() && host.ends_with(usual)) host.remove_suffix(usual.size());
  return host;
}

bool is_same_host(std::string_view origin, std::string_view host) noexcept {
  const auto at = origin.find("://");
  if (at == std::string_view::npos) return false; // "null": a page of no origin
  const auto scheme = origin.substr(0, at);
  const auto theirs = without_port(origin.substr(at + 3), scheme);
  return !theirs.empty() && same_text(theirs, without_port(host, scheme));
}

bool may_connect(std::string_view origin, std::string_view host, const websocket_options& how) noexcept {
  if (how.origins.empty()) return is_same_host(origin, host);
  return std::any_of(how.origins.begin(), how.origins.end(),
                     [origin](std::string_view o) { return o == "*" || same_text(o, origin); });
}

// -- the subprotocol ----------------------------------------------------------------------------------------

/// Returns what the client offers; nothing if that is malformed or one is named twice.
std::optional<std::vector<std::string_view>> offered_by(std::span<const field> fields) {
  std::vector<std::string_view> all;
  bool sound = true;
  for (const auto& f : fields) {
    if (!same_word(f.name, "sec-websocket-protocol")) continue;
    for_each_element(f.value, [&](std::string_view e) {
      sound &= all_of(e, token_char);
      all.push_back(e);
    });
  }
  auto sorted = all;
  std::sort(sorted.begin(), sorted.end());
  sound &= std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
  if (!sound) return std::nullopt;
  return all;
}

} // namespace

// -- the server's side --------------------------------------------------------------------------------------

std::string accept_key(std::string_view key) {
  const auto digest = sha1(std::string(key).append("258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
  return base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

upgrade_answer answer_upgrade(const request& asked, const websocket_options& how) {
  const auto fields = asked.headers();
  bool twice = false;
  if (asked.method() != method::get) {
    auto answer = refuse(405, "a websocket is asked for with GET");
    answer.fields = {{"Allow", "GET"}};
    return answer;
  }
  if (asked.minor_version() < 1) return refuse(400, "a websocket is asked for with HTTP/1.1, not 1.0");
  if (!asked.body().empty()) return refuse(400, "a request for a websocket has no body");
  if (!names(fields, "upgrade", "websocket") || !names(fields, "connection", "upgrade")) {
    return ask_for_upgrade("this is a websocket: ask for it with Upgrade: websocket and Connection: upgrade");
  }
  const auto version = single(fields, "sec-websocket-version", twice);
  if (twice) return refuse(400, "there is more than one Sec-WebSocket-Version");
  if (version != "13") return ask_for_upgrade("the version of the websocket protocol that is spoken here is 13");
  const auto key = single(fields, "sec-websocket-key", twice);
  if (!key || !is_key(*key)) return refuse(400, "Sec-WebSocket-Key must be there once, and be 16 bytes in base64");
  const auto origin = single(fields, "origin", twice);
  if (twice || (origin && !may_connect(*origin, asked.host(), how))) {
    return refuse(403, "pages of this origin may not connect here");
  }
  const auto offered = offered_by(fields);
  if (!offered) return refuse(400, "Sec-WebSocket-Protocol must be a list of different tokens");

  upgrade_answer answer;
  answer.fields = {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", accept_key(*key)}};
  const auto picked = std::find_first_of(how.protocols.begin(), how.protocols.end(), offered->begin(), offered->end());
  if (picked != how.protocols.end()) {
    answer.protocol = *picked;
    answer.fields.emplace_back("Sec-WebSocket-Protocol", *picked);
  }
  return answer;
}

// -- the client's side --------------------------------------------------------------------------------------

std::string new_key() {
  static thread_local std::random_device device;
  std::string bytes;
  while (bytes.size() < 16) bytes += static_cast<char>(device() & 0xff);
  return base64(bytes);
}

result<std::string> upgrade_request(std::string_view host, std::string_view target, std::string_view key,
                                    const websocket_options& how) {
  if (auto sound = how.check(); !sound) return sound.error();
  if (host.empty() || !is_host(host)) {
    return error(errc::invalid_argument, "cannot ask for a websocket: its host is not a name or an address");
  }
  if (!target.starts_with('/') || !all_of(target, target_char)) {
    return error(errc::invalid_argument,
                 "cannot ask for a websocket: its target must begin with a slash, and escape what no target may hold");
  }
  auto head = fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: {}\r\nSec-WebSocket-Version: 13\r\n",
                          target, host, key);
  if (!how.protocols.empty()) {
    head += fmt::format("Sec-WebSocket-Protocol: {}\r\n", fmt::join(how.protocols, ", "));
  }
  for (const auto& [name, value] : how.fields) head += fmt::format("{}: {}\r\n", name, value);
  return head + "\r\n";
}

namespace {

error not_upgraded(std::string_view why) {
  return {errc::parse, fmt::format("cannot open a websocket: the server {}", why)};
}

/// Takes the lines of a head apart; nothing if one of them is no field.
std::optional<std::vector<field>> fields_of(std::string_view lines) {
  std::vector<field> all;
  while (!lines.empty()) {
    const auto end = lines.find("\r\n");
    const auto line = lines.substr(0, end);
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 2);
    const auto colon = line.find(':');
    if (colon == 0 || colon == std::string_view::npos || !all_of(line.substr(0, colon), token_char))
      return std::nullopt;
    const auto value = trimmed(line.substr(colon + 1));
    if (!all_of(value, value_char)) return std::nullopt;
    all.push_back({line.substr(0, colon), value});
  }
  return all;
}

} // namespace

result<std::string> check_upgrade(std::string_view head, std::string_view key, const websocket_options& how) {
  const auto line = head.substr(0, head.find("\r\n"));
  const auto status = line.starts_with("HTTP/1.1 ") ? line.substr(9) : std::string_view();
  const bool sound = status.size() >= 3 && all_of(status.substr(0, 3), digit_char) &&
                     (status.size() == 3 || status[3] == ' ') && all_of(status, value_char);
  if (!sound) return not_upgraded("does not answer in HTTP/1.1");
  if (!status.starts_with("101")) return not_upgraded(fmt::format("answers {}", status.substr(0, 80)));
  const auto fields = fields_of(head.substr(std::min(head.size(), line.size() + 2)));
  if (!fields) return not_upgraded("sends a malformed header field");
  bool twice = false;
  const auto accept = single(*fields, "sec-websocket-accept", twice);
  if (!names(*fields, "upgrade", "websocket") || !names(*fields, "connection", "upgrade")) {
    return not_upgraded("does not say that it switches to the websocket protocol");
  }
  if (!accept || *accept != accept_key(key)) return not_upgraded("does not prove that it has read our key");
  const auto extensions = single(*fields, "sec-websocket-extensions", twice);
  if (twice || (extensions && !extensions->empty())) return not_upgraded("uses an extension that was not offered");
  const auto protocol = single(*fields, "sec-websocket-protocol", twice).value_or("");
  const bool offered =
      protocol.empty() || std::find(how.protocols.begin(), how.protocols.end(), protocol) != how.protocols.end();
  if (twice || !offered) return not_upgraded("picks a subprotocol that was not offered");
  return std::string(protocol);
}

} // namespace greenroom::http::internal
