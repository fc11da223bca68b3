#include <greenroom/tools/greenroom/load_report.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include <greenroom/runtime/detail/json_literal.hpp>

namespace load {

using greenroom::detail::json_literal;
using std::chrono::nanoseconds;

namespace {

struct quantile {
  const char* name;
  double share;
};
constexpr std::array quantiles{quantile{"p50", 0.5}, quantile{"p90", 0.9}, quantile{"p99", 0.99},
                               quantile{"p99.9", 0.999}, quantile{"p99.99", 0.9999}};

// Below that a time is as much the sender's as the server's anyway: a busy worker looks at its sockets and timers so often.
constexpr nanoseconds resolution = std::chrono::microseconds(100);
// A figure of which the generator makes so much is not the server's.
constexpr nanoseconds late_at_most = std::chrono::milliseconds(1);

double seconds(nanoseconds t) { return std::chrono::duration<double>(t).count(); }
double milliseconds(nanoseconds t) { return std::chrono::duration<double, std::milli>(t).count(); }
double share_of(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

std::string row_of(const char* name, const latency_histogram& h) {
  const auto cell = [&h](nanoseconds time) { return fmt::format("{:>10}", h.count() == 0 ? "-" : show_time(time)); };
  auto row = fmt::format("  {:<15}", name);
  for (const auto& q : quantiles) row += cell(h.quantile(q.share));
  return row + cell(h.most()) + cell(h.mean()) + "\n";
}

std::string table_of(const load_tally& found) {
  auto text = fmt::format("  {:<15}", "");
  for (const auto& q : quantiles) text += fmt::format("{:>10}", q.name);
  text += fmt::format("{:>10}{:>10}\n", "max", "mean");
  text += row_of("response time", found.response);
  text += row_of("service time", found.service);
  return text + row_of("generator late", found.lateness);
}

/// A line for each step of 1, 2, 5, 10, ... within which a request lies.
std::string bars_of(const latency_histogram& h) {
  constexpr std::size_t longest = 40;
  struct step {
    nanoseconds up_to;
    std::uint64_t count;
  };
  std::vector<step> steps;
  std::uint64_t before = 0;
  for (std::int64_t power = 1'000; before < h.count(); power *= 10) {
    for (const std::int64_t factor : {1, 2, 5}) {
      const nanoseconds up_to(power * factor);
      const auto so_far = up_to >= h.most() ? h.count() : h.count_up_to(up_to);
      if (so_far != 0 && before < h.count()) steps.push_back({up_to, so_far - before});
      before = so_far;
    }
  }
  std::uint64_t most = 1;
  for (const auto& s : steps) most = std::max(most, s.count);
  std::string text = "  response time   requests\n";
  for (const auto& s : steps) {
    const auto bar = (s.count * longest + most - 1) / most; // one that is there is seen
    text += fmt::format("  <= {:<10}{:>11}  {:>6.2f} %  {}\n", show_time(s.up_to), s.count,
                        share_of(s.count, h.count()), std::string(bar, '#'));
  }
  return text;
}

std::string course_of(const load_report& r) {
  std::string text = "  behind the start       requests         p50         p99         max\n";
  const auto& course = r.found.course;
  const int digits = course.begin_of(1) >= std::chrono::milliseconds(100) ? 1 : 3;
  const auto parts = course.until(r.found.lasted);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto& h = *parts[i];
    if (h.count() == 0) continue;
    const auto end = std::min<nanoseconds>(course.begin_of(i + 1), r.found.lasted);
    text += fmt::format("  {:>7.{}f} s to {:>7.{}f} s{:>8}{:>12}{:>12}{:>12}\n", seconds(course.begin_of(i)), digits,
                        seconds(end), digits, h.count(), show_time(h.quantile(0.5)), show_time(h.quantile(0.99)),
                        show_time(h.most()));
  }
  return text;
}

std::string rate_of(const load_shape& s) {
  const auto kind = s.by_chance ? ", arrivals by chance" : "";
  if (s.from == s.to) return fmt::format("{:g}/s{}", s.from, kind);
  return fmt::format("{:g}/s to {:g}/s{}", s.from, s.to, kind);
}

std::string counts_of(const load_tally& found) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  for (std::size_t status = 0; status < found.statuses.size(); ++status) {
    if (found.statuses[status] != 0) add(fmt::format("{} x {}", found.statuses[status], status));
  }
  return text.empty() ? "none" : text;
}

std::string json_of(const latency_histogram& h) {
  std::string text = "{";
  for (const auto& q : quantiles) text += fmt::format("\"{}\":{:.6f},", q.name, milliseconds(h.quantile(q.share)));
  return text + fmt::format("\"max\":{:.6f},\"mean\":{:.6f},\"min\":{:.6f},\"count\":{}}}", milliseconds(h.most()),
                            milliseconds(h.mean()), milliseconds(h.least()), h.count());
}

template <class Range, class Show>
std::string list_of(const Range& all, Show show) {
  std::string text;
  for (const auto& one : all) text += (text.empty() ? "" : ",") + show(one);
  return text;
}

} // namespace

