#include <greenroom/runtime/spawn.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::spawn_test {
namespace {

using namespace test;

// tools/check_rules.py forbids capturing coroutine lambdas, which dangle when they are called; spawn() keeps them.
using actor_body = task<>;

const std::string long_text = "a text too long for the string itself";

TEST(Spawn, KeepsACapturingLambdaAlive) {
  one_worker sys;
  std::string seen;
  const auto a = [&] {
    return sys.spawn([text = std::string(long_text), &seen]() -> actor_body {
      co_await settle();
      seen = text;
    });
  }();
  EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(seen, long_text);
}

TEST(Spawn, KeepsWhatReferenceParametersReferTo) {
  one_worker sys;
  std::string seen;
  const auto body = [](const std::string& text, std::string&& more, std::string* out) -> task<> {
    co_await settle();
    *out = text + more;
  };
  const auto a = sys.spawn(body, std::string(long_text), std::string("!"), &seen);
  EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(seen, long_text + "!");
}

TEST(Spawn, KeepsWhatViewParametersLookAt) {
  one_worker sys;
  std::string seen;
  const auto body = [](std::string_view text, std::string* out) -> task<> {
    co_await settle();
    *out = text;
  };
  const auto a = sys.spawn(body, std::string(long_text), &seen);
  EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(seen, long_text);
}

TEST(Spawn, ConvertsArgumentsToTheParameters) {
  one_worker sys;
  std::string seen;
  const auto body = [](std::string text, long number, std::string* out) -> task<> {
    co_await settle();
    *out = text + std::to_string(number);
  };
  const auto a = sys.spawn(body, "a literal ", 7, &seen);
  EXPECT_TRUE(a.wait().normal());
  EXPECT_EQ(seen, "a literal 7");
}

TEST(Spawn, MovesMoveOnlyArguments) {
  one_worker sys;
  int seen = 0;
  const auto by_value = [](std::unique_ptr<int> p, int* out) -> task<> {
    co_await settle();
    *out += *p;
  };
  const auto by_reference = [](std::unique_ptr<int>&& p, int* out) -> task<> {
    co_await settle();
    *out += *p;
  };
  EXPECT_TRUE(sys.spawn(by_value, std::make_unique<int>(3), &seen).wait().normal());
  EXPECT_TRUE(sys.spawn(by_reference, std::make_unique<int>(4), &seen).wait().normal());
  EXPECT_EQ(seen, 7);
}

struct adder {
  int base;
  task<> operator()(int n, int* out) {
    co_await settle();
    *out = base + n;
  }
  task<> member(int n, int* out) const {
    co_await settle();
    *out = base * n;
  }
};

TEST(Spawn, TakesFunctionObjectsMembersAndStdFunctions) {
  one_worker sys;
  int seen = 0;
  EXPECT_TRUE(sys.spawn(adder{10}, 1, &seen).wait().normal());
  EXPECT_EQ(seen, 11);
  EXPECT_TRUE(sys.spawn(&adder::member, adder{5}, 4, &seen).wait().normal());
  EXPECT_EQ(seen, 20);
  std::function<task<>(int*)> erased = [](int* out) -> task<> { co_return void(*out = 9); };
  EXPECT_TRUE(sys.spawn(erased, &seen).wait().normal());
  EXPECT_EQ(seen, 9);
}

TEST(Spawn, TakesAReferenceWrapperForWhatOutlivesTheActor) {
  one_worker sys;
  int seen = 0;
  const auto body = [](int& out) -> task<> { co_return void(out = 5); };
  EXPECT_TRUE(sys.spawn(body, std::ref(seen)).wait().normal());
  EXPECT_EQ(seen, 5);
}

/// Counts its living copies.
struct counted {
  explicit counted(std::atomic<int>* n) : alive(n) { ++*alive; }
  counted(const counted& other) : alive(other.alive) { ++*alive; }
  counted& operator=(const counted&) = delete;
  ~counted() { --*alive; }
  std::atomic<int>* alive;
};

TEST(Spawn, DestroysFunctionAndArgumentsBeforeTheEndIsKnown) {
  one_worker sys;
  std::atomic<int> alive = 0;
  const auto by_value = [](counted c) -> task<> {
    co_await settle();
    EXPECT_GE(*c.alive, 1);
  };
  const auto by_reference = [](const counted& c) -> task<> {
    co_await settle();
    EXPECT_GE(*c.alive, 1);
  };
  sys.spawn(by_value, counted(&alive)).wait();
  EXPECT_EQ(alive, 0);
  sys.spawn(by_reference, counted(&alive)).wait();
  EXPECT_EQ(alive, 0);
  const auto hang = [](const counted&) -> task<> { co_await sleep_until(never); };
  EXPECT_EQ(kill_in(sys, sys.spawn(hang, counted(&alive)), "sleep").kind(), exit_kind::killed);
  EXPECT_EQ(alive, 0);
}

TEST(Spawn, InAStoppedSystemGivesAnActorThatIsBornFinished) {
  one_worker sys;
  EXPECT_TRUE(sys.stop().complete());
  std::atomic<int> alive = 0;
  bool ran = false;
  const auto body = [](const counted&, bool* flag) -> task<> { co_return void(*flag = true); };
  const auto a = sys.spawn(body, counted(&alive), &ran);
  EXPECT_TRUE(a.finished());
  EXPECT_EQ(a.wait().why().code(), errc::stopped);
  EXPECT_EQ(a.wait().to_string(), "cancelled: spawn refused: the actor system 'test' is stopping");
  EXPECT_EQ(alive, 0);
  EXPECT_FALSE(ran);
  EXPECT_EQ(sys.live_actors(), 0u);
  const auto c = sys.context().with_cancel();
  EXPECT_TRUE(sys.spawn(spawn_options{.ctx = c.ctx}, settle).finished());
}

TEST(Spawn, FromAnActorThatIsBeingStoppedIsRefused) {
  one_worker sys;
  exit_reason of_child;
  const auto a = sys.spawn(
      [](exit_reason* out) -> task<> {
        try {
          co_await sleep_until(never);
        } catch (const cancelled&) {
          const auto child = spawn(settle);
          EXPECT_TRUE(child.finished());
        }
        *out = {exit_kind::failed, errc::failed};
      },
      &of_child);
  await_wait(sys, a, "sleep");
  EXPECT_TRUE(sys.stop().complete());
  EXPECT_FALSE(of_child.normal());
}

TEST(Spawn, ChildDoesNotEndWithItsParent) {
  one_worker sys;
  auto [in, out] = make_mailbox<int>(rendezvous());
  actor child;
  const auto parent = sys.spawn(
      [](mailbox<int> box, actor* c) -> task<> {
        *c = spawn([](mailbox<int> b) -> task<> { co_await b.receive(); }, box);
        co_await sleep_until(never);
      },
      in, &child);
  EXPECT_EQ(cancel_in(sys, parent, "sleep").kind(), exit_kind::cancelled);
  (void)sys.run(settle);
  EXPECT_FALSE(child.finished());
  out = {};
  EXPECT_TRUE(child.wait().normal());
}

} // namespace
} // namespace greenroom::spawn_test
