#include <greenroom/tools/greenroom/load_target.hpp>

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace load {

using namespace greenroom;

namespace {

error bad(std::string sentence) { return error(errc::invalid_argument, std::move(sentence)); }

bool is_visible(char c) noexcept { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; }

bool is_token(std::string_view text) noexcept {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.find(c) != others.npos;
  });
}

/// Whether a line is of the field of that name, which is given in small letters.
bool names(std::string_view line, std::string_view name) noexcept {
  if (line.size() <= name.size() || line[name.size()] != ':') return false;
  return std::equal(name.begin(), name.end(), line.begin(),
                    [](char wanted, char c) { return (c >= 'A' && c <= 'Z' ? c | 0x20 : c) == wanted; });
}

/// Takes host and port apart: "[::1]:80", "name:80", "name".
bool read_authority(std::string_view text, endpoint& to) {
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos) return false;
    to.host = text.substr(1, end - 1);
    if (end + 1 != text.size() && text[end + 1] != ':') return false;
    port = text.substr(std::min(end + 2, text.size()));
  } else {
    const auto colon = text.find(':');
    to.host = text.substr(0, colon);
    if (colon != text.npos) port = text.substr(colon + 1);
  }
  if (to.host.empty()) return false;
  if (port.empty()) return true;
  const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), to.port);
  return problem == std::errc() && end == port.data() + port.size() && to.port != 0;
}

} // namespace

result<load_target> read_target(std::string_view url) {
  const auto wrong = [url](std::string_view why) {
    return bad(fmt::format("'{}' is no address: {}; one is http://127.0.0.1:8080/hello", url, why));
  };
  load_target t;
  auto rest = url;
  if (const auto scheme = url.find("://"); scheme != url.npos) {
    const auto name = url.substr(0, scheme);
    if (name != "http" && name != "https") return wrong("it is neither http nor https");
    t.secure = name == "https";
    rest.remove_prefix(scheme + 3);
  }
  if (!std::all_of(rest.begin(), rest.end(), is_visible)) return wrong("it has a space or a control character");
  rest = rest.substr(0, rest.find('#'));
  const auto end = std::min(rest.find_first_of("/?"), rest.size());
  t.authority = rest.substr(0, end);
  t.path = rest.substr(end);
  if (!t.path.starts_with('/')) t.path.insert(0, "/");
  if (t.authority.find('@') != t.authority.npos) return wrong("it names a user; say who you are by --header");
  t.to.port = t.secure ? 443 : 80;
  if (!read_authority(t.authority, t.to)) return wrong("it has no host, or a port that is none");
  return t;
}

result<std::string> request_bytes(const load_target& to, std::string_view method,
                                  const std::vector<std::string>& fields, std::string_view body) {
  if (!is_token(method) || method == "CONNECT") return bad(fmt::format("'{}' is no method that can be sent", method));
  auto bytes = fmt::format("{} {} HTTP/1.1\r\n", method, to.path);
  const auto is_given = [&fields](std::string_view name) {
    return std::any_of(fields.begin(), fields.end(), [name](const auto& f) { return names(f, name); });
  };
  if (!is_given("host")) bytes += fmt::format("Host: {}\r\n", to.authority);
  if (!is_given("user-agent")) bytes += "User-Agent: greenroom-load\r\n";
  for (const auto& f : fields) {
    const bool is_line = std::none_of(f.begin(), f.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
    if (!is_line || !is_token(f.substr(0, f.find(':'))) || f.find(':') == f.npos)
      return bad(fmt::format("'{}' is no header field; one is 'Accept: text/plain'", f));
    if (names(f, "content-length") || names(f, "transfer-encoding") || names(f, "connection"))
      return bad(fmt::format("'{}' cannot be given: load writes that field itself", f));
    bytes += f + "\r\n";
  }
  const bool may_have_body = method == "POST" || method == "PUT" || method == "PATCH";
  if (may_have_body || !body.empty()) bytes += fmt::format("Content-Length: {}\r\n", body.size());
  return bytes.append("\r\n").append(body);
}

} // namespace load
