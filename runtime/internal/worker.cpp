#include <greenroom/runtime/internal/worker.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

#include <greenroom/runtime/detail/flight_ring.hpp>
#include <greenroom/runtime/detail/in_order.hpp>
#include <greenroom/runtime/detail/item_trace.hpp>
#include <greenroom/runtime/internal/process_fence.hpp>
#include <greenroom/runtime/internal/runtime_core.hpp>
#include <greenroom/runtime/internal/watch.hpp>

namespace greenroom::internal {
namespace {

using namespace std::chrono_literals;

// A chain of hand-overs may keep the worker this long while others wait (Go's runnext has the same kind of limit).
constexpr std::uint32_t longest_streak = 64;
constexpr std::uint32_t most_jobs_between_looks = 64;
// A worker that is woken for surplus needs 16 us to come, and each thing that an actor touches 0.1 us to follow it (measured: with less,
// workloads of messages are slower on two workers than on one).
constexpr std::uint64_t worth_moving_ns = 20'000;
// While its keep_rule holds, that must be worth more: in company it would be slower.
constexpr std::uint64_t worth_company_ns = 1'000'000;
constexpr auto pause = 20ns;                     // in the mean of processors
constexpr std::uint32_t most_search_rounds = 16; // of some microsecond each
// Timers have a tick of 65 us and a poll of the sockets is a system call of 0.4 us: looking more often only costs.
constexpr auto look_target = 50us;
// A sleep that is to end before the kernel's next tick (of 4 ms, mostly) has it set the processor's timer, and set it back: in a virtual
// machine that took 3 us each time, a fifth of a request. So a guard looks early only where one was needed of late.
constexpr auto first_guard_interval = 4ms;
constexpr auto first_interval_if_needed = 1ms;
constexpr auto last_guard_interval = 8ms;
constexpr std::uint32_t needed_for_stints = 64;
constexpr auto relief_interval = 32ms; // after which another idle one sees whether somebody stands guard
constexpr auto care_interval = 4ms;    // at which a busy worker looks after others, where no idle one does

log_origin running_actor() noexcept { return detail::log_origin_of(detail::this_turn.cell); }

} // namespace

worker::worker(worker_team& team, std::size_t index, time_point origin)
    : timer_queue(origin),
      team_(team),
      index_(index),
      last_look_(origin),
      last_poll_(origin),
      last_care_(origin),
      seen_(team.workers()),
      guarded_(team.workers()),
      queue_(team.workers() > 1) {}

void worker::start() {
  thread_ = std::thread([this] { loop(); });
}

void worker::join() {
  if (thread_.joinable()) thread_.join();
}

void worker::loop() {
  auto& turn = detail::this_turn;
  turn.worker = this;
  turn.core = &team_.core();
  turn.timers = this;
  turn.flight = detail::flight_ring_of(team_.core(), index_);
  turn.asks = &team_.core().asks[index_ + 1];
  turn.random = team_.core().seed() + 0x9e3779b97f4a7c15 * (index_ + 1);
  detail::set_thread_log_origin(running_actor);
  for (;;) {
    if (const job j = next()) {
      run(j);
    } else if (team_.stopping()) {
      break;
    } else {
      rest();
    }
  }
  team_.core().living.let_go_all(live_actors::place(index_));
  turn = {};
}

/// Takes the job that would run next; none if there is none, or another worker was faster.
job worker::take_slot() noexcept {
  if (team_.count_ > 1) return job(slot_.exchange(0, std::memory_order_acq_rel)); // another one may rescue it
  const job next(slot_.load(std::memory_order_relaxed));
  slot_.store(0, std::memory_order_relaxed);
  return next;
}

void worker::push_ready(job j) {
  // Only the owner fills the slot, so that what it sees empty stays empty until it stores: a hand-over needs no read-modify-write here.
  // Release, for the worker that takes the job over.
  if (slot_.load(std::memory_order_relaxed) != 0) {
    if (const job displaced = take_slot()) queue_.push_woken(displaced);
  }
  slot_.store(j.bits(), std::memory_order_release);
  call_for_help();
}

void worker::push_behind(job j) {
  queue_.push_woken(j);
  call_for_help();
}

void worker::push_last(job j) {
  queue_.push_last(j);
  call_for_help();
}

void worker::push_spawned(detail::actor_cell& cell) {
  queue_.push_spawned(job(cell));
  call_for_help();
}

void worker::submit(job j) {
  queue_.submit(j);
  std::atomic_thread_fence(std::memory_order_seq_cst); // against sleep(): it sees the job, or we see it asleep
  wake();
}

bool worker::wake() {
  if (!end_sleep()) return false;
  poller_->interrupt();
  return true;
}

bool worker::end_sleep() noexcept {
  if (!asleep_.load(std::memory_order_relaxed) || !asleep_.exchange(false, std::memory_order_acq_rel)) return false;
  team_.sleepers_.fetch_sub(1, std::memory_order_relaxed);
  if (auto* const w = team_.watch_.load(std::memory_order_acquire)) w->notice_work();
  return true;
}

/// Wakes an idle worker if there is more to do than what this one does next, or if nobody would notice this one being stuck.
/// A wake-up across cores costs 16 us (measured), more than most jobs, so a lone job never causes one while a guard stands.
void worker::call_for_help() noexcept {
  light_fence(); // against sleep(): it sees what was pushed, or we see it asleep
  if (team_.sleepers_.load(std::memory_order_relaxed) == 0) return;
  const bool wanted = has_surplus() ? team_.searching_.load(std::memory_order_relaxed) == 0
                                    : team_.guards_.load(std::memory_order_relaxed) == 0;
  if (wanted) team_.wake_one();
}

std::uint64_t worker::next_id() noexcept {
  if (ids_left_ == 0) {
    team_.core().caf->take_ids(ids_);
    ids_left_ = ids_.size();
  }
  return ids_[ids_.size() - ids_left_--];
}

job worker::next() {
  if (--until_look_ == 0) look_around();
  if (streak_ < longest_streak && slot_.load(std::memory_order_relaxed) != 0) {
    if (const job j = take_slot()) {
      ++streak_;
      return j;
    }
  }
  return next_of_queue();
}

/// Returns the next job if it is not the one in the slot, or if that one has had its streak.
job worker::next_of_queue() {
  const bool streak_over = streak_ >= longest_streak;
  streak_ = 0;
  if (streak_over) {
    if (const job j = take_slot()) {
      if (queue_.size_approx() == 0) return j; // nobody waits for the end of the streak
      queue_.push_woken(j);
    }
  }
  if (queue_.size_approx() != 0) {
    // After a streak every second pick is fair: the fair ones alone would come once in 61 streaks.
    if (const job j = queue_.pop(++picks_ % (streak_over ? 2 : 61) == 0)) return j;
  }
  if (steal()) {
    hand_over_watch();
    return queue_.pop(true);
  }
  return {};
}

void worker::run(job j) noexcept {
  // Only this thread writes it: no read-modify-write needed.
  progress_.store(progress_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (j.is_foreign()) {
    running_.store(nullptr, std::memory_order_relaxed);
    team_.core().caf->run_job(j.foreign_job(), *this);
  } else {
    running_.store(&j.cell(), std::memory_order_relaxed);
    worker_team::take_turn(j.cell(), team_.core().opts.step_budget);
  }
}

/// Reads the clock, fires timers and polls the sockets, every few jobs: so many that it happens about every 50 us.
void worker::look_around() {
  auto& core = team_.core();
  const auto now = core.env.time->now();
  const auto elapsed = now - last_look_;
  if (rested_) {
    rested_ = false; // what passed was sleep, not work
    detail::pauses_before_locks = 0;
  } else {
    note_turns(elapsed);
    keep_.note(now, elapsed, pause * std::exchange(detail::pauses_before_locks, 0U));
  }
  until_look_ = look_every_;
  last_look_ = now;
  detail::this_turn.now_ms = core.milliseconds(now);
  advance(now);
  core.living.let_go_all(live_actors::place(index_));
  if (std::exchange(polled_, false)) {
    last_poll_ = now;
  } else if (now - last_poll_ >= look_target) {
    last_poll_ = now;
    poller_->wait(0ns);
  }
  if (now - last_care_ >= care_interval) {
    last_care_ = now;
    if (team_.guards_.load(std::memory_order_relaxed) == 0) look_after_others();
  }
}

/// Learns from how long the turns since the last look took.
void worker::note_turns(duration elapsed) noexcept {
  const auto each = static_cast<std::uint32_t>(std::clamp<std::int64_t>(elapsed / 1ns / look_every_, 1, 1'000'000'000));
  // Long turns are remembered for a while: among many short ones, one of them is what the others wait for.
  const auto before = turn_ns_.load(std::memory_order_relaxed);
  turn_ns_.store(std::max(each, before - before / 8), std::memory_order_relaxed);
  if (elapsed > 2 * look_target) {
    look_every_ = std::max(1U, look_every_ / 2);
  } else if (elapsed < look_target) {
    look_every_ = std::min(most_jobs_between_looks, look_every_ * 2);
  }
}

/// Says whether there is more than is soon done here: actors that were spawned, whose work is not known, or so many of those that have begun
/// that it pays to bring them, and all that they touch, to another core. Those that have used up their turn are of no other kind: busy mailboxes
/// make such all the time (the pool on two threads: 63 ns an item when they counted as spawned, 55 so). A turn that is much longer than those before it is for the guard to see.
bool worker::has_surplus() const noexcept {
  const auto waiting = queue_.size_approx();
  if (waiting < 2) return false;
  const auto worth = keep_.keeps() ? worth_company_ns : worth_moving_ns;
  return queue_.spawned_approx() > 1 || waiting * turn_ns_.load(std::memory_order_relaxed) > worth;
}

/// Takes half of what another worker has beyond a single job: that one runs next where its data is, unless its worker is stuck, which
/// the guard sees.
bool worker::steal() {
  for (std::size_t i = 1; i < team_.count_; ++i) {
    auto& victim = team_.at((index_ + i) % team_.count_);
    if (!victim.has_surplus() || !victim.queue_.steal_half(queue_)) continue;
    steals_.store(steals_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); // only this thread writes
    return true;
  }
  return false;
}

void worker::rest() {
  team_.core().living.let_go_all(live_actors::place(index_));
  until_look_ = 1; // whatever comes next, look first
  rested_ = true;
  team_.searching_.fetch_add(1, std::memory_order_relaxed);
  const auto rounds = team_.count_ > 1 ? search_rounds_ : 0; // one that is alone has nobody to steal from; others ring
  for (std::uint32_t round = 0; round < rounds; ++round) {
    if (has_job() || steal()) {
      team_.searching_.fetch_sub(1, std::memory_order_relaxed);
      search_rounds_ = std::min(most_search_rounds, search_rounds_ * 2);
      return hand_over_watch();
    }
    for (int i = 0; i < 32; ++i) detail::cpu_pause();
  }
  team_.searching_.fetch_sub(1, std::memory_order_relaxed);
  search_rounds_ = std::max(1U, search_rounds_ / 2); // where work comes from sockets a search is in vain
  if (team_.count_ == 1) return sleep(never);
  if (team_.guards_.exchange(1, std::memory_order_acq_rel) == 0) {
    if (stand_guard()) sleep(never);
  } else if (team_.reliefs_.exchange(1, std::memory_order_seq_cst) == 0) {
    sleep(team_.core().env.time->now() + relief_interval);
    team_.reliefs_.store(0, std::memory_order_seq_cst);
  } else {
    sleep(never);
  }
  hand_over_watch();
}

/// Wakes one that sleeps soundly, if this worker has something to do, in which it may get stuck, and would leave no guard and no relief. What
/// would wait is not in the queue alone: it has timers and sockets, too.
void worker::hand_over_watch() noexcept {
  // Of two that leave at once, one as guard and one as relief, one sees that the other has left: both write first, in one order.
  if (team_.guards_.load(std::memory_order_seq_cst) != 0 || team_.reliefs_.load(std::memory_order_seq_cst) != 0) return;
  if (team_.sleepers_.load(std::memory_order_relaxed) == 0) return;
  if (has_job()) team_.wake_one();
}

/// Sleeps in short stretches while others work, and takes what waits behind one that is stuck in a long turn. Returns false when
/// there is something to do, true when all others have been idle for a whole stretch. Requires: guards_ was set by this worker; it is reset.
bool worker::stand_guard() {
  auto& clock = *team_.core().env.time;
  const auto leave = [this](bool all_idle) {
    team_.guards_.store(0, std::memory_order_seq_cst);
    return all_idle;
  };
  duration interval = first_guard_interval;
  if (team_.needed_stints_ != 0) {
    --team_.needed_stints_;
    interval = first_interval_if_needed;
  }
  for (;; interval = std::min<duration>(interval * 2, last_guard_interval)) {
    for (std::size_t i = 0; i < guarded_.size(); ++i)
      guarded_[i] = team_.at(i).progress_.load(std::memory_order_relaxed);
    const auto end = clock.now() + interval;
    sleep(end);
    if (has_job() || team_.stopping()) return leave(false);
    const auto now = clock.now();
    const bool early = now < end; // it was surplus that ended the sleep
    bool all_idle = true;
    for (std::size_t i = 0; i < guarded_.size(); ++i) {
      auto& other = team_.at(i);
      if (i == index_) continue;
      const bool moved = other.progress_.load(std::memory_order_relaxed) != guarded_[i];
      if (!moved && !other.asleep() && rescue_from(other, !early)) {
        if (early) return leave(false);
        team_.needed_stints_ = needed_for_stints;
        leave(false);
        team_.wake_one(); // to stand guard instead: there may be more behind the stuck one
        return false;
      }
      if (moved || !other.asleep()) all_idle = false;
    }
    if (next_expiry() <= now) return leave(false);
    if (all_idle && has_process_fence()) return leave(true); // see sleep()
  }
}

/// Does what a guard does, when all workers are busy: one of them may be stuck for long.
void worker::look_after_others() {
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    auto& other = team_.at(i);
    const auto progress = other.progress_.load(std::memory_order_relaxed);
    if (std::exchange(seen_[i], progress) == progress && i != index_ && !other.asleep() && rescue_from(other, true))
      hand_over_watch();
  }
}

/// Takes over what waits behind the turn of another worker: its timers, its sockets and its actors, of which `all` means more than a first
/// part: of one that is known to be stuck. Returns whether there was any.
bool worker::rescue_from(worker& stuck, bool all) {
  const auto progress = stuck.progress();
  stuck.advance(team_.core().env.time->now());
  stuck.poller_->try_look(); // whom these wake comes to us
  const job next = stuck.take_slot();
  if (next) queue_.push_woken(next);
  bool more = !next || all;
  while (more && stuck.has_work() && stuck.progress() == progress) more = stuck.queue_.steal_half(queue_) && all;
  return has_job();
}

/// Says whether another worker has more than it can run next, or anything while nobody stands guard over it.
bool worker::is_needed() noexcept {
  const bool guarded = team_.guards_.load(std::memory_order_relaxed) != 0;
  for (std::size_t i = 0; i < team_.count_; ++i) {
    if (i == index_) continue;
    auto& other = team_.at(i);
    if (other.has_surplus()) return true;
    if (!guarded && other.has_job()) return true;
  }
  return false;
}

/// Says whether it may sleep soundly: while another one stands guard, or soon looks for one, or while nobody works.
bool worker::is_watched() noexcept {
  if (team_.count_ == 1 || team_.guards_.load(std::memory_order_relaxed) != 0) return true;
  if (team_.reliefs_.load(std::memory_order_relaxed) != 0) return true;
  for (std::size_t i = 0; i < team_.count_; ++i) {
    if (i != index_ && !team_.at(i).asleep()) return false;
  }
  return true;
}

/// Sleeps until `limit`, the next timer, a socket, or a wake(). Does not if there is something to do, or it would sleep soundly where nobody
/// watches those who work.
void worker::sleep(time_point limit) {
  const bool soundly = limit == never;
  limit = std::min(limit, next_expiry());
  asleep_until_.store(limit, std::memory_order_relaxed);
  asleep_.store(true, std::memory_order_relaxed);
  team_.sleepers_.fetch_add(1, std::memory_order_relaxed);
  // Against submit(), hurry() and stop(): they see us asleep, or we see their work. Where nobody stands guard this holds for call_for_help()
  // too, which is called too often for a fence of its own; a guard looks again.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (team_.count_ > 1 && team_.guards_.load(std::memory_order_relaxed) == 0) process_fence();
  const bool nothing_to_do = queue_.size_approx() == 0 && !team_.stopping() && next_expiry() >= limit && !is_needed();
  if (nothing_to_do && (!soundly || is_watched())) {
    if (const auto now = team_.core().env.time->now(); now < limit) {
      note_sleep(now);
      poller_->wait(limit == never ? duration::max() : limit - now, [this] {
        end_sleep(); // first: who looks for a worker to help this one with what has come would ring here
        note_sleep(never);
      });
      polled_ = true;
    }
  }
  end_sleep();
  asleep_until_.store(time_point::min(), std::memory_order_relaxed);
  // Against is_watched() of one that stops watching: it sees us awake, or hand_over_watch() sees that it has left.
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

/// Counts how long it sleeps: from `now` on, or, if that is never, until now.
void worker::note_sleep(time_point now) noexcept {
  if (now != never) return asleep_since_ns_.store(now.time_since_epoch() / 1ns, std::memory_order_relaxed);
  const auto since = asleep_since_ns_.exchange(0, std::memory_order_relaxed);
  const auto slept = team_.core().env.time->now().time_since_epoch() / 1ns - since;
  slept_ns_.store(slept_ns_.load(std::memory_order_relaxed) + slept, std::memory_order_relaxed);
}

worker_stats worker::stats() const noexcept {
  const auto since = asleep_since_ns_.load(std::memory_order_relaxed);
  auto slept = slept_ns_.load(std::memory_order_relaxed);
  if (since != 0) slept += team_.core().env.time->now().time_since_epoch() / 1ns - since;
  return {.turns = progress(),
          .steals = steals_.load(std::memory_order_relaxed),
          .queued = queue_.size_approx(),
          .asleep = since != 0,
          .slept = duration(slept)};
}

void worker::drop_jobs() noexcept {
  while (const job j = queue_.pop(true)) {
    if (j.is_foreign()) team_.core().caf->drop_job(j.foreign_job());
  }
}

worker_team::worker_team(std::size_t workers) : count_(workers) {}

worker_team::~worker_team() = default;

void worker_team::start(detail::runtime_core& core) {
  core_ = &core;
  const auto origin = core.env.time->now();
  for (std::size_t i = 0; i < count_; ++i) workers_.push_back(std::make_unique<worker>(*this, i, origin));
  if (count_ > 1) (void)has_process_fence(); // registers it while there are few threads, when that is fast
  for (auto& w : workers_) w->start();
}

void worker_team::stop() noexcept {
  stopping_.store(true, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst); // against sleep(): it sees the stop, or we see it asleep
  for (auto& w : workers_) w->wake();
  for (auto& w : workers_) w->join();
  while (submitting_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
  for (auto& w : workers_) w->drop_jobs();
}

void worker_team::requeue(detail::actor_cell& cell) noexcept {
  static_cast<worker*>(detail::this_turn.worker)->push_last(job(cell));
}

std::size_t worker_team::live_timers() noexcept {
  std::size_t n = 0;
  for (auto& w : workers_) n += w->size();
  return n;
}

void worker_team::submit_job(job j) {
  // Once it is queued the job may run and end the system: stop() waits for the rest of this call. The lock of the queue shows
  // the increment to who sees the job.
  submitting_.fetch_add(1, std::memory_order_relaxed);
  pick().submit(j);
  submitting_.fetch_sub(1, std::memory_order_release);
}

worker& worker_team::pick() noexcept {
  for (auto& w : workers_) {
    if (w->asleep()) return *w;
  }
  return *workers_[next_.fetch_add(1, std::memory_order_relaxed) % count_];
}

void worker_team::wake_one() noexcept {
  for (auto& w : workers_) {
    if (w->wake()) return; // else it is awake, or somebody else was faster, maybe with work for it
  }
}

} // namespace greenroom::internal

void greenroom::detail::requeue_in_order(actor_cell& cell) noexcept {
  if (this_turn.worker == nullptr) return requeue(cell); // another executor has one order for all
  static_cast<internal::worker*>(this_turn.worker)->push_behind(internal::job(cell));
}
