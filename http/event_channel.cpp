#include <greenroom/http/event_channel.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/internal/event_log.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/random.hpp>

namespace greenroom::http {
namespace {

void check(bool holds, std::string_view name, std::string_view range, auto actual) {
  if (!holds) throw usage_error(fmt::format("http::event_channel: {} must be {}, not {}", name, range, actual));
}

event_channel_options checked(event_channel_options how) {
  using internal::digit_char, internal::is, internal::to_lower;
  check(how.backlog >= 1, "backlog", "at least 1", how.backlog);
  check(how.backlog_bytes >= 1'024, "backlog_bytes", "at least 1024", how.backlog_bytes);
  check(how.subscribers >= 1, "subscribers", "at least 1", how.subscribers);
  check(how.heartbeat.count() >= 1, "heartbeat", "at least 1 ms", how.heartbeat.count());
  check(how.retry.value_or(std::chrono::milliseconds(0)).count() >= 0, "retry", "at least 0 ms",
        how.retry.value_or(std::chrono::milliseconds(0)).count());
  const bool plain = std::all_of(how.series.begin(), how.series.end(), [](char c) {
    return c == '_' || is(c, digit_char) || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
  });
  check(plain && how.series.size() <= 32, "series", "up to 32 letters, digits and '_'", '"' + how.series + '"');
  if (how.series.empty()) how.series = fmt::format("{:x}", random_seed() & 0xffff'ffffu);
  return how;
}

/// Sends one client what it has not seen, for ever.
task<> feed_events(body_writer out, internal::event_reader from) {
  using internal::event_log;
  auto& log = from.log();
  std::string bytes;
  if (log.how.retry) bytes = fmt::format("retry: {}\n\n", log.how.retry->count());
  for (;;) {
    const auto what = log.take(from.after(), bytes);
    if (what == event_log::taken::lost) {
      log.count_too_slow();
      co_return;
    }
    if (what == event_log::taken::at_end) co_return;
    if (!bytes.empty()) {
      auto sent = co_await out.write(std::exchange(bytes, {}));
      if (!sent) co_return;
    }
    const auto silent_until = saturating_add(this_actor::system().now(), log.how.heartbeat);
    const bool news = co_await event_log::news(&log, from.after(), silent_until);
    if (!news) bytes = event_comment();
  }
}

} // namespace

event_channel::event_channel(event_channel_options how)
    : log_(std::make_shared<internal::event_log>(checked(std::move(how)))) {}

event_channel::~event_channel() { close(); }

result<std::uint64_t> event_channel::publish(std::string data, std::string name) {
  return log_->append(std::move(data), std::move(name));
}

void event_channel::close() noexcept { log_->close(); }

event_channel_stats event_channel::stats() const noexcept { return log_->stats(); }

response serve_events(request r, event_channel* from) {
  const auto& log = from->log_;
  if (log->closed()) return response(204); // the standard's way to say: do not come back
  if (!log->enter()) return text("too many follow these events; try again later\n", 503).header("Retry-After", "10");
  internal::event_reader reader(log, log->place_of(last_event_id(r)));
  return feed(detail::event_head(), feed_events, std::move(reader));
}

} // namespace greenroom::http
