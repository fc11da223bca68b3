#include <greenroom/http/client.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <greenroom/http/detail/response_data.hpp>
#include <greenroom/http/internal/client_core.hpp>
#include <greenroom/http/internal/request_span.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom::http {
namespace {

using internal::client_core;
using internal::incoming;
using internal::outgoing;
using internal::seconds_of;

// An address may be long, and is in the log with every failure.
constexpr std::size_t longest_shown = 256;

std::string name_of(method m, const internal::web_url& url) {
  auto shown = url.shown();
  if (shown.size() > longest_shown) shown.replace(longest_shown, shown.npos, "...");
  return fmt::format("{} {}", to_string(m), shown);
}

/// A request that is refused before it is sent, as it is wrong itself.
error refused(client_core& core, method m, const error& why) {
  core.count_failure();
  return {why.code(), fmt::format("cannot send a {} request: {}", to_string(m), why.message())};
}

/// What is kept of a request for its error.
struct called {
  explicit called(const outgoing& request)
      : name(name_of(request.method, request.url)), limit(request.limit), had_turn(request.had_turn) {}

  error failed(client_core& core, const error& why) const {
    core.count_failure();
    if (!why.is(errc::timed_out) || why.message() != sentence(errc::timed_out))
      return {internal::code_for_caller(why.code()), fmt::format("cannot {}: {}", name, why.message())};
    if (had_turn->load(std::memory_order_relaxed))
      return {errc::timed_out, fmt::format("cannot {}: there was no answer within {} s", name, seconds_of(limit))};
    return {errc::full, fmt::format("cannot {}: no connection was free within {} s: others used all that one host may "
                                    "have, the limit of {} (client_options::connections_per_host)",
                                    name, seconds_of(limit), core.options.connections_per_host)};
  }

  std::string name;
  duration limit;
  std::shared_ptr<const std::atomic<bool>> had_turn;
};

std::unique_ptr<detail::response_data> front_of(incoming& from) {
  auto data = from.parser.take_head();
  data->url = from.what.url.text();
  return data;
}

/// Receives all of an answer.
task<result<client_response>> receive_whole(std::shared_ptr<client_core> core, outgoing request) {
  auto answering = client_core::answer_to(std::move(core), std::move(request));
  auto got = co_await std::move(answering);
  if (!got) co_return got.error();
  auto& from = **got;
  auto receiving = internal::receive_all(&from);
  co_await std::move(receiving);
  if (from.parser.at() == internal::response_parser::state::failed) co_return from.parser.why();
  auto data = front_of(from);
  data->body = from.parser.take_content();
  data->trailers = from.parser.take_trailers();
  co_return client_response(std::move(data));
}

task<result<client_response>> send_whole(std::shared_ptr<client_core> core, client_request request) {
  core->count_call();
  const auto how = request.method();
  auto out = outgoing::from(std::move(request), core->options, false);
  if (!out) co_return refused(*core, how, out.error());
  const called call(*out);
  internal::call_span span(core->system, how, out->url.shown());
  out->trace = span.place();
  auto receiving = receive_whole(core, std::move(*out));
  auto limited = with_timeout(call.limit, std::move(receiving));
  auto got = co_await std::move(limited);
  if (!got) co_return call.failed(*core, span.failed(got.error()));
  span.answered(got->status());
  co_return got;
}

task<result<streamed_response>> send_streamed(std::shared_ptr<client_core> core, client_request request) {
  core->count_call();
  const auto how = request.method();
  auto out = outgoing::from(std::move(request), core->options, true);
  if (!out) co_return refused(*core, how, out.error());
  const called call(*out);
  internal::call_span span(core->system, how, out->url.shown());
  out->trace = span.place();
  auto answering = client_core::answer_to(core, std::move(*out));
  auto limited = with_timeout(call.limit, std::move(answering));
  auto got = co_await std::move(limited);
  if (!got) co_return call.failed(*core, span.failed(got.error()));
  span.answered((*got)->parser.head().status);
  co_return streamed_response(std::move(*got));
}

} // namespace

