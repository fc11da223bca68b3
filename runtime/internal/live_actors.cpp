#include <greenroom/runtime/internal/live_actors.hpp>

#include <algorithm>
#include <mutex>
#include <span>
#include <utility>

namespace greenroom::internal {

using detail::actor_cell;

live_actors::live_actors(std::size_t workers) : lists_(std::min(workers + 1, most_lists)) {}

bool live_actors::add(actor_cell& cell, std::size_t here) noexcept {
  auto& mine = lists_[here];
  const std::lock_guard guard(mine.lock);
  if (closed()) {
    cell.list = actor_cell::no_list;
    return false;
  }
  cell.list = static_cast<std::uint8_t>(here) & actor_cell::no_list;
  cell.live_next = mine.first;
  if (mine.first != nullptr) mine.first->live_prev = &cell;
  mine.first = &cell;
  ++mine.added;
  return true;
}

void live_actors::end(actor_cell& cell, std::size_t here) noexcept {
  // seq_cst, against extras_of() followed by a look at this bit: the joiner sees it, or we see the joiner's extras.
  const auto mark = [&cell] { cell.word.fetch_or(actor_cell::finished, std::memory_order_seq_cst); };
  if (cell.list == actor_cell::no_list) return mark();
  if (cell.list != here && here != 0 && !closed()) {
    auto& mine = lists_[here];
    const std::lock_guard guard(mine.lock); // who looks at all actors has this one, too
    ++mine.ended;
    return mark();
  }
  auto& its = lists_[cell.list];
  const std::lock_guard guard(its.lock);
  if (cell.refs.load(std::memory_order_acquire) == 1) {
    // Nobody has a handle, nor can get one but under this lock: the word is ours.
    cell.word.store(cell.word.load(std::memory_order_relaxed) | actor_cell::finished, std::memory_order_relaxed);
  } else {
    mark();
  }
  ++its.ended;
  unlink(its, cell);
  cell.list = actor_cell::no_list;
}

void live_actors::let_go(actor_cell& cell, std::size_t here) noexcept {
  if (cell.list == actor_cell::no_list) return release(cell);
  auto& mine = lists_[here];
  mine.left[mine.left_count++] = &cell;
  if (mine.left_count == mine.left.size()) unlink_left(mine);
}

void live_actors::unlink(list& from, actor_cell& cell) noexcept {
  (cell.live_prev != nullptr ? cell.live_prev->live_next : from.first) = cell.live_next;
  if (cell.live_next != nullptr) cell.live_next->live_prev = cell.live_prev;
}

void live_actors::unlink_left(list& mine) noexcept {
  std::unique_lock<detail::eager_spin_lock> held;
  const auto all = std::span(mine.left).first(std::exchange(mine.left_count, 0));
  for (auto* const cell : all) {
    auto& its = lists_[cell->list];
    if (held.mutex() != &its.lock) {
      if (held) held.unlock(); // two at a time are taken in their order only
      held = std::unique_lock(its.lock);
    }
    unlink(its, *cell);
  }
  if (held) held.unlock();
  for (auto* const cell : all) release(*cell); // runs nothing of the user's: finish() has taken out what could
}

/// All lists, so that nobody begins or ends: at one moment.
class live_actors::all_locked {
public:
  explicit all_locked(const std::vector<list>& lists) noexcept : lists_(lists) {
    for (auto& l : lists_) l.lock.lock();
  }
  all_locked(const all_locked&) = delete;
  all_locked& operator=(const all_locked&) = delete;
  ~all_locked() {
    for (auto& l : lists_) l.lock.unlock();
  }

private:
  const std::vector<list>& lists_;
};

std::size_t live_actors::count() const noexcept {
  const all_locked guard(lists_);
  std::uint64_t n = 0;
  for (auto& l : lists_) n += l.added - l.ended; // of a single list it may be below zero
  return static_cast<std::size_t>(n);
}

std::uint64_t live_actors::added() const noexcept {
  std::uint64_t n = 0;
  for (auto& l : lists_) {
    const std::lock_guard guard(l.lock);
    n += l.added;
  }
  return n;
}

void live_actors::for_each(const std::function<void(actor_cell&)>& look) const {
  const all_locked guard(lists_);
  for (auto& l : lists_) {
    for (auto* cell = l.first; cell != nullptr; cell = cell->live_next) {
      // Relaxed: it is set under one of the locks.
      if ((cell->word.load(std::memory_order_relaxed) & actor_cell::finished) == 0) look(*cell);
    }
  }
}

} // namespace greenroom::internal
