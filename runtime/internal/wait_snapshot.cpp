#include <greenroom/runtime/internal/wait_snapshot.hpp>

#include <algorithm>
#include <mutex>

#include <greenroom/runtime/detail/permits.hpp>
#include <greenroom/runtime/detail/wait_places.hpp>
#include <greenroom/runtime/select.hpp>

// Frames are read word by word, whatever their types: the tools would call that a mistake, and what other threads write meanwhile
// (links of wait queues, timers) a race. Neither matters: only ends are used, which do not change while their actor waits.
#define GREENROOM_READS_FRAMES __attribute__((no_sanitize("address"), no_sanitize("thread"), noinline))

namespace greenroom::internal {
namespace {

using detail::actor_cell;
using detail::mailbox_base;
using detail::wait_kind;

// Beyond these an actor or mailbox is not looked through, and counts as one that works.
constexpr std::size_t most_frames = 1'000;
constexpr std::size_t most_bytes = 256 * 1024;   // of frames
constexpr std::size_t longest_queue = 64 * 1024; // Units: bytes
constexpr std::size_t longest_line = 10'000;     // before a lock
constexpr std::int64_t most_permits = 1LL << 47; // in one hand

bool is_for_actors_to_end(wait_kind kind) noexcept {
  switch (kind) {
  case wait_kind::receive:
  case wait_kind::send:
  case wait_kind::select:
  case wait_kind::lock:
  case wait_kind::semaphore:
  case wait_kind::join:
  case wait_kind::reply:
  case wait_kind::turn:
  case wait_kind::scope: return true;
  default: return false;
  }
}

/// Finds the words that look like ends.
struct end_finder final : detail::memory_reader {
  explicit end_finder(std::vector<seen_end>& to) : found(to) {}
  GREENROOM_READS_FRAMES void operator()(const void* memory, std::size_t bytes) override {
    const auto* const words = static_cast<const volatile std::uintptr_t*>(memory);
    const auto count = bytes / sizeof(std::uintptr_t);
    read += bytes;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uintptr_t word = words[i];
      if ((word & 1) == 0 || word < 4096 || word >> 47 != 0) continue; // no end, or no address of a program
      const auto kind = static_cast<detail::end_kind>((word & 7) == 7 ? 7 : word & 15);
      if (kind > detail::end_kind::share) continue;
      const auto* const of = reinterpret_cast<const void*>(word & ~detail::mask_of(kind));
      std::int64_t permits = 0;
      if (kind == detail::end_kind::permit) {
        permits = i + 1 < count ? detail::seal(static_cast<std::int64_t>(words[i + 1])) : 0;
        if (permits <= 0 || permits > most_permits) continue; // not sealed: no end
      }
      found.push_back({of, kind, permits});
    }
  }
  std::vector<seen_end>& found;
  std::size_t read = 0;
};

/// Measures a queue before it is read.
struct byte_count final : detail::memory_reader {
  void operator()(const void*, std::size_t n) override { bytes += n; }
  std::size_t bytes = 0;
};

struct case_list final : detail::case_reader {
  explicit case_list(std::vector<seen_case>& to) : cases(to) {}
  void operator()(wait_kind kind, const void* place) override { cases.push_back({kind, place}); }
  std::vector<seen_case>& cases;
};

/// Keeps an actor in its wait.
class observation {
public:
  explicit observation(actor_cell& cell) noexcept : cell_(cell), holds_(cell.observe()) {}
  /// Only in the wait that was seen. The count of waits comes round after four million: hence the time beside it.
  explicit observation(const seen_actor& a) noexcept : observation(*a.cell) {
    if (!holds_ || (wait() == a.wait && cell_.wait_since.load(std::memory_order_relaxed) == a.since)) return;
    cell_.end_observation();
    holds_ = false;
  }
  observation(const observation&) = delete;
  observation& operator=(const observation&) = delete;
  ~observation() {
    if (holds_) cell_.end_observation();
  }
  explicit operator bool() const noexcept { return holds_; }
  std::uint32_t wait() const noexcept { return cell_.word.load(std::memory_order_relaxed) / actor_cell::one_wait; }

private:
  actor_cell& cell_;
  bool holds_;
};

/// Reads the queue of a mailbox; false if it is busy or too long. Nobody is waited for: who holds the lock may wait for us.
bool read_queue(mailbox_base& box, std::vector<seen_end>& ends) {
  if (!box.can_hold_ends()) return true;
  const std::unique_lock guard(box.lock(), std::try_to_lock);
  if (!guard) return false;
  byte_count size;
  box.show_items_locked(size);
  if (size.bytes > longest_queue) return false;
  end_finder finder(ends);
  box.show_items_locked(finder);
  return true;
}

/// Reads a lock; false if it is busy.
bool look_at(const void* place, seen_permits& seen) {
  auto& lock = *const_cast<detail::permits*>(static_cast<const detail::permits*>(place));
  const std::unique_lock guard(lock.lock(), std::try_to_lock);
  if (!guard) return false;
  seen.held = lock.held_locked();
  seen.free = lock.capacity() - seen.held;
  const auto* const first = lock.queue().front();
  for (const auto* w = first; w != nullptr; w = w->next == first ? nullptr : w->next) {
    if (seen.waiters.size() == longest_line) return false;
    seen.waiters.push_back({w->cell, static_cast<const detail::permit_waiter*>(w)->want});
  }
  return true;
}

/// Reads the frames and arguments of an actor that is observed; false if that is not possible.
bool read_frames(const actor_cell& cell, std::vector<seen_end>& ends) {
  end_finder finder(ends);
  std::size_t frames = 0;
  auto frame = cell.resume_point;
  for (auto* promise = cell.leaf;; frame = promise->call->caller, promise = promise->call->caller_promise) {
    const auto bytes = detail::frame_size(frame.address());
    if (bytes == 0 || ++frames > most_frames || finder.read + bytes > most_bytes) return false;
    finder(frame.address(), bytes);
    if (promise->call == nullptr) break;
  }
  const auto* const extras = cell.extras.load(std::memory_order_acquire);
  for (const auto* kept = extras == nullptr ? nullptr : extras->kept; kept != nullptr; kept = kept->next) {
    finder(kept->shown, kept->bytes);
  }
  return true;
}

mailbox_base& mailbox_at(const void* place) noexcept {
  return *const_cast<mailbox_base*>(static_cast<const mailbox_base*>(place));
}

} // namespace

