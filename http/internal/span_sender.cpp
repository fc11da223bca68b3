#include <greenroom/http/internal/span_sender.hpp>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include <greenroom/actors/detail/retry_tokens.hpp>
#include <greenroom/http/detail/json_value.hpp>
#include <greenroom/http/internal/otlp_json.hpp>
#include <greenroom/http/internal/retry_after.hpp>
#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/spawn.hpp>
#include <greenroom/runtime/timer.hpp>

namespace greenroom::http::internal {
namespace {

client_options client_of(const otlp_options& how) {
  auto c = how.client;
  c.retries = 0; // ours follow the protocol
  c.request_time = how.request_time;
  return c;
}

const detail::json_value* member_of(const detail::json_value& of, std::string_view name) noexcept {
  if (const auto* const all = std::get_if<detail::json_value::object>(&of.is)) {
    for (const auto& m : *all) {
      if (m.name == name) return &m.value;
    }
  }
  return nullptr;
}

std::uint64_t as_count(const detail::json_value& of) noexcept {
  if (const auto* const n = std::get_if<std::int64_t>(&of.is))
    return static_cast<std::uint64_t>(std::max<std::int64_t>(*n, 0));
  std::uint64_t count = 0;
  if (const auto* const text = std::get_if<std::string>(&of.is))
    (void)std::from_chars(text->data(), text->data() + text->size(), count);
  return count;
}

/// Waits until then, or for a stop.
task<> pause_until(mailbox<nothing> wake, time_point then) {
  for (bool go_on = true; go_on;) {
    const auto woken = co_await wake.receive_until(then);
    go_on = woken.has_value(); // a batch is complete, which can wait
  }
}

} // namespace

/// One request, and what came of it.
struct span_sender::attempt {
  attempt(outcome o, std::string text, duration after) : came(o), why(std::move(text)), retry_after(after) {}

  outcome came;
  std::string why;
  duration retry_after;
  std::uint64_t rejected = 0; // of those in a batch that was taken
};

/// The spans of a batch until it is known what became of them: dropped, if the actor ends before.
struct span_sender::batch_in_hand {
  batch_in_hand(span_sender& s, std::size_t n) : of(s), count(n) { of.in_hand_.store(n, std::memory_order_relaxed); }
  batch_in_hand(const batch_in_hand&) = delete;
  batch_in_hand& operator=(const batch_in_hand&) = delete;
  ~batch_in_hand() {
    of.queue_->add_dropped(count);
    of.in_hand_.store(0, std::memory_order_relaxed);
  }
  void became(std::atomic<std::uint64_t>& what) noexcept {
    what.fetch_add(std::exchange(count, 0), std::memory_order_relaxed);
  }
  void was_taken_but_for(std::uint64_t rejected) noexcept {
    rejected = std::min(rejected, count);
    of.failed_.fetch_add(rejected, std::memory_order_relaxed);
    count -= rejected;
    became(of.exported_);
  }

