#include <greenroom/http/otlp_exporter.hpp>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/internal/span_sender.hpp>
#include <greenroom/http/internal/web_url.hpp>
#include <greenroom/http/url.hpp>

namespace greenroom::http {
namespace {

std::string_view set_in_environment(const char* name) noexcept {
  const char* const value = std::getenv(name);
  return value != nullptr ? std::string_view(value) : std::string_view();
}

error wrong_option(std::string_view name, std::string_view value, std::string_view range) {
  return {errc::invalid_argument,
          fmt::format("http::otlp_exporter: the option {} must be {}, not {}", name, range, value)};
}

result<void> read_headers(std::string_view text, otlp_options& into) {
  constexpr auto name_of = "OTEL_EXPORTER_OTLP_HEADERS";
  std::optional<error> wrong;
  internal::for_each_element(text, [&](std::string_view element) {
    const auto equals = std::min(element.find('='), element.size());
    auto value = percent_decode(internal::trimmed(element.substr(std::min(equals + 1, element.size()))));
    if (equals == element.size() || !value) { // values are secrets more often than not: no error repeats them
      wrong = error(errc::invalid_argument,
                    fmt::format("the environment variable {} must be name=value,name=value, percent-encoded", name_of));
      return;
    }
    into.headers.emplace_back(internal::trimmed(element.substr(0, equals)), *std::move(value));
  });
  if (wrong) return *wrong;
  return {};
}

} // namespace

result<void> otlp_options::check() const {
  using namespace std::chrono_literals;
  if (const auto url = internal::parse_web_url(address); !url)
    return wrong_option("address", fmt::format("'{}'", address), "a whole http or https address");
  if (queue < 1 || queue > 1'000'000) return wrong_option("queue", std::to_string(queue), "from 1 to 1,000,000 spans");
  if (batch < 1 || batch > queue)
    return wrong_option("batch", std::to_string(batch), fmt::format("from 1 to {} spans, the queue", queue));
  if (every <= 0ms) return wrong_option("every", fmt::format("{} ms", every.count()), "above 0");
  if (request_time <= 0ms) return wrong_option("request_time", fmt::format("{} ms", request_time.count()), "above 0");
  if (retry_pause <= 0ms) return wrong_option("retry_pause", fmt::format("{} ms", retry_pause.count()), "above 0");
  if (retry_time < 0ms) return wrong_option("retry_time", fmt::format("{} ms", retry_time.count()), "0 or more");
  if (stop_time < 0ms) return wrong_option("stop_time", fmt::format("{} ms", stop_time.count()), "0 or more");
  return {};
}

result<otlp_options> otlp_from_environment(otlp_options base) {
  const auto traces = set_in_environment("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  const auto all = set_in_environment("OTEL_EXPORTER_OTLP_ENDPOINT");
  if (!traces.empty()) {
    base.address = traces;
  } else if (!all.empty()) {
    base.address = all.substr(0, all.find_last_not_of('/') + 1);
    base.address += "/v1/traces";
  }
  if (const auto url = internal::parse_web_url(base.address); !url) {
    return error(errc::invalid_argument,
                 fmt::format("the environment variable {} must be a whole http or https address, not '{}'",
                             traces.empty() ? "OTEL_EXPORTER_OTLP_ENDPOINT" : "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                             traces.empty() ? all : traces));
  }
  if (const auto name = set_in_environment("OTEL_SERVICE_NAME"); !name.empty()) base.service = name;
  if (const auto read = read_headers(set_in_environment("OTEL_EXPORTER_OTLP_HEADERS"), base); !read)
    return read.error();
  return base;
}

otlp_exporter::otlp_exporter(actor_system& system, otlp_options options) {
  if (const auto outcome = options.check(); !outcome) throw usage_error(std::string(outcome.error().message()));
  client_request trial(method::post, options.address); // throws for a field that cannot be sent
  for (const auto& [name, value] : options.headers) trial.header(name, value);
  auto [in, out] = make_mailbox<nothing>(bounded(1, overflow::drop_newest));
  sender_ = std::make_shared<internal::span_sender>(system, std::move(options), std::move(out));
  internal::span_sender::start(sender_, std::move(in));
}

otlp_exporter::~otlp_exporter() {
  if (greenroom::detail::this_turn.cell == nullptr) {
    try {
      (void)stop();
      return;
    } catch (...) {} // no memory: what is left is dropped
  }
  sender_->cancel();
}

otlp_stats otlp_exporter::stop(std::chrono::milliseconds limit) {
  greenroom::detail::check_may_block("http::otlp_exporter::stop", "co_await stopped()");
  const auto ended = sender_->system.run(internal::span_sender::end, sender_, duration(limit));
  if (!ended) sender_->cancel(); // the system stops
  return sender_->stats();
}

otlp_stats otlp_exporter::stop() { return stop(sender_->how.stop_time); }

task<otlp_stats> otlp_exporter::stopped(std::chrono::milliseconds limit) {
  return internal::span_sender::end(sender_, duration(limit));
}

otlp_stats otlp_exporter::stats() const noexcept { return sender_->stats(); }

} // namespace greenroom::http