wait_snapshot::wait_snapshot(detail::runtime_core& core, std::chrono::milliseconds least_age) : core_(core) {
  collect(least_age);
  for (std::size_t i = 0; i < actors_.size(); ++i) {
    const observation here(actors_[i]);
    if (!here) continue; // it will be found to work by the second look
    for (const auto& c : actors_[i].cases) {
      if (c.kind == wait_kind::receive || c.kind == wait_kind::send) read_mailbox(c.place, i);
      if (c.kind == wait_kind::lock || c.kind == wait_kind::semaphore) read_permits(c.place, i);
    }
    if (actors_[i].asked != nullptr) read_mailbox(actors_[i].asked, i);
    for (const auto& e : actors_[i].ends) {
      if (e.kind >= detail::end_kind::permit || !detail::is_pooled(e.of, sizeof(mailbox_base))) continue;
      if (mailbox_at(e.of).is_mailbox()) read_mailbox(e.of, i);
    }
  }
}

void wait_snapshot::collect(std::chrono::milliseconds least_age) {
  struct found {
    actor who;
    const void* group = nullptr;
    const actor_cell* parent = nullptr;
  };
  std::vector<found> all;
  all.reserve(core_.living.count());
  const auto now = core_.milliseconds(core_.env.time->now());
  core_.living.for_each([&](actor_cell& cell) {
    // The listener lives as long as its actor has not ended, and one that is shown has not.
    const auto* const parent = cell.listener == nullptr ? nullptr : cell.listener->parent();
    const auto since = cell.wait_since.load(std::memory_order_relaxed);
    if (is_for_actors_to_end(detail::kind_of(cell.waits_for.load(std::memory_order_acquire))) &&
        std::chrono::milliseconds(now - std::min(since, now)) >= least_age) {
      detail::add_ref(cell);
      all.push_back({actor(&cell, actor::adopt{}), cell.listener, parent});
    } else if (parent != nullptr) {
      busy_parents_.insert(parent);
    }
  });
  actors_.reserve(all.size());
  for (auto& f : all) {
    seen_actor a;
    a.cell = f.who.cell();
    a.who = std::move(f.who);
    a.group = f.group;
    a.parent = f.parent;
    if (read(a)) {
      actors_.push_back(std::move(a));
    } else if (a.parent != nullptr) {
      busy_parents_.insert(a.parent);
    }
  }
}