std::string show_time(nanoseconds time) {
  const auto ns = static_cast<double>(time.count());
  const auto digits = [](double value, const char* unit) {
    return fmt::format("{:.{}f} {}", value, value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2, unit);
  };
  if (ns == 0) return "0";
  if (ns < 1e3) return fmt::format("{} ns", time.count());
  if (ns < 999.5e3) return digits(ns / 1e3, "us");
  if (ns < 999.5e6) return digits(ns / 1e6, "ms");
  return digits(ns / 1e9, "s");
}

double load_report::asked_rate() const noexcept {
  return found.lasted.count() == 0 ? 0 : static_cast<double>(found.due) / seconds(found.lasted);
}

std::uint64_t load_report::refused() const noexcept {
  return std::accumulate(found.statuses.begin() + 400, found.statuses.end(), std::uint64_t{0});
}

double load_report::answered_rate() const noexcept {
  return found.lasted.count() == 0 ? 0 : static_cast<double>(found.answered_in_time) / seconds(found.lasted);
}

bool load_report::was_own_limit() const noexcept {
  return found.all_busy * 20 > found.lasted && found.all_busy_cpu * 5 > found.all_busy * 4;
}

bool load_report::kept_up() const noexcept {
  if (was_own_limit()) return false;
  if (found.lateness.quantile(0.99) > late_at_most) return false;
  const auto usual = found.lateness.quantile(0.5);
  return found.response.count() == 0 || usual <= resolution || usual * 2 <= found.response.quantile(0.5);
}

