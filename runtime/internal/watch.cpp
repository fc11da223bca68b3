#include <greenroom/runtime/internal/watch.hpp>

#include <algorithm>
#include <exception>

#include <fmt/format.h>

#include <greenroom/runtime/internal/deadlock_search.hpp>
#include <greenroom/runtime/internal/recorder.hpp>
#include <greenroom/runtime/internal/runtime_core.hpp>
#include <greenroom/runtime/internal/worker.hpp>

namespace greenroom::internal {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// Younger waits are not worth a look: nearly all end by themselves.
constexpr auto least_age = 100ms;
// A search takes a hundredth of the time of one processor at most; above this size it would also take memory that the user counts.
constexpr int share_of_time = 100;
constexpr std::size_t most_actors = 50'000;
constexpr auto longest_sleep = 15s;
constexpr std::size_t most_told = 4; // actors of a deadlock whose last events are logged

void write_lines(const logger& log, log_level level, std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    log.write(level, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

milliseconds since(std::chrono::steady_clock::time_point then, std::chrono::steady_clock::time_point now) {
  return std::chrono::duration_cast<milliseconds>(now - then);
}

} // namespace

watch::watch(detail::runtime_core& core, worker_team& team)
    : core_(core),
      team_(team),
      stuck_limit_(core.opts.stuck_limit),
      check_interval_(core.opts.deadlock_check),
      posts_(team.workers()) {
  if (stuck_limit_ == 0ms && check_interval_ == 0ms) return;
  last_work_ = steady::now();
  thread_ = std::thread([this] { run(); });
}

watch::~watch() {
  {
    std::lock_guard guard(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void watch::wake() noexcept {
  std::lock_guard guard(mutex_);
  asleep_ = false;
  changed_.notify_all();
}

/// Returns how often to look: twice within the limit of a turn, and as often as deadlocks are looked for.
milliseconds watch::beat() const noexcept {
  auto shortest = milliseconds::max();
  if (stuck_limit_ != 0ms) shortest = std::min(shortest, std::max(stuck_limit_ / 2, 1ms));
  if (check_interval_ != 0ms) shortest = std::min(shortest, check_interval_);
  return shortest;
}

void watch::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (nothing_is_new()) sleep(lock);
    changed_.wait_for(lock, beat(), [this] { return stopping_; });
    if (stopping_) return;
    lock.unlock();
    try {
      look_around();
    } catch (const std::exception& e) { // no memory: another time
      core_.log.warn("the watch could not look: {}", e.what());
    }
    lock.lock();
  }
}

/// Sleeps until a worker has work, or for so long that somebody who is no worker may have made a deadlock, by dropping an address.
void watch::sleep(std::unique_lock<std::mutex>& lock) {
  asleep_ = true;
  std::atomic_thread_fence(std::memory_order_seq_cst); // against notice_work()
  if (workers_have_moved()) asleep_ = false;           // one had begun before it could see that we sleep
  const auto woken = [this] { return stopping_ || !asleep_; };
  if (check_interval_ != 0ms) {
    changed_.wait_for(lock, longest_sleep, woken);
  } else {
    changed_.wait(lock, woken);
  }
  asleep_ = false;
  last_work_ = steady::now();
  searches_since_ = 0;
}

void watch::look_around() {
  const auto now = steady::now();
  if (workers_have_moved()) {
    last_work_ = now;
    searches_since_ = 0;
  }
  look_at_workers();
  if (check_interval_ == 0ms || now < next_check_) return;
  look_for_deadlocks();
  if (now - last_work_ >= least_age) ++searches_since_;
}

/// Says whether a worker has done something since look_at_workers(), or is awake.
bool watch::workers_have_moved() const noexcept {
  for (std::size_t i = 0; i < posts_.size(); ++i) {
    const auto& w = team_.at(i);
    if (!w.asleep() || w.progress() != posts_[i].progress) return true;
  }
  return false;
}

/// Says whether all workers sleep and whatever could be found has been found: twice, when the youngest wait was old enough.
bool watch::nothing_is_new() const noexcept {
  return steady::now() - last_work_ >= least_age && (check_interval_ == 0ms || searches_since_ >= 2);
}

/// Finds workers that have been at the same job for too long.
void watch::look_at_workers() {
  const auto now = steady::now();
  for (std::size_t i = 0; i < posts_.size(); ++i) {
    auto& p = posts_[i];
    const auto& w = team_.at(i);
    const auto progress = w.progress();
    if (progress != p.progress || w.asleep()) {
      if (p.reported) report_return(p);
      std::lock_guard guard(mutex_);
      p = {progress, now, false, {}};
    } else if (!p.reported && stuck_limit_ != 0ms && now - p.since >= stuck_limit_) {
      const auto who = running_on(w);
      if (!who || w.progress() != progress) continue; // it has just returned, or it is none of ours
      const auto lasted = since(p.since, now);
      {
        std::lock_guard guard(mutex_);
        p.who = {*who, lasted};
        p.reported = true;
      }
      core_.log.warn(
          "actor {} '{}', spawned at {}, has kept its worker for {} ms at least: it computes or blocks, and nobody "
          "else runs there; use blocking(), or yield() now and then",
          who->id, who->name, who->spawned_at, lasted.count());
      tell_last_events(who->id, who->name);
    }
  }
}

void watch::tell_last_events(std::uint64_t id, const std::string& name) const {
  if (core_.flight == nullptr) return;
  if (const auto text = core_.flight->brief(id); !text.empty())
    core_.log.write(log_level::warn, "before that it " + text, id, name);
}

/// Returns the actor that has its turn there, if there is one. Takes the locks of the lists of living actors: mutex_ is not held, since one
/// who holds those may wake us.
std::optional<actor_info> watch::running_on(const worker& w) const {
  std::optional<actor_info> who;
  const auto* const running = w.running();
  core_.living.for_each([&](const detail::actor_cell& cell) {
    // One that waits has had its turn: what keeps the worker is a handler of a socket, or a job of CAF's.
    if (&cell == running && cell.waits_for.load() == detail::wait_kind::none) who = core_.describe(cell);
  });
  return who;
}

void watch::report_return(post& p) {
  core_.log.info("actor {} '{}' has returned to its worker after {} ms at least", p.who.actor.id, p.who.actor.name,
                 p.who.for_at_least.count());
}

std::vector<stuck_actor> watch::stuck() const {
  std::vector<stuck_actor> all;
  const auto now = steady::now();
  std::lock_guard guard(mutex_);
  for (const auto& p : posts_) {
    if (!p.reported) continue;
    all.push_back(p.who);
    all.back().for_at_least = since(p.since, now);
  }
  return all;
}

void watch::look_for_deadlocks() {
  const auto begin = steady::now();
  next_check_ = begin + check_interval_;
  if (core_.stopping()) return;
  if (const auto n = core_.living.count(); n > most_actors) {
    if (!std::exchange(told_of_size_, true)) {
      core_.log.info(
          "deadlocks are not looked for while there are more than {} actors ({} now); actor_system::deadlocks() does "
          "so at any time",
          most_actors, n);
    }
    return;
  }
  const auto report = find_deadlocks(core_, least_age);
  std::vector<signature> found;
  std::vector<signature> known;
  for (const auto& d : report.found) {
    signature s;
    for (const auto& a : d.actors) {
      if (a.in_knot) s.emplace_back(a.id, a.wait);
    }
    std::sort(s.begin(), s.end());
    const auto in = [&s](const auto& list) { return std::find(list.begin(), list.end(), s) != list.end(); };
    if (in(known_)) {
      known.push_back(s);
    } else if (in(suspected_)) { // it stands in two searches that follow each other
      write_lines(core_.log, d.until_deadline ? log_level::warn : log_level::error, d.to_string());
      for (std::size_t i = 0; i < std::min(d.actors.size(), most_told); ++i)
        tell_last_events(d.actors[i].id, d.actors[i].name);
      known.push_back(s);
    }
    found.push_back(std::move(s));
  }
  suspected_ = std::move(found);
  known_ = std::move(known);
  const auto end = steady::now();
  next_check_ = std::max(next_check_, end + share_of_time * (end - begin));
}

} // namespace greenroom::internal
