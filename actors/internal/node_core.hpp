// A node's inside: what it publishes, who has connected to it, and the nodes that it connects to.
// Thread safety: any thread, unless noted. Lifetime: counted; its actors end with its context.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <greenroom/actors/internal/node_session.hpp>
#include <greenroom/actors/node.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/context.hpp>
#include <greenroom/runtime/detail/address_counts.hpp>
#include <greenroom/runtime/tls.hpp>

namespace greenroom::internal {

class node_core : public std::enable_shared_from_this<node_core> {
public:
  node_core(actor_system& sys, node_setup options);

  result<void> start();
  void stop() noexcept;
  std::uint16_t port() const noexcept { return port_.load(); }

  /// Makes a connection to `at` and lives on it until it is lost; returns why. Errors: it was not made.
  static task<result<std::string>> attempt(std::shared_ptr<node_core> self, endpoint at,
                                           std::shared_ptr<node_session> session);
  /// Makes a session on a line of its own or, as often as it is lost, on the same again. Serving has no line: 0.
  std::shared_ptr<node_session> make_session(wire_role role, std::uint32_t line, session_owner* owner);
  std::uint32_t new_line() noexcept { return ++last_line_; }
  /// Notes who has connected; returns the session that was there on that line.
  std::shared_ptr<node_session> replace(const introduction& who, const std::shared_ptr<node_session>& by);

  actor_system& sys;
  const node_setup options;
  const std::shared_ptr<publications> offers;
  const std::uint64_t born; // what tells this life of the node from others
  const cancellable_context life;

private:
  static task<> accept(std::shared_ptr<node_core> self);
  static task<> serve(std::shared_ptr<node_core> self, std::unique_ptr<stream> io);
  static task<result<noted_connection>> connect(std::shared_ptr<node_core> self, endpoint at);
  static task<result<std::unique_ptr<stream>>> connect_raw(std::shared_ptr<node_core> self, endpoint at);
  result<tls_client> client_tls() const;
  /// When the files of the certificates were written last.
  std::filesystem::file_time_type certificates_written() const;
  /// Reads them again if they were written since, for those who connect from now on.
  static task<> renew(std::shared_ptr<node_core> self);
  /// A write may stand still for long, since a kernel asks for more only when it has got rid of a third of its buffer, which over a slow line
  /// takes its time.
  link_settings settings() const noexcept {
    return {options.heartbeat, options.detection, options.most_bytes, 15 * options.detection};
  }

  void forget(const introduction& who, const std::shared_ptr<node_session>& session);
  /// Counts a connection in, among the strangers of its host; or returns why it must not be taken.
  result<void> came(const std::string& host);
  /// Logs what strangers can cause: ten lines a second at most, and how many more there were.
  void warn(const std::string& what);

  using line_key = std::tuple<std::string, std::uint64_t, std::uint32_t>;

  std::atomic<std::uint32_t> last_line_{0};
  std::atomic<std::uint32_t> taken_in_{0};                // connections; counted up by accept() alone
  greenroom::detail::address_counts strangers_;           // those of them that have not said yet who they are
  std::mutex lock_;                                       // guards the following
  std::map<line_key, std::weak_ptr<node_session>> lines_; // of those that have connected
  std::uint32_t warned_ = 0;                              // lines of warn() in this second
  std::uint64_t kept_back_ = 0;                           // and those that were not logged
  time_point second_{};                                   // when it began
  std::unique_ptr<listener> entrance_;                    // set by start()
  std::atomic<std::uint16_t> port_{0};
  std::optional<tls_server> tls_in_;
  std::atomic<std::filesystem::file_time_type> tls_written_{}; // the state of the files that tls_in_ has
};

/// A node that this one connects to, again and again.
class peer_core final : public session_owner, public std::enable_shared_from_this<peer_core> {
public:
  /// `name`: who is expected there; empty: whoever it is.
  peer_core(std::shared_ptr<node_core> of, endpoint at, std::string name);

  /// Begins to connect.
  void start();

  std::shared_ptr<detail::outflow> begin(std::string name, detail::flow_types types, bool waits);
  void forget(const std::shared_ptr<detail::outflow>& flow);
  mailbox<node_down> monitor();
  link_state state() const;
  /// Returns why a lookup was not answered within `limit`.
  error why_not(std::chrono::milliseconds limit) const;
  void close() noexcept { life_.cancel({errc::closed, "it was closed"}); }
  actor_system& sys() const noexcept { return of_->sys; }

private:
  /// Runs as long as the peer is wanted.
  static task<> keep(std::shared_ptr<peer_core> self);
  result<std::shared_ptr<node_session>> met(const introduction& who) override;
  void lost(const std::string& why);
  void end() noexcept;
  error closed_here() const;

  const std::shared_ptr<node_core> of_;
  const endpoint at_;
  const std::string expected_; // or empty
  const std::uint32_t line_;
  const cancellable_context life_;
  mutable std::mutex lock_; // guards the following
  std::string name_;        // its address until it was up
  std::string why_ = "it was not tried yet";
  bool up_ = false;
  bool over_ = false;                     // it will not be tried again
  std::shared_ptr<node_session> session_; // the latest
  std::uint32_t next_stream_ = 1;
  std::map<std::uint32_t, std::weak_ptr<detail::outflow>> flows_; // to be opened whenever it is up
  std::vector<address<node_down>> monitors_;
  std::size_t look_at_ = 16; // so many monitors, and those that are gone are let go of
};

} // namespace greenroom::internal
