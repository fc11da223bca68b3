#include <greenroom/tools/greenroom/url_text.hpp>

#include <chrono>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include <greenroom/tools/greenroom/load_target.hpp>

namespace cli {

using namespace greenroom;
using namespace std::chrono_literals;

namespace {

options for_one_client() {
  options o;
  o.name = "greenroom";
  o.workers = 1;
  o.log_level = "off";
  return o;
}

http::client_options options_of(const std::optional<tls_client>& tls) {
  http::client_options how{.request_time = 5s, .body = 64U << 20, .retries = 0};
  if (tls) {
    how.secure = [with = *tls](std::unique_ptr<stream> raw, std::string host) {
      return with.connect(std::move(raw), std::move(host));
    };
  }
  return how;
}

task<result<std::string>> get(http::client* web, std::string url, std::string question) {
  http::client_request asking(http::method::get, std::move(url));
  asking.header("Accept", "application/json");
  auto sending = web->send(std::move(asking));
  auto got = co_await std::move(sending);
  if (!got) co_return got.error();
  if (!got->ok()) {
    co_return error(errc::upstream,
                    fmt::format("{} answers {} {}: {}", got->url(), got->status(), got->reason(), question));
  }
  co_return got->take_body();
}

} // namespace

bool is_url(std::string_view text) { return text.find("://") != text.npos; }

result<service_address> read_address(const arguments& given, std::string_view path) {
  service_address at{given.rest().front(), {}};
  if (!is_url(at.url)) at.url.insert(0, "http://");
  const auto target = load::read_target(at.url);
  if (!target) return target.error();
  const auto begin = at.url.find('/', at.url.find("://") + 3);
  if (begin == at.url.npos) {
    at.url += path;
  } else if (begin + 1 == at.url.size()) {
    at.url.replace(begin, 1, path);
  }
  if (!target->secure) return at;
  auto tls = tls_client::make({.ca_file = given.text("--ca").value_or("")});
  if (!tls) return tls.error();
  at.tls = *std::move(tls);
  return at;
}

url_text::url_text(service_address at, std::string question)
    : at_(std::move(at)), question_(std::move(question)), sys_(for_one_client()), web_(sys_, options_of(at_.tls)) {}

result<std::string> url_text::read() { return sys_.run(get, &web_, at_.url, question_); }

} // namespace cli