  span_sender& of;
  std::uint64_t count;
};

span_sender::span_sender(actor_system& s, otlp_options o, address<nothing> wake)
    : system(s),
      how(std::move(o)),
      resource_(resource_json(how.service, how.resource)),
      web_(s, client_of(how)),
      wake_(std::move(wake)),
      queue_(std::make_shared<span_queue>(how.queue, how.batch, wake_)) {}

void span_sender::start(const self& me, mailbox<nothing> wake) {
  const untraced none; // whoever starts it
  me->actor_ = me->system.spawn({.name = "span exporter"}, run, me, std::move(wake));
  send_spans_to(me->system, me->queue_);
}

void span_sender::begin_stop() noexcept {
  end_spans_to(system, *queue_);
  wake_.close();
}

void span_sender::cancel() noexcept {
  begin_stop();
  actor_.cancel();
  queue_->close();
}

task<otlp_stats> span_sender::end(self me, duration limit) {
  me->begin_stop();
  auto ended = co_await select(me->actor_.join(), after(limit));
  if (ended.index() == 1) {
    me->actor_.cancel();
    (void)co_await me->actor_.join();
  }
  me->queue_->close();
  co_return me->stats();
}

otlp_stats span_sender::stats() const noexcept {
  otlp_stats now;
  now.waiting = queue_->size() + in_hand_.load(std::memory_order_relaxed);
  now.exported = exported_.load(std::memory_order_relaxed);
  now.failed = failed_.load(std::memory_order_relaxed);
  now.dropped = queue_->dropped();
  now.requests = requests_.load(std::memory_order_relaxed);
  return now;
}

task<> span_sender::run(self me, mailbox<nothing> wake) {
  for (bool open = true; open;) {
    const auto woken = co_await wake.receive_for(me->how.every);
    open = woken.has_value() || !woken.error().is(errc::closed);
    for (auto batch = me->queue_->take(); !batch.empty(); batch = me->queue_->take()) {
      auto sending = deliver(me, wake, std::move(batch));
      co_await std::move(sending);
    }
  }
}

task<> span_sender::deliver(self me, mailbox<nothing> wake, std::vector<span> batch) {
  batch_in_hand here(*me, batch.size());
  const auto wall = me->system.wall_now().time_since_epoch();
  const auto body =
      otlp_json(batch, me->resource_,
                std::chrono::nanoseconds(wall) - std::chrono::nanoseconds(me->system.now().time_since_epoch()));
  batch.clear();
  const auto give_up = saturating_add(me->system.now(), me->how.retry_time);
  for (int retries = 0;; ++retries) {
    const bool last = wake.closed();
    auto posting = post(me, body);
    const auto tried = co_await std::move(posting);
    me->note_outcome(tried);
    if (tried.came == outcome::taken) co_return here.was_taken_but_for(tried.rejected);
    const auto again = saturating_add(
        me->system.now(), std::max(tried.retry_after, greenroom::detail::full_jitter(me->how.retry_pause, retries)));
    if (tried.came == outcome::refused || last || again > give_up) co_return here.became(me->failed_);
    auto pause = pause_until(wake, again);
    co_await std::move(pause);
  }
}

/// Reads what the collector says of a batch that it took: how many it rejected, if any. What cannot be read says nothing.
/// Source: OTLP, "Partial Success"; numbers of 64 bits may be strings there.
span_sender::attempt span_sender::taken_attempt(std::string_view answer) {
  attempt made(outcome::taken, {}, {});
  const auto document = detail::parse_json(answer, 8);
  const auto* const part = document ? member_of(*document, "partialSuccess") : nullptr;
  if (part == nullptr) return made;
  if (const auto* const count = member_of(*part, "rejectedSpans")) made.rejected = as_count(*count);
  if (const auto* const why = member_of(*part, "errorMessage")) {
    if (const auto* const text = std::get_if<std::string>(&why->is)) made.why = detail::shortened(*text);
  }
  return made;
}

task<span_sender::attempt> span_sender::post(self me, std::string body) {
  client_request request(method::post, me->how.address);
  request.header("Content-Type", "application/json").body(std::move(body));
  for (const auto& [name, value] : me->how.headers) request.header(name, value);
  me->requests_.fetch_add(1, std::memory_order_relaxed);
  auto sending = me->web_.send(std::move(request));
  const auto got = co_await std::move(sending);
  if (!got) {
    const auto code = got.error().code();
    const bool wrong = code == errc::invalid_argument || code == errc::unsupported;
    co_return attempt(wrong ? outcome::refused : outcome::not_now, std::string(got.error().message()), {});
  }
  if (got->ok()) co_return taken_attempt(got->body());
  const int status = got->status();
  const bool passing = status == 429 || status == 502 || status == 503 || status == 504;
  duration after{};
  if (const auto field = got->header("Retry-After"); passing && field)
    after = read_retry_after(*field, me->system.wall_now()).value_or(duration::zero());
  co_return attempt(passing ? outcome::not_now : outcome::refused, "the collector answered " + std::to_string(status),
                    after);
}

/// Tells the log when the collector goes and when it is back, or when it begins and ends to reject spans; not each time.
void span_sender::note_outcome(const attempt& last) {
  const bool rejects = last.rejected != 0;
  if (last.came == outcome::taken && rejects != std::exchange(rejects_, rejects) && rejects)
    system.log().warn("{} spans were rejected by {}: {}", last.rejected, how.address, last.why);
  const bool fails = last.came != outcome::taken;
  if (fails == std::exchange(broken_, fails)) return;
  if (fails)
    system.log().warn("spans are not exported to {}: {}", how.address, last.why);
  else
    system.log().info("spans are exported to {} again", how.address);
}

} // namespace greenroom::http::internal
