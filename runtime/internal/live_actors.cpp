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
  // seq_cst, against extras_of() followed by a look at this bit: the joiner sees it, or we see the joiner's extras. And against
  // for_each(), see below.
  const auto mark = [&cell] { cell.word.fetch_or(actor_cell::finished, std::memory_order_seq_cst); };
  if (cell.list == actor_cell::no_list) return mark();
  auto& its = lists_[cell.list];
  if (cell.list != here && here != 0 && !closed()) {
    auto& mine = lists_[here];
    {
      const std::lock_guard guard(mine.lock);
      ++mine.ended;
      mark();
    }
    // A looker notes itself before it reads the mark, we read the note after setting the mark: it passes this actor over, or we wait.
    if (its.lookers.load(std::memory_order_seq_cst) != 0) const std::lock_guard until_it_has_looked(its.lock);
    return;
  }
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
      if (held) held.unlock(); // never two at a time but in their order, as in count()
      held = std::unique_lock(its.lock);
    }
    unlink(its, *cell);
  }
  if (held) held.unlock();
  for (auto* const cell : all) release(*cell); // runs nothing of the user's: finish() has taken out what could
}

std::size_t live_actors::count() const noexcept {
  // All at one moment: one that begins in one list and ends in another would count as living, or make up for one that does.
  for (auto& l : lists_) l.lock.lock();
  std::uint64_t n = 0;
  for (auto& l : lists_) n += l.added - l.ended; // of a single list it may be below zero
  for (auto& l : lists_) l.lock.unlock();
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
  struct looker {
    explicit looker(const list& l) noexcept : at(l) { at.lookers.fetch_add(1, std::memory_order_seq_cst); }
    looker(const looker&) = delete;
    looker& operator=(const looker&) = delete;
    ~looker() { at.lookers.fetch_sub(1, std::memory_order_release); }
    const list& at;
  };
  for (auto& l : lists_) {
    const looker noted(l); // goes behind the lock
    const std::lock_guard guard(l.lock);
    for (auto* cell = l.first; cell != nullptr; cell = cell->live_next) {
      if ((cell->word.load(std::memory_order_seq_cst) & actor_cell::finished) == 0) look(*cell);
    }
  }
}

} // namespace greenroom::internal
