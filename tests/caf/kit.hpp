// What the CAF tests share: a system in each of its two modes, signals instead of sleeps, and a server to talk to.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

#include <caf/all.hpp>
#include <gtest/gtest.h>

#include <greenroom/runtime/caf.hpp>
#include <greenroom/tests/caf/talk.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::test {

using namespace std::chrono_literals;

/// Far more than any step takes; only a test that hangs waits for it.
inline constexpr auto patience = 60s;

/// Happens once, on any thread. The one who waited may destroy it at once.
class event {
public:
  void set() {
    const auto state = state_;
    std::lock_guard guard(state->lock);
    state->happened = true;
    state->changed.notify_all();
  }
  bool wait() {
    std::unique_lock guard(state_->lock);
    return state_->changed.wait_for(guard, patience, [this] { return state_->happened; });
  }

private:
  struct shared {
    std::mutex lock;
    std::condition_variable changed;
    bool happened = false; // guarded by lock
  };
  const std::shared_ptr<shared> state_ = std::make_shared<shared>();
};

/// Stands in a coroutine's frame and tells of its end.
struct frame_guard {
  explicit frame_guard(event* g) : gone(g) {}
  frame_guard(const frame_guard&) = delete;
  frame_guard& operator=(const frame_guard&) = delete;
  ~frame_guard() {
    if (gone != nullptr) gone->set();
  }
  event* gone;
};

enum class mode { own, attached };

inline std::string name_of(const testing::TestParamInfo<mode>& info) {
  return info.param == mode::own ? "Own" : "Attached";
}

/// A Greenroom system with the CAF system that its actors live in.
class world {
public:
  explicit world(mode m = mode::own) {
    if (m == mode::attached) {
      internal::use_threads_of_caf(config_, 2);
      host_ = std::make_unique<caf::actor_system>(config_);
    }
    own_ = std::make_unique<actor_system>(quiet(), host_ ? in_caf_system(*host_) : environment{});
  }
  actor_system& sys() { return *own_; }
  caf::actor_system& caf() { return caf_system(*own_); }
  caf_counters counters() { return caf_counters_of(*own_); }

private:
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> host_;
  std::unique_ptr<actor_system> own_;
};

using number = std::int64_t;
using number_request = caf_request<number, number>;

/// Answers n with n + 1. Ends at 0; fails at a negative number; forgets 1000; refuses 2000.
inline task<> server(event* ready, event* gone) {
  const frame_guard guard(gone);
  auto [in, out] = make_mailbox<number_request>(bounded(64));
  caf_accept(out);
  ready->set();
  while (auto request = co_await in.receive()) {
    const auto n = request->message;
    if (n < 0) throw std::runtime_error("a negative number");
    if (n == 1000) continue;
    if (n == 2000) {
      request->fail({errc::limit, "too much"});
      continue;
    }
    request->reply(n + 1);
    if (n == 0) co_return;
  }
}

struct running_server {
  explicit running_server(world& w) : who(w.sys().spawn(server, &ready, &gone)) {
    EXPECT_TRUE(ready.wait());
    handle = caf_handle(who);
  }
  running_server(const running_server&) = delete;
  running_server& operator=(const running_server&) = delete;
  ~running_server() {
    who.kill();
    (void)who.wait();
  }
  event ready;
  event gone;
  actor who;
  caf::actor handle;
};

/// Waits until it is cancelled.
inline task<> park(event* ready, event* gone) {
  const frame_guard guard(gone);
  ready->set();
  mailbox<int> nothing_comes(bounded(1));
  (void)co_await nothing_comes.receive();
}

/// The answer to one request of CAF, or the error.
struct answer {
  number value = 0;
  caf::error why;
  explicit operator bool() const { return !why; }
};
template <class Handle, class... Args>
answer ask(caf::scoped_actor& self, const Handle& to, Args... args) {
  answer got;
  request(self, to, args...)
      .receive([&](number n) { got.value = n; }, [&](caf::error& why) { got.why = std::move(why); });
  return got;
}

/// The next down message for `self`.
inline caf::down_msg next_down(caf::scoped_actor& self) {
  caf::down_msg got;
  self->receive([&](caf::down_msg& down) { got = std::move(down); });
  return got;
}

} // namespace greenroom::test
