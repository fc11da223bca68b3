// The connections of a client: kept between requests, at most so many to one origin; who wants one more waits in line for a permit.
// No more are ever open than there are permits: a new one is made only by a holder of a permit that finds none kept.
// Thread safety: any thread; a lease owner only. Lifetime: counted; a lease keeps it. The actor system outlives it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/semaphore.hpp>
#include <greenroom/runtime/task.hpp>
#include <greenroom/runtime/transport.hpp>

namespace greenroom::http::internal {

struct pool_limits {
  std::size_t per_origin = 64;
  std::size_t idle = 256;
  duration idle_time = std::chrono::seconds(50);
};

struct pool_stats {
  std::uint64_t opened = 0;
  std::uint64_t reused = 0;
  std::uint64_t stale = 0;
  std::uint64_t open = 0;
  std::uint64_t idle = 0;
  std::uint64_t waiting = 0;
};

class connection_pool : public std::enable_shared_from_this<connection_pool> {
  struct place;
  class visit;

public:
  class lease;

  connection_pool(actor_system& system, const pool_limits& most) noexcept : system_(system), most_(most) {}

  /// Gives the right to one connection to an origin. Waits: suspends the actor until those who came before are served and fewer than the
  /// limit are in use. Cancellation: throws `cancelled`.
  static task<lease> enter(std::shared_ptr<connection_pool> pool, std::string origin);

  void close_idle() noexcept;
  /// Keeps no connection any more.
  void close() noexcept;
  pool_stats stats() const;

private:
  struct kept {
    std::unique_ptr<stream> io;
    place* at;
    time_point since;
  };
  using kept_list = std::list<kept>;
  using streams = std::vector<std::unique_ptr<stream>>; // that are to be closed once the lock is free

  static task<> close_expired(std::shared_ptr<connection_pool> pool);
  class sweep;

  std::shared_ptr<place> come(const std::string& origin);
  void go(const std::shared_ptr<place>& at) noexcept;
  std::unique_ptr<stream> take(place& at);
  void keep(place& at, std::unique_ptr<stream> io) noexcept;
  void drop_kept(place& at) noexcept;
  void count_opened() noexcept;
  void count_closed() noexcept;
  void count_waiting(int by) noexcept;
  std::unique_ptr<stream> remove_locked(kept_list::iterator which) noexcept;
  std::optional<time_point> next_expiry() noexcept;
  void start_sweeping() noexcept;

  actor_system& system_;
  const pool_limits most_;
  mutable std::mutex mutex_; // guards all that follows
  std::unordered_map<std::string, std::shared_ptr<place>> places_;
  kept_list idle_; // in the order of their return, which is that of their expiry
  pool_stats counts_;
  actor sweeper_; // closes what is kept too long; runs while something is kept
  bool sweeping_ = false;
  bool closed_ = false;
};

/// One origin, for as long as anybody uses it or something is kept.
struct connection_pool::place {
  place(std::string name, std::size_t limit) : origin(std::move(name)), permits(static_cast<std::int64_t>(limit)) {}
  const std::string origin;
  semaphore permits;
  std::deque<kept_list::iterator> idle; // the most recent last
  std::size_t users = 0;                // leases, and those who wait for one
};

/// Counts somebody as a user of a place.
class connection_pool::visit {
public:
  visit() noexcept = default;
  visit(std::shared_ptr<connection_pool> pool, const std::string& origin)
      : pool_(std::move(pool)), place_(pool_->come(origin)) {}
  visit(visit&&) noexcept = default;
  visit& operator=(visit&& other) noexcept {
    visit old(std::move(*this));
    pool_ = std::move(other.pool_);
    place_ = std::move(other.place_);
    return *this;
  }
  ~visit() {
    if (place_) pool_->go(place_);
  }
  connection_pool& pool() const noexcept { return *pool_; }
  place& at() const noexcept { return *place_; }

private:
  std::shared_ptr<connection_pool> pool_;
  std::shared_ptr<place> place_;
};

/// The right to one connection, and that connection. Its destructor closes the connection.
class connection_pool::lease {
public:
  lease() noexcept = default;
  lease(visit at, permit right) noexcept : at_(std::move(at)), permit_(std::move(right)) {}
  lease(lease&&) noexcept = default;
  lease& operator=(lease&& other) noexcept {
    close();
    permit_ = std::move(other.permit_); // before the visit, which keeps its semaphore
    at_ = std::move(other.at_);
    io_ = std::move(other.io_);
    return *this;
  }
  ~lease() { close(); }

  /// Takes over the connection that was used last; false if none is kept. Those that the server has closed are dropped. Waits: never.
  bool reuse();
  /// Takes over a new one.
  void open(std::unique_ptr<stream> io) noexcept;
  /// Closes the connection. The permit stays.
  void disconnect() noexcept;
  /// Closes the connection, and those that are kept for the origin: they are likely to be as dead. The permit stays.
  void distrust() noexcept;
  /// Leaves the connection to the next one, and gives the permit back.
  void give_back() noexcept;
  /// Closes the connection and gives the permit back.
  void close() noexcept;
  /// Requires: reuse() or open(), and none of the others since.
  stream& io() const noexcept { return *io_; }
  explicit operator bool() const noexcept { return io_ != nullptr; }

private:
  visit at_;
  permit permit_; // behind the visit, so that it goes first
  std::unique_ptr<stream> io_;
};

} // namespace greenroom::http::internal
