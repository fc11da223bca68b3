#include <greenroom/testkit/http_client.hpp>

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/within.hpp>
#include <greenroom/testkit/detail/describe.hpp>
#include <greenroom/testkit/internal/reply_parser.hpp>

namespace greenroom::testkit {
namespace {

using internal::equal_without_case;
using internal::shown;

constexpr std::size_t read_size = 16'384;

template <std::size_t N>
bool is_one_of(std::string_view method, const std::array<std::string_view, N>& all) noexcept {
  return std::find(all.begin(), all.end(), method) != all.end();
}
// RFC 9110 section 9.2.2.
constexpr std::array<std::string_view, 6> repeatable = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};
constexpr std::array<std::string_view, 3> with_body = {"POST", "PUT", "PATCH"};

bool is_visible(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

/// What is wrong with a request, or nothing.
result<void> check(const std::string& method, const std::string& target, const http_fields& fields) {
  const auto wrong = [](const char* what, std::string_view text) {
    return error(errc::invalid_argument, fmt::format("{}: {}", what, shown(text)));
  };
  if (!internal::is_token(method)) return wrong("the method is no token", method);
  if (method == "CONNECT") return wrong("this client makes no tunnels", method);
  if (!is_visible(target)) return wrong("the target is empty or has white space or bytes outside of ASCII", target);
  for (const auto& [name, value] : fields) {
    if (!internal::is_token(name)) return wrong("the name of a field is no token", name);
    if (!internal::is_field_value(value)) return wrong("the value of a field is malformed", value);
    if (equal_without_case(name, "Content-Length") || equal_without_case(name, "Transfer-Encoding")) {
      return wrong("the client itself writes this field", name);
    }
  }
  return {};
}

} // namespace

std::string http_reply::field(std::string_view name) const {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [name](const auto& each) { return equal_without_case(each.first, name); });
  return found == fields.end() ? std::string() : found->second;
}

/// A request ready to be sent.
struct http_client::order {
  std::string bytes;
  bool to_head;
  bool may_repeat;
  bool closes; // it asks the server to close
};

http_client::http_client(transport& net, endpoint server, http_client_limits most)
    : net_(net), server_(std::move(server)), most_(most) {}
http_client::~http_client() = default;

task<result<http_reply>> http_client::get(std::string target) { return send("GET", std::move(target), {}, {}); }

task<result<http_reply>> http_client::post(std::string target, std::string body, std::string content_type) {
  http_fields fields;
  fields.emplace_back("Content-Type", std::move(content_type));
  return send("POST", std::move(target), std::move(fields), std::move(body));
}

result<http_client::order> http_client::prepare(const endpoint& server, const std::string& method,
                                                const std::string& target, const http_fields& fields,
                                                const std::string& body) {
  if (const auto ok = check(method, target, fields); !ok) return ok.error();
  order made{fmt::format("{} {} HTTP/1.1\r\n", method, target), method == "HEAD", is_one_of(method, repeatable), false};
  bool has_host = false;
  for (const auto& [name, value] : fields) {
    made.bytes += fmt::format("{}: {}\r\n", name, value);
    has_host = has_host || equal_without_case(name, "Host");
    made.closes = made.closes || (equal_without_case(name, "Connection") && internal::list_has(value, "close"));
  }
  if (!has_host) made.bytes += fmt::format("Host: {}\r\n", server.to_string());
  if (!body.empty() || is_one_of(method, with_body)) made.bytes += fmt::format("Content-Length: {}\r\n", body.size());
  made.bytes += "\r\n" + body;
  return made;
}

task<result<http_reply>> http_client::send(std::string method, std::string target, http_fields fields,
                                           std::string body) {
  const auto failure = [&](const error& why, std::string_view text) {
    return error(why.code(), fmt::format("cannot {} http://{}{}: {}", method, server_.to_string(), target, text));
  };
  const auto what = prepare(server_, method, target, fields, body);
  if (!what) co_return error(errc::invalid_argument, fmt::format("cannot send a request: {}", what.error().message()));
  auto work = exchange(&*what);
  auto got = co_await with_timeout(most_.time, std::move(work));
  if (got) co_return got;
  if (got.error().is(errc::timed_out)) {
    const auto limit = detail::in_milliseconds(most_.time);
    co_return failure(got.error(), fmt::format("no complete answer came within {}", limit));
  }
  co_return failure(got.error(), got.error().message());
}

task<result<http_reply>> http_client::exchange(const order* what) {
  auto kept = take_kept();
  if (!kept) co_return kept.error();
  auto io = *std::move(kept);
  for (bool reused = io != nullptr;; reused = false) {
    if (io == nullptr) {
      auto made = co_await net_.connect(server_);
      if (!made) co_return made.error();
      io = *std::move(made);
      ++connections_;
    }
    internal::reply_parser parser(what->to_head, most_);
    const auto sent_whole = co_await ask(io.get(), what->bytes, &parser);
    if (sent_whole) {
      if (*sent_whole && parser.keeps_connection() && !what->closes) kept_ = std::move(io);
      co_return std::move(parser.reply());
    }
    if (!reused || parser.begun() || !what->may_repeat) co_return sent_whole.error();
    io.reset();
  }
}

/// Sends the request and reads the answer side by side, since a server may answer before it has read all. Gives whether all was sent.
task<result<bool>> http_client::ask(stream* io, std::string_view bytes, internal::reply_parser* parser) {
  using outcome = internal::reply_parser::outcome;
  std::string part(read_size, '\0');
  auto rest = std::as_bytes(std::span(bytes));
  bool cut_off = false;
  std::string_view came;
  auto o = outcome::more;
  while (o == outcome::more) {
    co_await greenroom::detail::io_step();
    if (!rest.empty()) {
      const auto put = io->try_write(rest);
      rest = rest.subspan(put.value_or(0U));
      if (put) continue;
      // It may have answered before it closed: what it said tells more.
      if (!put.error().is(errc::full)) cut_off = true, rest = {};
    }
    const auto got = io->try_read(std::as_writable_bytes(std::span(part)));
    if (got) {
      came = std::string_view(part).substr(0, *got);
      o = came.empty() ? parser->end() : parser->take(came);
    } else if (!got.error().is(errc::empty)) {
      co_return got.error();
    } else if (rest.empty()) {
      co_await io->readable();
    } else {
      co_await select(io->writable(), io->readable());
    }
  }
  if (o == outcome::failed) co_return parser->why();
  if (!came.empty()) {
    co_return error(errc::parse, fmt::format("the answer is followed by bytes that nobody asked for: {}", shown(came)));
  }
  co_return rest.empty() && !cut_off;
}

/// Takes the kept connection if it is still good, else a null pointer.
result<std::unique_ptr<stream>> http_client::take_kept() {
  auto io = std::move(kept_);
  if (io == nullptr) return io;
  std::string part(80, '\0');
  const auto got = io->try_read(std::as_writable_bytes(std::span(part)));
  if (!got && got.error().is(errc::empty)) return io;
  if (!got || *got == 0) return std::unique_ptr<stream>();
  return error(errc::parse, fmt::format("on the idle connection came bytes that nobody asked for: {}",
                                        shown(std::string_view(part).substr(0, *got))));
}

} // namespace greenroom::testkit
