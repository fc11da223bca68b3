#include <greenroom/tools/greenroom/url_text.hpp>

#include <chrono>
#include <utility>

#include <fmt/format.h>

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

url_text::url_text(std::string url, std::string question)
    : url_(std::move(url)),
      question_(std::move(question)),
      sys_(for_one_client()),
      web_(sys_, {.request_time = 5s, .body = 64U << 20, .retries = 0}) {}

result<std::string> url_text::read() { return sys_.run(get, &web_, url_, question_); }

} // namespace cli