// -- client -----------------------------------------------------------------------------------------------

client::client(actor_system& system, client_options options)
    : core_(std::make_shared<client_core>(system, std::move(options))) {}

client::~client() { core_->pool->close(); }

task<result<client_response>> client::send(client_request request) { return send_whole(core_, std::move(request)); }

task<result<client_response>> client::get(std::string url) {
  return send_whole(core_, client_request(method::get, std::move(url)));
}

task<result<client_response>> client::post(std::string url, std::string content_type, std::string body) {
  client_request request(method::post, std::move(url));
  request.header("Content-Type", content_type).body(std::move(body));
  return send_whole(core_, std::move(request));
}

task<result<streamed_response>> client::open(client_request request) {
  return send_streamed(core_, std::move(request));
}

void client::close_idle() noexcept { core_->pool->close_idle(); }
client_stats client::stats() const { return core_->stats(); }

// -- streamed_response ------------------------------------------------------------------------------------

streamed_response::streamed_response(std::unique_ptr<internal::incoming> from) noexcept
    : response_head(front_of(*from)), from_(std::move(from)) {}
streamed_response::streamed_response(streamed_response&&) noexcept = default;
streamed_response& streamed_response::operator=(streamed_response&&) noexcept = default;
streamed_response::~streamed_response() = default;

namespace {

task<result<std::string>> read_piece(incoming* from, detail::response_data* head) {
  const auto limit = from->limit;
  auto receiving = internal::receive_more(from);
  auto limited = with_timeout(limit, std::move(receiving));
  const auto came = co_await std::move(limited);
  const auto failure = [from](errc code, std::string_view why) {
    return error(code, fmt::format("cannot read the answer to {}: {}", name_of(from->what.of, from->what.url), why));
  };
  if (!came) {
    if (!came.error().is(errc::timed_out)) co_return came.error();
    co_return failure(errc::timed_out, fmt::format("nothing came within {} s", seconds_of(limit)));
  }
  if (from->parser.has_content()) co_return from->parser.take_content();
  if (from->parser.at() == internal::response_parser::state::failed)
    co_return failure(internal::code_for_caller(from->parser.why().code()), from->parser.why().message());
  if (auto trailers = from->parser.take_trailers()) head->trailers = std::move(trailers);
  co_return std::string();
}

} // namespace

task<result<std::string>> streamed_response::read() { return read_piece(from_.get(), data_.get()); }

// -- options ----------------------------------------------------------------------------------------------

namespace {

template <class Number>
result<void> in_range(const char* name, Number value, Number least, Number most) {
  if (value >= least && value <= most) return {};
  return error(errc::invalid_argument,
               fmt::format("the option {} of an HTTP client must be from {} to {}, not {}", name, least, most, value));
}

result<void> positive(const char* name, std::chrono::milliseconds value) {
  if (value.count() > 0) return {};
  return error(errc::invalid_argument,
               fmt::format("the option {} of an HTTP client must be at least 1 ms, not {} ms", name, value.count()));
}

} // namespace

result<void> client_options::check() const {
  using size = std::size_t;
  for (const auto& outcome :
       {in_range("connections_per_host", connections_per_host, size{1}, size{65'535}),
        in_range("idle_connections", idle_connections, size{0}, size{65'535}), positive("idle_time", idle_time),
        positive("connect_time", connect_time), positive("request_time", request_time),
        in_range("head", head, size{256}, size{1'048'576}), in_range("fields", fields, size{1}, size{10'000}),
        in_range("redirects", redirects, 0, 100), in_range("retries", retries, 0, 100),
        positive("retry_pause", retry_pause), in_range("retry_share", retry_share, 0.0, 1.0),
        in_range("retry_reserve", retry_reserve, 0, 1'000'000)}) {
    if (!outcome) return outcome;
  }
  return {};
}

} // namespace greenroom::http
