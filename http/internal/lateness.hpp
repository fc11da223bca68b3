// Whether requests have been late in having their first turns for so long that it is overload, and no hiccup: a machine that stops for a
// moment makes some of them late, too, but those that follow are in time.
// Thread safety: any thread; what two threads do at once may count as either's. Source: the idea, and that an overload which comes back
// soon is the same one, are CoDel's (RFC 8289, section 4.3).
#pragma once

#include <atomic>
#include <chrono>

#include <greenroom/runtime/clock.hpp>

namespace greenroom::http::internal {

class lateness {
public:
  static constexpr auto hiccup = std::chrono::milliseconds(100);
  /// How long after an overload the next late turn still belongs to it.
  static constexpr auto lull = std::chrono::milliseconds(1'000);

  explicit lateness(duration most_wait) noexcept : most_wait_(most_wait) {}

  bool is_prompt(duration waited) const noexcept { return waited < most_wait_ / 2; }
  /// Notes a first turn. Whoever waited less than half of what one may finds the workers keeping up. In an overload this happens, too, as
  /// it is quick to refuse: were the next late one taken for a new hiccup, nobody would be refused for as long, and the queue would grow.
  void note(duration waited, time_point now) noexcept {
    const bool prompt = is_prompt(waited);
    const auto since = load(since_);
    if (prompt ? since == never : since <= now) return; // mostly
    if (prompt && lasts(now)) store(ended_, now);
    if (prompt) return store(since_, never);
    store(since_, now - load(ended_) < lull ? now - 2 * hiccup : now);
  }
  bool lasts(time_point now) const noexcept {
    const auto since = load(since_);
    return since != never && now - since > hiccup;
  }
  /// Returns whether a request that has waited so long is to be refused.
  bool too_long(duration waited, time_point now) const noexcept { return waited > most_wait_ && lasts(now); }

private:
  using moment = std::atomic<duration::rep>; // relaxed: each is a guess that stands for itself
  static time_point load(const moment& m) noexcept { return time_point(duration(m.load(std::memory_order_relaxed))); }
  static void store(moment& m, time_point t) noexcept {
    m.store(t.time_since_epoch().count(), std::memory_order_relaxed);
  }

  const duration most_wait_;
  moment since_{never.time_since_epoch().count()}; // the first late turn behind the last prompt one
  moment ended_{duration::min().count() / 2};      // the last overload; at first so long ago as can be subtracted
};

} // namespace greenroom::http::internal