/// Reads what the actor waits for, and its frames; false if it does not wait, or for something else.
bool wait_snapshot::read(seen_actor& a) {
  auto& cell = *a.cell;
  const observation here(cell);
  if (!here) return false;
  const auto word = cell.word.load(std::memory_order_relaxed);
  if ((word & actor_cell::lent) != 0) return false;
  const auto noted = cell.waits_for.load(std::memory_order_acquire);
  const auto* const place = cell.wait_object.load(std::memory_order_relaxed);
  a.wait = here.wait();
  a.since = cell.wait_since.load(std::memory_order_relaxed);
  a.kind = detail::kind_of(noted);
  a.timed = detail::is_timed(noted) || cell.context->deadline != never;
  a.exposed = (word & actor_cell::exposed) != 0;
  if (!is_for_actors_to_end(a.kind)) return false;
  if (a.kind == wait_kind::select) {
    case_list cases(a.cases);
    const auto& select = *static_cast<const detail::select_cases*>(place);
    select.list(select, cases);
  } else {
    a.cases.push_back({a.kind, place});
  }
  if (a.kind == wait_kind::reply) a.asked = static_cast<const detail::reply_place*>(place)->asked;
  for (const auto& c : a.cases) {
    if (!is_for_actors_to_end(c.kind)) return false; // a time, a socket, a context: somebody else ends it
  }

  return read_frames(cell, a.ends);
}

/// Requires: an actor that holds an end of it, or waits in it, is observed.
void wait_snapshot::read_mailbox(const void* place, std::size_t reached_by) {
  const auto [at, is_new] = mailboxes_.try_emplace(place);
  if (!is_new) return;
  auto& box = mailbox_at(place);
  at->second.reached_by = reached_by;
  at->second.count = box.count_ends();
  at->second.capacity = box.capacity();
  at->second.known = read_queue(box, at->second.ends);
}

void wait_snapshot::read_permits(const void* place, std::size_t waited_by) {
  const auto [at, is_new] = permits_.try_emplace(place);
  if (!is_new) return;
  at->second.waited_by = waited_by;
  at->second.known = look_at(place, at->second);
}

wait_look look_at_wait(actor_cell& cell) {
  const observation here(cell);
  if (!here) return {};
  wait_look seen{.context_deadline = cell.context->deadline != never};
  std::vector<seen_end> ends;
  if (read_frames(cell, ends)) {
    seen.guards = static_cast<std::size_t>(
        std::count_if(ends.begin(), ends.end(), [](const seen_end& e) { return e.kind == detail::end_kind::permit; }));
  }
  return seen;
}

bool wait_snapshot::still_waits(const seen_actor& a) const noexcept { return static_cast<bool>(observation(a)); }

bool wait_snapshot::unchanged(const seen_mailbox& m, const void* place) const {
  const observation here(actors_[m.reached_by]);
  if (!here) return false;
  auto& box = mailbox_at(place);
  std::vector<seen_end> ends;
  if (!read_queue(box, ends) || ends != m.ends) return false;
  return box.count_ends() == m.count;
}

bool wait_snapshot::unchanged(const seen_permits& p, const void* place) const {
  const observation here(actors_[p.waited_by]);
  if (!here) return false;
  seen_permits now;
  return look_at(place, now) && now.held == p.held && now.waiters == p.waiters;
}

std::int64_t wait_snapshot::seats(const seen_actor& a, const void* turns) const noexcept {
  const observation here(a);
  if (!here) return -1;
  return static_cast<const detail::shared_place*>(turns)->refs.load(std::memory_order_acquire);
}

} // namespace greenroom::internal
