// What the tests of deliveries share: items, who takes them, and a wire between sender and inbox that loses, delays, doubles and so re-orders.
// Thread safety: owner only, within one simulation. Lifetime: outlives the run.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/delivery.hpp>
#include <greenroom/actors/request.hpp>
#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/random.hpp>
#include <greenroom/runtime/spawn.hpp>
#include <greenroom/runtime/timer.hpp>

namespace greenroom::test {

using deliveries = request<delivery<int>>;

/// How bad a wire is. Units: chances in 100.
struct bad_wire {
  unsigned lost = 0;      // an item on its way there
  unsigned lost_back = 0; // its receipt
  unsigned late = 0;      // up to 12 s, which is later than those that are sent after it
  unsigned doubled = 0;
  std::uint64_t seed = 1;
};

/// A request that gets no answer: at once, as when a connection breaks, or by its limit, as when it hangs.
inline task<> lose(deliveries asked, bool at_once) {
  if (at_once) {
    asked.fail({errc::unavailable, "the connection broke"});
  } else {
    co_await sleep_until(asked.deadline());
  }
}

inline task<> bring(deliveries asked, address<deliveries> to, std::uint64_t drawn, bad_wire how) {
  xoshiro random(drawn);
  const auto happens = [&random](unsigned chance) { return random_below(random, 100) < chance; };
  const bool at_once = happens(50);
  if (happens(how.lost)) {
    auto losing = lose(std::move(asked), at_once);
    co_return co_await std::move(losing);
  }
  const bool again = happens(how.doubled);
  const auto wait = std::chrono::milliseconds(happens(how.late) ? random_below(random, 12'000) : 0);
  const auto second = std::chrono::milliseconds(random_below(random, 3'000));
  const bool none_back = happens(how.lost_back);
  co_await sleep_for(wait);
  const auto copy = asked.message;
  const auto got = co_await ask(to, copy, std::chrono::seconds(60));
  if (none_back) {
    auto losing = lose(std::move(asked), at_once);
    co_await std::move(losing);
  } else if (got) {
    asked.reply(*got);
  } else {
    asked.fail(got.error());
  }
  if (!again) co_return;
  co_await sleep_for(second);
  (void)co_await ask(to, copy, std::chrono::seconds(60));
}

/// Ends when its mailbox does; what it carries then goes on.
inline task<> carry(mailbox<deliveries> in, address<deliveries> to, bad_wire how) {
  xoshiro random(how.seed);
  while (auto asked = co_await in.receive()) spawn(bring, *std::move(asked), to, random.next(), how);
}

/// Puts such a wire before an inbox.
inline address<deliveries> behind_wire(address<deliveries> to, bad_wire how) {
  auto ends = make_mailbox<deliveries>(bounded(64));
  spawn(carry, std::move(ends.in), std::move(to), how);
  return std::move(ends.out);
}

/// Who takes items.
struct taker {
  std::vector<int> taken;
  std::vector<std::int64_t> tries; // Units: milliseconds of virtual time since the first
  time_point first{};
  duration time_for_each{};
  int refused_now = 0; // of the items to come, so many are refused
  int poison = -1;     // is refused always
  unsigned moods = 0;  // refuses so many of 100 by chance
  xoshiro random{7};
};

inline task<result<void>> take(taker* who, int item) {
  const auto now = this_actor::system().now();
  if (who->tries.empty()) who->first = now;
  who->tries.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(now - who->first).count());
  if (who->time_for_each > duration::zero()) co_await sleep_for(who->time_for_each);
  if (item == who->poison || random_below(who->random, 100) < who->moods)
    co_return error(errc::invalid_argument, "nobody wants it");
  if (who->refused_now > 0) {
    --who->refused_now;
    throw std::runtime_error("the shelf fell over");
  }
  who->taken.push_back(item);
  co_return result<void>();
}

inline auto to(taker* who) {
  return [who](int item) { return take(who, item); };
}

inline std::vector<int> up_to(int last) {
  std::vector<int> all;
  for (int i = 1; i <= last; ++i) all.push_back(i);
  return all;
}

} // namespace greenroom::test