std::vector<std::string> load_report::warnings() const {
  std::vector<std::string> all;
  const auto& f = found;
  if (f.due == 0) {
    all.push_back("no request was due in the time that is measured: the figures say nothing; take a higher --rate, or "
                  "a longer --for");
    return all;
  }
  if (f.overrun)
    all.push_back(
        fmt::format("after {:.1f} s more requests waited for a connection than can be kept, and so it was ended: "
                    "the rate is too high for the server, or for this machine",
                    seconds(f.lasted)));
  if (was_own_limit()) {
    all.push_back(fmt::format("while all connections were busy the generator itself computed for {:.0f} % of the time: "
                              "the figures are its own "
                              "limit and not the server's; take more --threads, or a lower --rate",
                              100 * seconds(f.all_busy_cpu) / seconds(f.all_busy)));
  } else if (!kept_up()) {
    all.push_back(fmt::format(
        "the generator itself did not keep the schedule: it noticed half of the requests {} after they were due, one "
        "in a "
        "hundred more than {} after, one {} after; with a lower --rate, more --threads, or an idle processor for each "
        "of them the figures would be better",
        show_time(f.lateness.quantile(0.5)), show_time(f.lateness.quantile(0.99)), show_time(f.lateness.most())));
  }
  if (!was_own_limit() && f.queued * 1'000 > f.due)
    all.push_back(fmt::format(
        "{:.1f} % of the requests found no connection free when they were due: the server was slower than the "
        "schedule, or {} connections are too few for it (--connections); they waited, and that counts",
        share_of(f.queued, f.due), connections));
  if (f.unsent != 0)
    all.push_back(
        fmt::format("{} requests were due and never sent, since no connection was free until the end: their response "
                    "times count as what they had waited, and are longer in truth",
                    f.unsent));
  if (f.cut_off != 0)
    all.push_back(fmt::format("{} requests were under way when the run was ended: as above", f.cut_off));
  if (const auto timed_out = f.faults[static_cast<std::size_t>(load_fault::timed_out)].times; timed_out != 0)
    all.push_back(fmt::format("{} requests had no answer within the time-out: as above", timed_out));
  if (refused() * 100 > f.due)
    all.push_back(fmt::format(
        "{:.1f} % of the requests were answered with an error, which may take less time than what was asked for",
        share_of(refused(), f.due)));
  if (f.failed * 100 > f.due)
    all.push_back(fmt::format("{:.1f} % of the requests failed: the others may have been served better for that",
                              share_of(f.failed, f.due)));
  return all;
}

std::string load_report::answers() const { return counts_of(found); }

std::string load_report::to_text() const {
  const auto& f = found;
  auto text = fmt::format(
      "{} {}, {}, for {:g} s{}; {} connections, {} thread{}\n\n", method, url, rate_of(shape), seconds(shape.measured),
      shape.warm_up.count() == 0 ? "" : fmt::format(" behind {:g} s of warm-up", seconds(shape.warm_up)), connections,
      threads, threads == 1 ? "" : "s");
  if (interrupted) text += fmt::format("  ended by the user after {:.1f} s\n", seconds(f.lasted));
  text += fmt::format("  asked     {:>12.1f}/s {:>10} requests\n", asked_rate(), f.due);
  text += fmt::format("  answered  {:>12.1f}/s {:>10} in all: {}\n", answered_rate(), f.answered, answers());
  for (std::size_t i = 0; i < f.faults.size(); ++i) {
    if (f.faults[i].times != 0)
      text += fmt::format("  failed    {:>25} {}: {}\n", f.faults[i].times, name_of(static_cast<load_fault>(i)),
                          f.faults[i].first);
  }
  if (f.reconnects != 0) text += fmt::format("  connections that the server had closed {:>7}\n", f.reconnects);
  if (f.response.count() != 0) text += "\n" + table_of(f) + "\n" + bars_of(f.response) + "\n" + course_of(*this);
  text += "\n  Response time is counted from when a request was due, service time from when it was sent.\n";
  for (const auto& w : warnings()) text += "  Note: " + w + ".\n";
  return text;
}

std::string load_report::to_json() const {
  const auto& f = found;
  auto text = fmt::format(
      R"({{"method":{},"url":{},"from_rate":{:g},"to_rate":{:g},"arrivals":"{}","warm_up_s":{:g},"measured_s":{:g},)",
      json_literal(method), json_literal(url), shape.from, shape.to, shape.by_chance ? "poisson" : "constant",
      seconds(shape.warm_up), seconds(shape.measured));
  text += fmt::format(R"("connections":{},"threads":{},"interrupted":{},"lasted_s":{:.6f},)", connections, threads,
                      interrupted, seconds(f.lasted));
  text += fmt::format(R"("asked_rate":{:.3f},"answered_rate":{:.3f},"kept_up":{},)", asked_rate(), answered_rate(),
                      kept_up());
  text += fmt::format(
      R"("requests":{{"due":{},"answered":{},"answered_in_time":{},"failed":{},"unsent":{},"cut_off":{},"queued":{},"warm_up":{}}},)",
      f.due, f.answered, f.answered_in_time, f.failed, f.unsent, f.cut_off, f.queued, f.warm_up);
  std::vector<std::pair<std::size_t, std::uint64_t>> statuses;
  for (std::size_t i = 0; i < f.statuses.size(); ++i) {
    if (f.statuses[i] != 0) statuses.emplace_back(i, f.statuses[i]);
  }
  text += "\"statuses\":{" +
          list_of(statuses, [](const auto& s) { return fmt::format("\"{}\":{}", s.first, s.second); }) + "},";
  std::vector<std::pair<load_fault, fault_count>> faults;
  for (std::size_t i = 0; i < f.faults.size(); ++i) {
    if (f.faults[i].times != 0) faults.emplace_back(static_cast<load_fault>(i), f.faults[i]);
  }
  text += "\"faults\":[" +
          list_of(faults,
                  [](const auto& one) {
                    return fmt::format(R"({{"kind":"{}","count":{},"first":{}}})", name_of(one.first), one.second.times,
                                       json_literal(one.second.first));
                  }) +
          "],";
  text += fmt::format(R"("all_busy_s":{:.6f},"all_busy_cpu_s":{:.6f},)", seconds(f.all_busy), seconds(f.all_busy_cpu));
  text += fmt::format(R"("connects":{},"reconnects":{},"bytes_in":{},)", f.connects, f.reconnects, f.bytes_in);
  text += fmt::format(R"("response_ms":{},"service_ms":{},"generator_late_ms":{},)", json_of(f.response),
                      json_of(f.service), json_of(f.lateness));
  text += fmt::format(R"("course_part_s":{:.6f},)", seconds(f.course.begin_of(1)));
  text += "\"course\":[" + list_of(f.course.until(f.lasted), [](const auto* h) { return json_of(*h); }) + "],";
  return text + "\"warnings\":[" + list_of(warnings(), [](const auto& w) { return json_literal(w); }) + "]}\n";
}

} // namespace load
