#include <greenroom/http/progress_events.hpp>

#include <optional>
#include <utility>

#include <fmt/format.h>

#include <greenroom/http/events.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/timer.hpp>

namespace greenroom::http {

using namespace std::chrono_literals;

namespace {

constexpr auto silence = 15s; // see event_writer::comment()

std::int64_t milliseconds(duration d) { return std::chrono::round<std::chrono::milliseconds>(d).count(); }

task<> send_progress(event_writer out, progress_meter meter, std::chrono::milliseconds every) {
  const auto& sys = this_actor::system();
  std::optional<progress> told; // what the client knows
  auto told_at = sys.now();
  for (;;) {
    const auto now = meter.look(sys.now());
    const bool news = !told || told->done != now.done || told->state != now.state || told->retries != now.retries;
    if (news || sys.now() - told_at >= silence) {
      event e(progress_json(now), now.over() ? to_string(now.state) : "progress");
      auto sent = co_await out.send(std::move(e));
      if (!sent || now.over()) co_return;
      told = now;
      told_at = sys.now();
    }
    co_await sleep_for(every);
  }
}

} // namespace

std::string progress_json(const progress& p) {
  const auto left = p.remaining();
  return fmt::format(
      R"({{"state":"{}","total":{},"done":{},"fraction":{:.4f},"rate":{:.0f},"remaining_ms":{},"elapsed_ms":{},"retries":{}}})",
      to_string(p.state), p.total, p.done, p.fraction(), p.rate(), left ? std::to_string(milliseconds(*left)) : "null",
      milliseconds(p.elapsed), p.retries);
}

response progress_events(const request& r, progress_meter meter, std::chrono::milliseconds every) {
  return events(r, send_progress, std::move(meter), every);
}

} // namespace greenroom::http
