// The inside of a server: routes, counters, and the connections that are open.
// Thread safety: as noted. Lifetime: outlives its connections and request actors; ~server() waits for both.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <greenroom/http/internal/lateness.hpp>
#include <greenroom/http/internal/presence.hpp>
#include <greenroom/http/internal/route.hpp>
#include <greenroom/http/internal/router.hpp>
#include <greenroom/http/server.hpp>
#include <greenroom/runtime/detail/address_counts.hpp>
#include <greenroom/runtime/detail/spin_lock.hpp>
#include <greenroom/runtime/transport.hpp>

namespace greenroom::http::internal {

class connection;
class exchange;

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
  shed,
  handshake_failed,
  refused,
  cut_off,
  answered_2xx,
  answered_3xx,
  answered_4xx,
  answered_5xx
};
inline constexpr std::size_t event_count = 16;

/// A part of the connections, so that they do not all share a lock. Its context ends them, and the requests they serve.
struct alignas(64) lane {
  lane(cancellable_context c, duration queue_age) noexcept : ctx(std::move(c)), late(queue_age) {}

  const cancellable_context ctx;
  lateness late;
  greenroom::detail::spin_lock lock;
  connection* first = nullptr; // guarded by lock
};

/// The requests that have outlived their connections, so that a stop can kill those that do not end.
class orphan_list {
public:
  void add(exchange& x) noexcept;
  void remove(exchange& x) noexcept;
  void kill_all() noexcept;

private:
  greenroom::detail::spin_lock lock_;
  exchange* first_ = nullptr; // guarded by lock_
};

class server_core {
public:
  server_core(actor_system& system, server_options options);
  server_core(const server_core&) = delete;
  server_core& operator=(const server_core&) = delete;

  void add(detail::route_entry entry);
  void mount(std::string_view prefix, routes group);
  std::string openapi(const openapi_info& info) const;
  void use(middleware m);
  result<void> start();
  task<server_stop_report> stop(std::chrono::milliseconds limit);
  /// Ends what it can without an actor: for a system that refuses new ones. Waits: blocks the thread, up to `limit`.
  server_stop_report abandon(std::chrono::milliseconds limit);
  /// Ends it as abandon() does, but waits for nobody: whoever leaves last frees it.
  static void let_go(std::unique_ptr<server_core> core) noexcept;
  /// Returns whether nothing of the server is left, once a stop has begun.
  bool deserted() const noexcept { return present_ == 0; }

  /// Answers a request for whose path or method there is no route.
  static response without_route(const router::match& found, method m, std::string_view path);
  /// Returns the route that does so, if something is around it; else null.
  const route* fallback() const noexcept { return fallback_.get(); }

  void count(event what) noexcept;
  std::uint64_t counted(event what) const noexcept;
  server_stats stats() const noexcept;
  bool draining() const noexcept { return draining_.load(std::memory_order_relaxed); }
  /// Returns whether it stops, or has given notice of it.
  bool leaving() const noexcept { return leaving_.load(std::memory_order_relaxed); }
  void note_cut_off(cut_off_request what);
  /// Ends when a stop begins.
  const context& stopping() const noexcept { return stopping_.ctx; }
  /// Returns whether as many requests wait as may.
  bool overloaded() const noexcept { return waiting_.load(std::memory_order_relaxed) >= options.limits.in_flight; }

  // Constant once started.
  actor_system& system;
  const server_options options;
  router table;
  greenroom::detail::address_counts addresses;
  std::unique_ptr<listener> entrance;
  orphan_list orphans;

private:
  friend class presence;
  friend class waiting_request;

  static constexpr std::size_t lane_count = 16;
  struct alignas(64) share {
    std::array<std::atomic<std::uint64_t>, event_count> counts{};
  };
  static constexpr std::size_t share_count =
      lane_count + 1; // one for each of the first threads, which alone writes it, and one for all others

  static task<> accept_all(presence here);
  result<void> accept_next();
  void warn_of(const error& why);
  void take_in(std::unique_ptr<stream> client);
  void turn_away(stream& client, std::string why);
  void check_not_started(method m, std::string_view pattern) const;
  std::unique_ptr<route> make_route(detail::route_entry entry) const;
  void make_fallback();
  static response answer_without_route(request r, const server_core* self);
  task<> give_notice();
  void begin_stop() noexcept;
  void cancel_all() noexcept;
  server_stop_report report();
  void leave() noexcept;
  task<bool> deserted_within(std::chrono::milliseconds limit);

  std::vector<std::unique_ptr<route>> routes_;
  detail::middleware_list around_; // those that are added
  std::unique_ptr<const route> fallback_;
  std::size_t next_lane_ = 0; // owned by the acceptor, as is the following
  time_point last_warning_ = time_point::min();
  std::array<std::unique_ptr<lane>, lane_count> lanes_;
  std::array<share, share_count> shares_;
  std::atomic<bool> leaving_{false}; // never taken back, as is the following
  std::atomic<bool> draining_{false};
  greenroom::detail::spin_lock cut_off_lock_;
  std::vector<cut_off_request> cut_off_; // guarded by cut_off_lock_
  const cancellable_context stopping_;
  alignas(64) std::atomic<std::size_t> waiting_{0}; // requests that are not answered at once; those share nothing
  static constexpr std::size_t frees_itself = std::size_t{1}
                                              << 62; // set in present_: the last to leave frees the server
  std::atomic<std::size_t> present_{1}; // one is the server's own until a stop begins, so that zero is the end
  const cancellable_context deserted_;  // ends when present_ becomes zero
};

/// Counts a request that waits, for as long as this object lives. Thread safety: owner only.
class waiting_request {
public:
  explicit waiting_request(server_core& server) noexcept : server_(server) {
    server_.waiting_.fetch_add(1, std::memory_order_relaxed);
  }
  waiting_request(const waiting_request&) = delete;
  waiting_request& operator=(const waiting_request&) = delete;
  ~waiting_request() { server_.waiting_.fetch_sub(1, std::memory_order_relaxed); }

private:
  server_core& server_;
};

} // namespace greenroom::http::internal
