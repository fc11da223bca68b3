// The handshake of WebSockets: a request is taken only if it is what the standard asks for, as it is read here once more; what one side writes
// the other side takes; and a client is not led to believe what a server has not proved. An input is lines: header fields for a request, which
// as they stand are also the head of an answer.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <greenroom/http/internal/request_parser.hpp>
#include <greenroom/http/internal/websocket_handshake.hpp>
#include <greenroom/tests/fuzz/fuzz.hpp>

namespace greenroom::http::internal {
namespace {

using namespace fuzz;
using strings = std::vector<std::string>;

constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view proof = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; // Source: RFC 6455 section 1.3

websocket_options chosen(unsigned n) {
  websocket_options how;
  if ((n & 1) != 0) how.protocols = {"chat", "b"};
  if ((n & 2) != 0) how.origins = {"https://a.example"};
  if ((n & 4) != 0) how.origins.emplace_back("*");
  return how;
}

/// The values of all fields of a name.
strings values(std::span<const field> fields, std::string_view name) {
  strings all;
  for (const auto& f : fields) {
    if (lower(f.name) == name) all.emplace_back(f.value);
  }
  return all;
}
/// The elements of all lists of a name.
strings elements(std::span<const field> fields, std::string_view name) {
  strings all;
  for (const auto& value : values(fields, name)) {
    for (const auto& element : split(value, ',')) {
      const auto first = element.find_first_not_of(" \t");
      if (first != element.npos) all.push_back(element.substr(first, element.find_last_not_of(" \t") + 1 - first));
    }
  }
  return all;
}
bool has(const strings& all, std::string_view one) { return std::find(all.begin(), all.end(), one) != all.end(); }
bool has_word(strings all, std::string_view one) {
  for (auto& each : all) each = lower(each);
  return has(all, one);
}

/// Says whether the pages of an origin belong to the host, where no port stands for the usual one.
bool same_host(std::string_view origin, std::string_view host) {
  const auto full = [](std::string text, bool secure) {
    const auto colon = text.rfind(':');
    const bool no_port = colon == text.npos || text.ends_with(']') || colon + 1 == text.size();
    return no_port && !text.ends_with(':') ? text + (secure ? ":443" : ":80") : text;
  };
  const auto page = lower(origin);
  for (const bool secure : {false, true}) {
    const std::string_view scheme = secure ? "https://" : "http://";
    if (page.starts_with(scheme)) return full(page.substr(scheme.size()), secure) == full(lower(host), secure);
  }
  return page.ends_with("://" + lower(host)); // no scheme that browsers give a page: nothing usual about its port
}

std::optional<request> parsed(const std::string& text) {
  static const limits most;
  request_parser parser(most);
  std::string_view left = text;
  while (!left.empty() && parser.at() != request_parser::state::failed) {
    const auto took = parser.parse(left);
    if (took == 0 && parser.at() != request_parser::state::head_done) break;
    left.remove_prefix(took);
  }
  while (parser.at() == request_parser::state::head_done) parser.parse({});
  if (parser.at() != request_parser::state::complete) return std::nullopt;
  return parser.take();
}

/// What holds for a request that was taken.
void require_acceptable(const request& asked, const upgrade_answer& answer, const websocket_options& how) {
  const auto fields = asked.headers();
  require(asked.method() == method::get && asked.minor_version() == 1 && asked.body().empty(), "it is a bare GET");
  require(has_word(elements(fields, "upgrade"), "websocket") && has_word(elements(fields, "connection"), "upgrade"),
          "it asks for a websocket");
  require(values(fields, "sec-websocket-version") == strings{"13"}, "it names our version, once");
  const auto keys = values(fields, "sec-websocket-key");
  require(keys.size() == 1 && keys[0].size() == 24 && keys[0].ends_with("=="), "it has one key");
  const auto origins = values(fields, "origin");
  require(origins.size() <= 1, "it has one origin at most");
  if (!origins.empty())
    require(how.origins.empty() ? same_host(origins[0], asked.host())
                                : has(how.origins, "*") || has_word(how.origins, lower(origins[0])),
            "pages of other hosts may not connect");
  const auto offered = elements(fields, "sec-websocket-protocol");
  for (const auto& each : offered) {
    require(is_token(each) && std::count(offered.begin(), offered.end(), each) == 1, "it offers different tokens");
  }
  const auto first =
      std::find_if(how.protocols.begin(), how.protocols.end(), [&](const auto& p) { return has(offered, p); });
  require_same(answer.protocol, first == how.protocols.end() ? "" : *first,
               "our first choice of what it offers is picked");

  std::string head = "HTTP/1.1 101 Switching Protocols\r\n";
  for (const auto& [name, value] : answer.fields) head.append(name).append(": ").append(value).append("\r\n");
  const auto checked = check_upgrade(head, keys[0], how);
  require(checked.has_value(), "a client takes our answer");
  require_same(*checked, answer.protocol, "and learns of the protocol");
  require(!check_upgrade(head, keys[0] == key ? "AAAAAAAAAAAAAAAAAAAAAA==" : key, how),
          "unless its key was another one");
}

void try_server(const std::string& lines, unsigned choice, const websocket_options& how) {
  constexpr std::string_view fronts[] = {"GET / HTTP/1.1\r\nHost: a.example\r\n",
                                         "GET / HTTP/1.1\r\nHost: a.example:80\r\n", "GET / HTTP/1.0\r\n",
                                         "POST / HTTP/1.1\r\nHost: [::1]\r\n", ""};
  const auto asked = parsed(std::string(fronts[choice % std::size(fronts)]) + lines + "\r\n");
  if (!asked) return;
  const auto answer = answer_upgrade(*asked, how);
  for (const auto& [name, value] : answer.fields) require_sound_field(name, value);
  require(answer.accepted() == answer.why.empty(), "a refusal says why");
  require(std::none_of(answer.why.begin(), answer.why.end(), is_control), "in one sentence");
  require(answer.status != 403 || !values(asked->headers(), "origin").empty(), "only an origin is foreign");
  constexpr int known[] = {101, 400, 403, 405, 426};
  require(std::count(std::begin(known), std::end(known), answer.status) == 1, "the status is known");
  if (answer.accepted()) require_acceptable(*asked, answer, how);
}

void try_client(const std::string& head, const websocket_options& how) {
  const auto taken = check_upgrade(head, key, how);
  if (!taken) {
    const auto why = taken.error().message();
    return require(why.find_first_of("\r\n") == why.npos && why.size() < 200, "a refusal is one sentence");
  }
  require(taken->empty() || has(how.protocols, *taken), "a protocol was offered");
  require(head.starts_with("HTTP/1.1 101") && (head[12] == ' ' || head[12] == '\r'), "the status is 101");
  const auto lines = split(head, '\n');
  std::size_t proofs = 0;
  bool in_status = true;
  for (const auto& line : lines) {
    const auto text = line.substr(0, line.rfind('\r'));
    require(std::none_of(text.begin(), text.end(), [](char c) { return is_control(c) && c != '\t'; }),
            "lines end once");
    if (!std::exchange(in_status, false)) {
      const auto name = lower(text.substr(0, text.find(':')));
      require(text.empty() || is_token(name), "the name of a field is a token");
      proofs += name == "sec-websocket-accept" && text.ends_with(proof);
      require(name != "sec-websocket-extensions" || text.find_first_not_of(" \t", name.size() + 1) == text.npos,
              "no extension is used");
    }
  }
  require(proofs == 1, "the server has read our key");
}

/// Host, target, and a field of a request that is made here.
void try_request(const strings& lines, const websocket_options& of) {
  const auto line = [&lines](std::size_t i) { return i < lines.size() ? lines[i] : std::string(); };
  auto how = of;
  const auto colon = line(2).find(':');
  if (colon != std::string::npos) how.fields.emplace_back(line(2).substr(0, colon), line(2).substr(colon + 1));
  const auto made = upgrade_request(line(0), line(1), key, how);
  if (!made) return require(made.error().code() == errc::invalid_argument, "a refusal is for what was given");
  require(made->find("\r\n\r\n") == made->size() - 4, "one request is made");
  const auto asked = parsed(*made); // not all targets are taken: one may have dots, or an escape that is none
  if (!asked) return;
  require_same(asked->target(), line(1), "the target is the one that was given");
  require_same(asked->host(), line(0), "and the host");
  how.origins = {"*"};
  require(answer_upgrade(*asked, how).status == (values(asked->headers(), "origin").size() > 1 ? 403 : 101),
          "a server takes it");
}

} // namespace
} // namespace greenroom::http::internal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace greenroom::http::internal;
  input from(data, std::min<std::size_t>(size, 600));
  const auto how = chosen(from.choice());
  const auto front = from.choice();
  const auto lines = greenroom::fuzz::split(from.text(), '\n');
  std::string all;
  for (const auto& line : lines) all.append(line).append("\r\n");
  try_server(all, front, how);
  try_client(all, how);
  try_client(std::string(from.text()), how);
  try_request(lines, how);
  return 0;
}
