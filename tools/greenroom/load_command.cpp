#include <greenroom/tools/greenroom/load_command.hpp>

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <greenroom/runtime/detail/duration_text.hpp>
#include <greenroom/runtime/detail/loopback.hpp>
#include <greenroom/runtime/files.hpp>
#include <greenroom/runtime/random.hpp>
#include <greenroom/runtime/stop_signal.hpp>
#include <greenroom/tools/greenroom/arguments.hpp>
#include <greenroom/tools/greenroom/load_report.hpp>
#include <greenroom/tools/greenroom/load_search.hpp>
#include <greenroom/tools/greenroom/load_target.hpp>
#include <greenroom/tools/greenroom/load_threads.hpp>
#include <greenroom/tools/greenroom/url_text.hpp>

using namespace greenroom;
using namespace std::chrono_literals;
using load::load_job;
using load::load_report;

namespace cli {
namespace {

constexpr double most_rate = 10'000'000;
constexpr double least_rate = 0.01;

/// What the command line says.
struct wanted {
  load_job job;
  std::string method;
  std::string url;
  std::optional<tls_client> tls;
  std::optional<std::chrono::milliseconds> until_p99;
  bool json = false;
};

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

result<std::string> read_body(const arguments& given) {
  const auto text = given.text("--body").value_or("");
  if (!text.starts_with('@')) return text;
  auto bytes = real_files().read_all(text.substr(1));
  if (!bytes) return error(bytes.error().code(), fmt::format("--body: {}", bytes.error().message()));
  return bytes;
}

result<void> read_rates(const arguments& given, load::load_shape& shape) {
  const auto rate = given.real("--rate", 100, least_rate, most_rate);
  if (!rate) return rate.error();
  shape.from = shape.to = *rate;
  const auto ramp = given.text("--ramp");
  if (!ramp) return {};
  const auto dots = ramp->find("..");
  const std::string_view text(*ramp);
  const auto from = read_real(text.substr(0, dots)).value_or(0); // 0 is none
  const auto to = dots == text.npos ? 0 : read_real(text.substr(dots + 2)).value_or(0);
  const auto fits = [](double n) { return n >= least_rate && n <= most_rate; };
  if (!fits(from) || !fits(to))
    return error(errc::invalid_argument, fmt::format("--ramp: '{}' is not two rates from {:g} to {:g}, as 100..5000",
                                                     *ramp, least_rate, most_rate));
  if (given.has("--rate")) return error(errc::invalid_argument, "--ramp has its rates; leave --rate out");
  shape.from = from;
  shape.to = to;
  return {};
}

result<void> read_times(const arguments& given, wanted& w) {
  if (given.has("--until-p99")) {
    const auto limit = given.time("--until-p99", 0ms, 1ms, 60s);
    if (!limit) return limit.error();
    if (given.has("--ramp"))
      return error(errc::invalid_argument, "--until-p99 chooses the rates itself; leave --ramp out");
    w.until_p99 = *limit;
  }
  const auto length = given.time("--for", w.until_p99 ? 3s : 10s, 1ms, 24h);
  if (!length) return length.error();
  const auto warm_up = given.time("--warm-up", 0ms, 0ms, 1h);
  if (!warm_up) return warm_up.error();
  const auto time_out = given.time("--time-out", 5s, 1ms, 10min);
  if (!time_out) return time_out.error();
  w.job.shape.measured = *length;
  w.job.shape.warm_up = *warm_up;
  w.job.plan.time_out = *time_out;
  return {};
}

result<void> read_sizes(const arguments& given, load_job& job) {
  const auto connections = given.number("--connections", 64, 1, 60'000);
  if (!connections) return connections.error();
  const auto threads = given.number("--threads", 1, 1, 256);
  if (!threads) return threads.error();
  if (*threads > *connections)
    return error(errc::invalid_argument,
                 fmt::format("--threads: {} threads cannot share {} connections", *threads, *connections));
  const auto seed = given.number("--seed", random_seed(), 0, UINT64_MAX);
  if (!seed) return seed.error();
  job.plan.connections = *connections;
  job.threads = *threads;
  job.seed = *seed;
  job.shape.by_chance = given.has("--poisson");
  return {};
}

result<void> read_request(const arguments& given, wanted& w) {
  w.url = given.rest().front();
  if (w.url.find("://") == w.url.npos) w.url.insert(0, "http://");
  const auto target = load::read_target(w.url);
  if (!target) return target.error();
  if (!greenroom::detail::is_loopback(target->to.host) && !given.has("--allow-remote"))
    return error(
        errc::invalid_argument,
        fmt::format(
            "'{}' is not this machine, and a load is an attack on whoever has not agreed to it; --allow-remote says "
            "that you may",
            target->to.host));
  auto body = read_body(given);
  if (!body) return body.error();
  w.method = given.text("--method").value_or(given.has("--body") ? "POST" : "GET");
  auto bytes = load::request_bytes(*target, w.method, given.all("--header"), *body);
  if (!bytes) return bytes.error();
  w.job.plan.to = target->to;
  w.job.plan.bytes = *std::move(bytes);
  w.job.plan.to_head = w.method == "HEAD";
  if (!target->secure) return {};
  auto tls = tls_client::make({.ca_file = given.text("--ca").value_or("")});
  if (!tls) return tls.error();
  w.tls = *std::move(tls);
  return {};
}

result<void> read(const arguments& given, wanted& w) {
  w.json = given.has("--json");
  for (const auto& done :
       {read_rates(given, w.job.shape), read_times(given, w), read_sizes(given, w.job), read_request(given, w)}) {
    if (!done) return done;
  }
  if (w.tls) w.job.plan.tls = &*w.tls;
  return {};
}

result<load_report> measure(const wanted& w, const load_job& job, const stop_signal& asked) {
  auto found = load::run_load(job, [&asked] { return asked.came(); });
  if (!found) return found.error();
  return load_report{w.method, w.url, job.shape, job.plan.connections, job.threads, asked.came(), *std::move(found)};
}

int run_once(const wanted& w, stop_signal& asked) {
  const auto report = measure(w, w.job, asked);
  if (!report) return fail(report.error().message());
  print(w.json ? report->to_json() : report->to_text());
  const auto& found = report->found;
  if (found.due == 0) return report->interrupted ? fail_interrupted(asked) : 0;
  if (found.answered == 0) return fail(fmt::format("none of the {} requests was answered", found.due));
  if (report->refused() == found.answered) return fail(fmt::format("no answer was a success: {}", report->answers()));
  return 0;
}

// -- the highest rate ---------------------------------------------------------------------------------------------------

struct search {
  explicit search(double first) : rates(first, least_rate, most_rate) {}
  load::rate_search rates;
  std::vector<load_report> trials;
  std::optional<std::string> stopped; // why it ended before it was exact
  bool interrupted = false;           // the user ended it
};

/// A rate at which a server answers more than one request in a hundred with an error is none that it keeps.
bool keeps(const load_report& r, std::chrono::milliseconds limit) {
  return r.found.failed + r.found.unsent == 0 && r.refused() * 100 <= r.found.due &&
         r.found.response.quantile(0.99) <= limit && r.answered_rate() >= 0.95 * r.asked_rate();
}

std::string line_of(const load_report& r, std::chrono::milliseconds limit) {
  return fmt::format("  {:>12.1f}/s {:>12.1f}/s answered   p50 {:>9}   p99 {:>9}   max {:>9}   {}{}\n", r.shape.from,
                     r.answered_rate(), load::show_time(r.found.response.quantile(0.5)),
                     load::show_time(r.found.response.quantile(0.99)), load::show_time(r.found.response.most()),
                     keeps(r, limit) ? "kept" : "not kept",
                     r.refused() == 0 ? "" : fmt::format(", {} with an error", r.refused()));
}

result<search> find_rate(const wanted& w, const stop_signal& asked) {
  search s(w.job.shape.from);
  auto job = w.job;
  while (const auto rate = s.rates.next()) {
    job.shape.from = job.shape.to = *rate;
    auto report = measure(w, job, asked);
    if (!report) return report.error();
    if (asked.came()) {
      s.interrupted = true;
      s.stopped = "it was ended before the highest rate was found";
      return s;
    }
    if (!w.json) print(line_of(*report, *w.until_p99));
    const bool kept = keeps(*report, *w.until_p99);
    const bool own_limit = !kept && !report->kept_up();
    const bool all_refused = report->found.answered != 0 && report->refused() == report->found.answered;
    const auto answers = report->answers();
    s.trials.push_back(*std::move(report));
    if (all_refused) {
      s.stopped = fmt::format("no answer was a success: {}", answers);
      return s;
    }
    if (own_limit) {
      s.stopped =
          fmt::format("at {:.0f}/s the generator itself did not keep the schedule: the server may do more", *rate);
      return s;
    }
    s.rates.tell(kept);
  }
  if (!s.rates.is_exact()) s.stopped = "no rate beyond the last one can be asked for";
  return s;
}

std::string json_of(const search& s, std::chrono::milliseconds limit) {
  auto text = fmt::format(R"({{"limit_ms":{},"highest_rate":{:.3f},"exact":{},"interrupted":{},"trials":[)",
                          limit.count(), s.rates.kept().value_or(0), !s.stopped, s.interrupted);
  for (std::size_t i = 0; i < s.trials.size(); ++i) {
    auto one = s.trials[i].to_json();
    one.pop_back();
    text += (i == 0 ? "" : ",") + one;
  }
  return text + "]}\n";
}

std::string conclusion_of(const search& s, const std::string& limit) {
  const auto kept = s.rates.kept();
  auto text = s.interrupted && !kept ? fmt::format("\n  no rate has kept {} so far\n", limit)
              : !kept                ? fmt::format("\n  no rate kept {}\n", limit)
                      : fmt::format("\n  {} kept up to {:.0f}/s{}\n", limit, *kept, s.interrupted ? " so far" : "");
  return s.stopped ? text + fmt::format("  Note: {}.\n", *s.stopped) : text;
}

int search_rate(const wanted& w, stop_signal& asked) {
  const auto limit = *w.until_p99;
  const auto limit_text = detail::show_duration(limit);
  if (!w.json)
    print(fmt::format(
        "{} {}: the highest rate whose p99 is {} or less, {} each\n\n", w.method, w.url, limit_text,
        detail::show_duration(std::chrono::duration_cast<std::chrono::milliseconds>(w.job.shape.measured))));
  const auto s = find_rate(w, asked);
  if (!s) return fail(s.error().message());
  print(w.json ? json_of(*s, limit) : conclusion_of(*s, limit_text));
  if (s->interrupted) return fail_interrupted(asked);
  return !s->rates.kept() ? 1 : 0;
}

int load_url(const arguments& given) {
  wanted w;
  if (const auto fits = read(given, w); !fits) return fail_usage(fits.error().message());
  stop_signal asked;
  return w.until_p99 ? search_rate(w, asked) : run_once(w, asked);
}

constexpr option load_options[] = {
    {"--rate", "RATE", "requests a second (default 100)"},
    {"--ramp", "FROM..TO", "in place of it: the rate goes evenly from the one to the other"},
    {"--poisson", "", "arrivals by chance, as of many independent clients, in place of equal distances"},
    {"--for", "TIME", "how long to measure (default 10s)"},
    {"--warm-up", "TIME", "send so long before that, and count nothing (default 0s)"},
    {"--until-p99", "TIME",
     "find the highest rate whose 99th percentile is at most this, by trials of --for each (default 3s), from --rate "
     "on"},
    {"--connections", "N", "connections at most, made before the first request (default 64)"},
    {"--threads", "N", "threads that send (default 1)"},
    {"--method", "METHOD", "the method (default GET, with a body POST)"},
    {"--header", "LINE", "a header field, as 'Accept: text/plain'; may be given several times"},
    {"--body", "TEXT", "the body; @NAME is the content of a file"},
    {"--time-out", "TIME", "how long to wait for an answer (default 5s)"},
    ca_option,
    {"--seed", "N", "what chance makes of --poisson"},
    {"--allow-remote", "", "the host may be another machine: its owner agrees"},
    json_option,
};

} // namespace

constinit const command load_command{
    "load",
    "URL",
    "sends requests by a schedule and says how long the answers took",
    "Sends requests to a server at a rate that the server has no influence on, and prints the response times: each is "
    "counted from the moment the "
    "request was due by the schedule, so that a server which stops for a second is seen to have done so (no "
    "coordinated omission). The service time "
    "is counted from when the request was sent; where the two differ, requests waited for a free connection.\n\n"
    " greenroom load http://127.0.0.1:8080/hello --rate 5000 --for 30s\n"
    " greenroom load http://127.0.0.1:8080/echo --body @order.json --header 'Content-Type: application/json'\n"
    " greenroom load http://127.0.0.1:8080/hello --until-p99 50ms --rate 1000\n\n"
    "A line `generator late` says how late the generator itself was, and a note follows where that spoils the figures. "
    "Times are exact to some 50 us. "
    "To be in time each thread keeps a processor busy from some hundred requests a second on. SIGINT ends the run with "
    "a report of what was until "
    "then. What is still waiting for a connection a tenth of --for behind its end (1s at least) is not sent any "
    "more.\n\n"
    "The exit code is 1 if nothing was answered, if all answers were errors (400 and above), or if no rate kept the "
    "limit. A rate at which more than one answer in a hundred is an error counts as not kept.",
    load_options,
    load_url,
};

} // namespace cli
