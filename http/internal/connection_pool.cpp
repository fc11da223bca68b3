#include <greenroom/http/internal/connection_pool.hpp>

#include <array>
#include <utility>

#include <greenroom/runtime/timer.hpp>

namespace greenroom::http::internal {
namespace {

/// Says whether the server has neither closed a connection nor sent what nobody asked for.
bool is_quiet(stream& io) {
  std::array<std::byte, 1> surplus;
  const auto got = io.try_read(surplus);
  return !got && got.error().is(errc::empty);
}

} // namespace

task<connection_pool::lease> connection_pool::enter(std::shared_ptr<connection_pool> pool, std::string origin) {
  visit here(pool, origin);
  struct waiting {
    explicit waiting(connection_pool& p) noexcept : in(p) { in.count_waiting(1); }
    waiting(const waiting&) = delete;
    waiting& operator=(const waiting&) = delete;
    ~waiting() { in.count_waiting(-1); }
    connection_pool& in;
  };
  permit right;
  if (auto free = here.at().permits.try_acquire()) {
    right = std::move(*free);
  } else {
    const waiting counted(*pool);
    right = co_await here.at().permits.acquire();
  }
  co_return lease(std::move(here), std::move(right));
}

// -- places -----------------------------------------------------------------------------------------------

std::shared_ptr<connection_pool::place> connection_pool::come(const std::string& origin) {
  std::lock_guard guard(mutex_);
  auto& at = places_[origin];
  if (!at) at = std::make_shared<place>(origin, most_.per_origin);
  ++at->users;
  return at;
}

void connection_pool::go(const std::shared_ptr<place>& at) noexcept {
  std::lock_guard guard(mutex_);
  if (--at->users == 0 && at->idle.empty()) places_.erase(at->origin);
}

// -- what is kept -----------------------------------------------------------------------------------------

/// Takes one that is kept out of the lists; its place stays if somebody uses it or keeps more.
std::unique_ptr<stream> connection_pool::remove_locked(kept_list::iterator which) noexcept {
  auto& at = *which->at;
  if (at.idle.front() == which) {
    at.idle.pop_front();
  } else { // the most recent one: in between none is ever taken
    at.idle.pop_back();
  }
  auto io = std::move(which->io);
  idle_.erase(which);
  if (at.users == 0 && at.idle.empty()) places_.erase(at.origin);
  return io;
}

/// Requires: the caller visits `at`.
std::unique_ptr<stream> connection_pool::take(place& at) {
  for (;;) {
    std::unique_ptr<stream> io;
    bool expired = false;
    {
      std::lock_guard guard(mutex_);
      if (at.idle.empty()) return nullptr;
      const auto which = at.idle.back();
      expired = system_.now() - which->since >= most_.idle_time;
      io = remove_locked(which);
    }
    const bool quiet = !expired && is_quiet(*io);
    std::lock_guard guard(mutex_);
    if (quiet) return ++counts_.reused, std::move(io);
    --counts_.open;
    if (!expired) ++counts_.stale;
  }
}

void connection_pool::keep(place& at, std::unique_ptr<stream> io) noexcept {
  std::unique_ptr<stream> surplus;
  bool start = false;
  {
    std::lock_guard guard(mutex_);
    if (closed_ || most_.idle == 0) {
      surplus = std::move(io);
    } else {
      if (idle_.size() == most_.idle) surplus = remove_locked(idle_.begin());
      idle_.push_back({std::move(io), &at, system_.now()});
      at.idle.push_back(std::prev(idle_.end()));
      start = !std::exchange(sweeping_, true);
    }
    if (surplus) --counts_.open;
  }
  if (start) start_sweeping();
}

void connection_pool::drop_kept(place& at) noexcept {
  streams dropped;
  std::lock_guard guard(mutex_);
  while (!at.idle.empty()) {
    dropped.push_back(remove_locked(at.idle.back()));
    --counts_.open;
    ++counts_.stale;
  }
}

void connection_pool::close_idle() noexcept {
  kept_list dropped;
  std::lock_guard guard(mutex_);
  counts_.open -= idle_.size();
  for (auto& each : idle_) each.at->idle.clear();
  dropped.swap(idle_);
  std::erase_if(places_, [](const auto& each) { return each.second->users == 0; });
}

void connection_pool::close() noexcept {
  actor sweeper;
  {
    std::lock_guard guard(mutex_);
    closed_ = true;
    sweeper = sweeper_;
  }
  close_idle();
  if (sweeper) sweeper.cancel();
}

// -- expiry -----------------------------------------------------------------------------------------------

/// Whatever ends the sweeper, another one can be started after it.
class connection_pool::sweep {
public:
  explicit sweep(connection_pool& pool) noexcept : pool_(&pool) {}
  sweep(const sweep&) = delete;
  sweep& operator=(const sweep&) = delete;
  ~sweep() {
    if (pool_ == nullptr) return;
    std::lock_guard guard(pool_->mutex_);
    pool_->sweeping_ = false;
  }
  /// The pool has noted the end itself, under the lock under which it saw that nothing is kept.
  void done() noexcept { pool_ = nullptr; }

private:
  connection_pool* pool_;
};

task<> connection_pool::close_expired(std::shared_ptr<connection_pool> pool) {
  sweep here(*pool);
  for (;;) {
    const auto next = pool->next_expiry();
    if (!next) {
      here.done();
      co_return;
    }
    co_await sleep_until(*next);
  }
}

/// Closes what has expired. Returns when the next one will; nothing if none is kept, and sweeping has then ended.
std::optional<time_point> connection_pool::next_expiry() noexcept {
  streams expired; // closed behind the lock
  std::lock_guard guard(mutex_);
  const auto now = system_.now();
  while (!idle_.empty()) {
    const auto due = saturating_add(idle_.front().since, most_.idle_time);
    if (due > now) return due;
    expired.push_back(remove_locked(idle_.begin()));
    --counts_.open;
  }
  sweeping_ = false;
  return std::nullopt;
}

void connection_pool::start_sweeping() noexcept {
  try {
    auto started = system_.spawn({.name = "http client"}, close_expired, shared_from_this());
    std::lock_guard guard(mutex_);
    sweeper_ = std::move(started);
    if (closed_) sweeper_.cancel();
  } catch (...) { // out of memory: the next one that is kept tries again
    std::lock_guard guard(mutex_);
    sweeping_ = false;
  }
}

// -- counts -----------------------------------------------------------------------------------------------

void connection_pool::count_opened() noexcept {
  std::lock_guard guard(mutex_);
  ++counts_.opened;
  ++counts_.open;
}
void connection_pool::count_closed() noexcept {
  std::lock_guard guard(mutex_);
  --counts_.open;
}
void connection_pool::count_waiting(int by) noexcept {
  std::lock_guard guard(mutex_);
  counts_.waiting += static_cast<std::uint64_t>(by); // modulo 2^64: -1 takes one off
}

pool_stats connection_pool::stats() const {
  std::lock_guard guard(mutex_);
  auto now = counts_;
  now.idle = idle_.size();
  return now;
}

// -- leases -----------------------------------------------------------------------------------------------

bool connection_pool::lease::reuse() {
  io_ = at_.pool().take(at_.at());
  return io_ != nullptr;
}

void connection_pool::lease::open(std::unique_ptr<stream> io) noexcept {
  io_ = std::move(io);
  at_.pool().count_opened();
}

void connection_pool::lease::disconnect() noexcept {
  if (io_) at_.pool().count_closed();
  io_.reset();
}

void connection_pool::lease::distrust() noexcept {
  disconnect();
  at_.pool().drop_kept(at_.at());
}

void connection_pool::lease::give_back() noexcept {
  if (io_) at_.pool().keep(at_.at(), std::move(io_)); // before the permit goes: who gets that looks here first
  permit_.release();
}

void connection_pool::lease::close() noexcept {
  disconnect();
  permit_.release();
}

} // namespace greenroom::http::internal
