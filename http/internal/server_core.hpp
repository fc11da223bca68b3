// The inside of a server: routes, counters, and the connections that are open.
// Thread safety: as noted. Lifetime: outlives its connections and request actors; ~server() waits for both.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include <greenroom/http/internal/presence.hpp>
#include <greenroom/http/internal/route.hpp>
#include <greenroom/http/internal/router.hpp>
#include <greenroom/http/server.hpp>
#include <greenroom/runtime/detail/spin_lock.hpp>
#include <greenroom/runtime/transport.hpp>

namespace greenroom::http::internal {

class connection;

/// What is counted; the order is that of server_core::stats().
enum class event : std::uint8_t {
  accepted,
  closed,
  turned_away,
  started,
  ended,
  timed_out,
  abandoned,
  failed,
  refused,
  answered_2xx,
  answered_3xx,
  answered_4xx,
  answered_5xx
};
inline constexpr std::size_t event_count = 13;

/// A part of the connections, so that they do not all share a lock. Its context ends them, and the requests they serve.
struct alignas(64) lane {
  explicit lane(cancellable_context c) noexcept : ctx(std::move(c)) {}

  const cancellable_context ctx;
  greenroom::detail::spin_lock lock;
  connection* first = nullptr; // guarded by lock
};

class server_core {
public:
  server_core(actor_system& system, server_options options);
  server_core(const server_core&) = delete;
  server_core& operator=(const server_core&) = delete;

  void add(method m, std::string_view pattern, handler h);
  result<void> start();
  task<server_stop_report> stop(std::chrono::milliseconds limit);
  /// Ends what it can without an actor: for a system that refuses new ones. Waits: blocks the thread.
  void abandon() noexcept;

  void count(event what) noexcept;
  std::uint64_t counted(event what) const noexcept;
  server_stats stats() const noexcept;
  bool draining() const noexcept { return draining_.load(std::memory_order_relaxed); }

  // Constant once started.
  actor_system& system;
  const server_options options;
  internal::router router;
  std::unique_ptr<listener> entrance;

private:
  friend class presence;

  static constexpr std::size_t lane_count = 16;
  struct alignas(64) share {
    std::array<std::atomic<std::uint64_t>, event_count> counts{};
  };

  static task<> accept_all(presence here);
  void turn_away(stream& client);
  void begin_stop() noexcept;
  void cancel_all() noexcept;
  void leave() noexcept;
  bool deserted() const noexcept { return present_ == 0; }
  task<bool> deserted_within(std::chrono::milliseconds limit);

  std::vector<std::unique_ptr<route>> routes_;
  std::array<std::unique_ptr<lane>, lane_count> lanes_;
  std::array<share, lane_count> shares_;
  std::atomic<bool> draining_{false};   // never taken back
  std::atomic<std::size_t> present_{1}; // one is the server's own until a stop begins, so that zero is the end
  const cancellable_context deserted_;  // ends when present_ becomes zero
};

} // namespace greenroom::http::internal
