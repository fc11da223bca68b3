#include <greenroom/runtime/detail/timer_wheel.hpp>

#include <algorithm>
#include <bit>
#include <cassert>
#include <type_traits>
#include <utility>

namespace greenroom::detail {
namespace {

void make_empty(timer_node& list) noexcept { list.prev = list.next = &list; }

bool is_empty(const timer_node& list) noexcept { return list.next == &list; }

// Moves all nodes of one list behind those of another.
void splice(timer_node& from, timer_node& to) noexcept {
  if (is_empty(from)) return;
  from.next->prev = to.prev;
  to.prev->next = from.next;
  from.prev->next = &to;
  to.prev = from.prev;
  make_empty(from);
}

// Nanoseconds from `from` to `to`, 0 if that is negative. Unsigned, as the difference of two times
// can exceed 63 bits.
std::uint64_t nanoseconds_between(time_point from, time_point to) noexcept {
  if (to <= from) return 0;
  return static_cast<std::uint64_t>(to.time_since_epoch().count()) -
         static_cast<std::uint64_t>(from.time_since_epoch().count());
}

} // namespace

static_assert(std::is_same_v<time_point::duration, std::chrono::nanoseconds>);

timer_wheel::timer_wheel(time_point origin) noexcept : origin_(origin) {
  assert(origin >= time_point{});
  for (timer_node& list : slots_) make_empty(list);
  make_empty(due_);
}

timer_wheel::~timer_wheel() { assert(empty()); }

void timer_wheel::arm(timer_node& node, time_point when) noexcept {
  cancel(node);
  const std::uint64_t wait = nanoseconds_between(origin_, when);
  constexpr std::uint64_t part_of_tick = (std::uint64_t{1} << tick_shift) - 1;
  node.due = std::max(now_, (wait >> tick_shift) + ((wait & part_of_tick) != 0));
  place(node);
  ++size_;
}

bool timer_wheel::cancel(timer_node& node) noexcept {
  if (!node.armed()) return false;
  unlink(node);
  --size_;
  // If the node stood in due_, this is the slot of another list or of none; the bit is right
  // afterwards all the same.
  const position at = position_of(node.due);
  if (is_empty(list_at(at))) occupied_[at.level] &= ~(std::uint64_t{1} << at.slot);
  return true;
}

time_point timer_wheel::next_expiry() const noexcept {
  if (!is_empty(due_)) return origin_;
  position first{};
  if (!find_first(first)) return never;
  const std::uint64_t room = nanoseconds_between(origin_, never) >> tick_shift;
  const std::uint64_t tick = start_of(first);
  if (tick > room) return never;
  return origin_ + std::chrono::nanoseconds(static_cast<std::int64_t>(tick << tick_shift));
}

timer_wheel::position timer_wheel::position_of(std::uint64_t due) const noexcept {
  const auto top_bit = static_cast<unsigned>(std::bit_width((due ^ now_) | 1)) - 1;
  const std::size_t level = top_bit / slot_shift;
  return {level, (due >> (level * slot_shift)) % slot_count};
}

// Finds the slot whose nodes are due first.
bool timer_wheel::find_first(position& found) const noexcept {
  for (std::size_t level = 0; level != level_count; ++level) {
    if (occupied_[level] == 0) continue;
    found = {level, static_cast<std::size_t>(std::countr_zero(occupied_[level]))};
    return true;
  }
  return false;
}

// Returns the first tick of a slot: the digits of now_ above its level, its own digit, zeros below.
std::uint64_t timer_wheel::start_of(position at) const noexcept {
  const std::size_t shift = at.level * slot_shift;
  const std::uint64_t above = now_ >> (shift + slot_shift);
  return ((above << slot_shift) | at.slot) << shift;
}

void timer_wheel::place(timer_node& node) noexcept {
  const position at = position_of(node.due);
  append(list_at(at), node);
  occupied_[at.level] |= std::uint64_t{1} << at.slot;
}

// Distributes a slot's nodes over the levels below, in order, so that nodes of one tick stay in the
// order of arming.
void timer_wheel::cascade(timer_node& list) noexcept {
  timer_node* node = std::exchange(list.next, &list);
  list.prev = &list;
  while (node != &list) {
    timer_node* const next = node->next;
    __builtin_prefetch(next->next);
    place(*node);
    node = next;
  }
}

// Moves all nodes due at `now` to due_ in order before any is handed out: whatever the receiver
// arms and cancels then meets a wheel at rest.
void timer_wheel::collect_due(time_point now) noexcept {
  const std::uint64_t target = std::max(now_, nanoseconds_between(origin_, now) >> tick_shift);
  for (position first{}; find_first(first);) {
    const std::uint64_t start = start_of(first);
    if (start > target) break;
    now_ = start;
    occupied_[first.level] &= ~(std::uint64_t{1} << first.slot);
    timer_node& list = list_at(first);
    if (first.level == 0) {
      splice(list, due_);
    } else {
      cascade(list);
    }
  }
  now_ = target;
}

} // namespace greenroom::detail
