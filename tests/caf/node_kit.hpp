// What the tests of nodes share: lines of the log that can be waited for, a published account, and lookups from outside of actors.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/internal/node_link.hpp>
#include <greenroom/actors/node.hpp>
#include <greenroom/runtime/actor_system.hpp>

namespace greenroom::node_test {

struct deposit {
  std::int64_t cents = 0;
  using reply = std::int64_t; // the balance
};
template <class Inspector>
bool inspect(Inspector& f, deposit& x) {
  return f.object(x).fields(f.field("cents", x.cents));
}

/// Keeps the lines of a log, for a test that waits for one.
class lines final : public spdlog::sinks::base_sink<std::mutex> {
public:
  /// Takes out the first line that holds the text, and those before it. Waits: blocks the thread until there is one.
  std::string await(std::string_view part) {
    std::unique_lock guard(lock_);
    for (std::size_t looked_at = 0;;) {
      for (; looked_at < all_.size(); ++looked_at) {
        if (all_[looked_at].find(part) == std::string::npos) continue;
        auto found = std::move(all_[looked_at]);
        all_.erase(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(looked_at) + 1);
        return found;
      }
      changed_.wait(guard);
    }
  }

private:
  void sink_it_(const spdlog::details::log_msg& line) override {
    const std::lock_guard guard(lock_);
    all_.emplace_back(line.payload.data(), line.payload.size());
    changed_.notify_all();
  }
  void flush_() override {}
  std::mutex lock_; // guards the following
  std::condition_variable changed_;
  std::vector<std::string> all_;
};

/// A system whose lines are kept.
struct kept_system {
  std::shared_ptr<lines> log = std::make_shared<lines>();
  actor_system sys{options{.workers = 2, .blocking_idle = std::chrono::milliseconds(20)},
                   environment{.log = use_logger(std::make_shared<spdlog::logger>("test", log))}};
};

inline task<> hold(mailbox<request<deposit>> in) {
  std::int64_t all = 0;
  while (auto r = co_await in.receive()) r->reply(all += r->message.cents);
}

template <class T>
task<result<address<T>>> look_up(node_peer at, std::string name, remote_options how) {
  auto looking = at.lookup<T>(std::move(name), how);
  co_return co_await std::move(looking);
}
template <class T>
result<address<T>> find(actor_system& sys, const node_peer& at, std::string name, remote_options how = {}) {
  return sys.run(look_up<T>, at, std::move(name), how);
}

/// Returns why the lookup of something at a node fails, as soon as that was tried; nothing if it does not.
template <class T>
std::string why_not_found(actor_system& sys, const node_peer& at, const std::string& name) {
  for (;;) {
    const auto to = find<T>(sys, at, name, {.limit = std::chrono::milliseconds(100)});
    EXPECT_FALSE(to);
    if (to) return {};
    std::string why(to.error().message());
    if (why.find("not tried yet") == std::string::npos) return why;
  }
}

/// Connects a link whose other end is the node at the port, and runs it for a user that says what no node does; `as->link` is the link.
template <class User>
task<std::string> join_as(User* as, std::uint16_t port, internal::link_settings how) {
  auto io = co_await this_actor::system().net().connect({"127.0.0.1", port});
  if (!io) co_return std::string(io.error().message());
  as->link = std::make_shared<internal::node_link>(*std::move(io), internal::wire_role::connects, how);
  auto running = internal::node_link::run(as->link, as);
  co_return co_await std::move(running);
}

inline task<result<std::int64_t>> pay_in(address<request<deposit>> to, std::int64_t cents) {
  const deposit d{cents};
  co_return co_await ask(to, d, std::chrono::seconds(60));
}

/// All that comes, until the mailbox is closed.
template <class T>
task<std::vector<T>> all_of(mailbox<T> from) {
  std::vector<T> all;
  while (auto one = co_await from.receive()) all.push_back(*std::move(one));
  co_return all;
}

} // namespace greenroom::node_test
