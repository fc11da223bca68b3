// The event loop of a CAF system that has no sockets: nothing waits in it, so it needs no thread, and whoever has something for its brokers runs them. A message
// then goes from the bytes that were read to the actor that takes it without a change of threads. It runs the few other actors of such a system, too, whose scheduler is CAF's test_coordinator,
// the one that has no threads. So a connection between nodes costs neither threads nor descriptors of CAF's.
// Thread safety: any thread. Lifetime: its CAF system's.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/expected.hpp>
#include <caf/intrusive_ptr.hpp>
#include <caf/io/datagram_servant.hpp>
#include <caf/io/doorman.hpp>
#include <caf/io/network/multiplexer.hpp>
#include <caf/io/scribe.hpp>
#include <caf/logger.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/sec.hpp>

namespace greenroom::internal {

class driven_multiplexer final : public caf::io::network::multiplexer {
public:
  explicit driven_multiplexer(caf::actor_system* sys) : multiplexer(sys) {}

  /// Runs what is there and what that gives, unless another thread is about it: then that one does. CAF's actors run on one thread at a time.
  void drive() {
    std::unique_lock guard(lock_);
    if (std::exchange(driven_, true)) return;
    std::vector<work> now;
    for (bool more = true; more;) {
      now.swap(waiting_);
      guard.unlock();
      for (auto& each : now) run(std::move(each));
      now.clear();
      more = static_cast<caf::scheduler::test_coordinator&>(system().scheduler()).run() != 0;
      // An actor that spawns another has this thread count on the system's logger, which the end of the system waits for.
      caf::logger::set_current_actor_system(nullptr);
      guard.lock();
      more = more || !waiting_.empty();
    }
    driven_ = false;
    idle_.notify_all();
  }
  /// drive(), and waits until nobody is about it.
  void settle() {
    drive();
    std::unique_lock guard(lock_);
    idle_.wait(guard, [this] { return !driven_; });
  }

  // By who drives, or who makes or ends the system or a handle of one of its actors.
  void exec_later(caf::resumable* what) override {
    const auto kind = what->subtype();
    if (kind != caf::resumable::io_actor && kind != caf::resumable::function_object)
      return system().scheduler().enqueue(what);
    const std::lock_guard guard(lock_);
    waiting_.emplace_back(what, false); // it was counted for this
  }
  bool try_run_once() override {
    settle();
    return false;
  }
  void run_once() override { settle(); }
  void run() override { settle(); }
  supervisor_ptr make_supervisor() override { return nullptr; } // no thread

  caf::io::scribe_ptr new_scribe(caf::io::network::native_socket) override { return nullptr; }
  caf::expected<caf::io::scribe_ptr> new_tcp_scribe(const std::string&, std::uint16_t) override { return none(); }
  caf::io::doorman_ptr new_doorman(caf::io::network::native_socket) override { return nullptr; }
  caf::expected<caf::io::doorman_ptr> new_tcp_doorman(std::uint16_t, const char*, bool) override { return none(); }
  caf::io::datagram_servant_ptr new_datagram_servant(caf::io::network::native_socket) override { return nullptr; }
  caf::io::datagram_servant_ptr new_datagram_servant_for_endpoint(caf::io::network::native_socket,
                                                                  const caf::io::network::ip_endpoint&) override {
    return nullptr;
  }
  caf::expected<caf::io::datagram_servant_ptr> new_remote_udp_endpoint(const std::string&, std::uint16_t) override {
    return none();
  }
  caf::expected<caf::io::datagram_servant_ptr> new_local_udp_endpoint(std::uint16_t, const char*, bool) override {
    return none();
  }

private:
  using work = caf::intrusive_ptr<caf::resumable>;

  static caf::error none() { return caf::make_error(caf::sec::cannot_open_port, "it has no sockets"); }

  void run(work what) {
    switch (what->resume(this, most_messages)) {
    case caf::resumable::resume_later: {
      const std::lock_guard guard(lock_);
      waiting_.push_back(std::move(what));
      return;
    }
    case caf::resumable::shutdown_execution_unit: what.release(); return; // not counted
    default: return;
    }
  }

  static constexpr std::size_t most_messages = 300; // of an actor at once; then others have their turn

  std::mutex lock_; // guards the following
  std::vector<work> waiting_;
  bool driven_ = false;
  std::condition_variable idle_;
};

} // namespace greenroom::internal
