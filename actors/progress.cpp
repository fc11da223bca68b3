#include <greenroom/actors/progress.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/timer.hpp>

namespace greenroom {

using namespace std::chrono_literals;

const char* to_string(work_state state) noexcept {
  switch (state) {
  case work_state::waiting: return "waiting";
  case work_state::running: return "running";
  case work_state::done: return "done";
  case work_state::failed: return "failed";
  case work_state::cancelled: return "cancelled";
  }
  return "";
}

double progress::fraction() const noexcept {
  if (total == 0) return state == work_state::done ? 1 : 0;
  return std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
}

double progress::rate() const noexcept {
  if (elapsed <= duration{} || done <= resumed) return 0;
  return static_cast<double>(done - resumed) / std::chrono::duration<double>(elapsed).count();
}

std::optional<duration> progress::remaining() const noexcept {
  if (over() || (total != 0 && done >= total)) return duration{};
  const double each_second = rate();
  if (each_second <= 0) return std::nullopt;
  const std::chrono::duration<double> left(static_cast<double>(total - done) / each_second);
  return detail::saturating_nanoseconds(left);
}

namespace {

/// "950", "1.2 k", "410 M": three digits at most in front of the unit.
std::string amount(double value, bool in_bytes) {
  constexpr const char* steps[] = {"", "k", "M", "G", "T", "P", "E"};
  std::size_t step = 0;
  for (; value >= 999.5 && step + 1 < std::size(steps); ++step) value /= 1000;
  const auto number = step == 0 || value >= 9.95 ? fmt::format("{:.0f}", value) : fmt::format("{:.1f}", value);
  const auto unit = std::string(steps[step]) + (in_bytes ? "B" : "");
  return unit.empty() ? number : number + " " + unit;
}

std::string span(duration d) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(d).count();
  if (seconds < 100) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
}

} // namespace

std::string progress_line(const progress& p, std::size_t bar) {
  const auto filled = static_cast<std::size_t>(p.fraction() * static_cast<double>(bar));
  std::string drawn(filled, '=');
  if (filled < bar) drawn += p.over() ? ' ' : '>';
  drawn.resize(bar, ' ');
  auto line = fmt::format("[{}] {:3.0f} %  {} of {}  {}/s  ", drawn, std::floor(100 * p.fraction()),
                          amount(static_cast<double>(p.done), p.in_bytes),
                          amount(static_cast<double>(p.total), p.in_bytes), amount(p.rate(), p.in_bytes));
  if (p.over()) {
    line += fmt::format("{} after {}", to_string(p.state), span(p.elapsed));
  } else if (const auto left = p.remaining()) {
    line += span(*left) + " left";
  } else {
    line += to_string(p.state);
  }
  if (p.retries != 0) line += fmt::format("  {} retries", p.retries);
  return line;
}

progress_meter::progress_meter() : of_(std::make_shared<shared>()) {}

progress progress_meter::look(time_point now) const {
  const std::lock_guard guard(of_->lock);
  progress p = of_->now;
  if (p.state == work_state::running) p.elapsed = now - of_->began;
  return p;
}

void progress_meter::begin(time_point now, std::uint64_t total, std::uint64_t resumed, bool in_bytes) const {
  const std::lock_guard guard(of_->lock);
  of_->now = {work_state::running, in_bytes, total, resumed, resumed, 0, {}};
  of_->began = now;
}

void progress_meter::add(std::uint64_t amount) const {
  const std::lock_guard guard(of_->lock);
  of_->now.done += amount;
}

void progress_meter::add_retry() const {
  const std::lock_guard guard(of_->lock);
  ++of_->now.retries;
}

void progress_meter::end(time_point now, work_state how) const {
  const std::lock_guard guard(of_->lock);
  auto& p = of_->now;
  if (p.over()) return;
  if (p.state == work_state::running) p.elapsed = now - of_->began;
  p.state = how;
}

task<> show_progress(progress_meter meter, std::function<void(std::string_view)> show,
                     std::chrono::milliseconds every) {
  std::size_t widest = 0; // what a longer line left behind is overwritten
  for (;;) {
    const auto now = meter.look(this_actor::system().now());
    auto line = progress_line(now);
    widest = std::max(widest, line.size());
    line.resize(widest, ' ');
    show("\r" + line + (now.over() ? "\n" : ""));
    if (now.over()) co_return;
    co_await sleep_for(every);
  }
}

} // namespace greenroom
