// Greenroom in a program whose loop is an io_context of Boost.Asio, on one thread: what the loop owns needs no lock.
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <greenroom/http/server.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/host_loop.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/timer.hpp>

namespace greenroom::asio_loop_test {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using boost::system::error_code;

host_loop seen_by_actors(asio::io_context& io) {
  return host_loop([&io](std::function<void()> work) { asio::post(io, std::move(work)); });
}

options quiet() {
  options o;
  o.workers = 2;
  o.log_level = "off";
  return o;
}

/// The host: all of it belongs to the loop's thread.
struct desk {
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> open = asio::make_work_guard(io);
  std::thread::id thread = std::this_thread::get_id();
  std::vector<std::string> notes{};
  void note(std::string what) {
    EXPECT_EQ(std::this_thread::get_id(), thread);
    notes.push_back(std::move(what));
  }
};

/// Prices what the loop sends, and has the desk note it.
task<> price(mailbox<int> orders, host_loop loop, desk* at) {
  while (const auto pieces = co_await orders.receive()) {
    std::string line = std::to_string(*pieces) + " cost " + std::to_string(*pieces * 3);
    auto noting = loop.call(&desk::note, at, std::move(line));
    const auto noted = co_await std::move(noting);
    EXPECT_TRUE(noted);
  }
  loop.post([at] { at->open.reset(); }); // no more to come: the loop may end
}

TEST(AsioLoop, CallbacksSendToActorsAndGetTheirResultsInTheLoop) {
  desk d;
  actor_system sys(quiet());
  auto [in, orders] = make_mailbox<int>(bounded(16));
  sys.spawn(price, std::move(in), seen_by_actors(d.io), &d);
  asio::steady_timer tick(d.io);
  int left = 3;
  std::function<void(error_code)> on_tick = [&, out = std::move(orders)](error_code problem) mutable {
    ASSERT_FALSE(problem);
    EXPECT_TRUE(out.try_send(left));
    if (--left == 0) {
      out = {};
      return;
    }
    tick.expires_after(1ms);
    tick.async_wait(std::ref(on_tick));
  };
  tick.expires_after(1ms);
  tick.async_wait(std::ref(on_tick));
  d.io.run();
  EXPECT_EQ(d.notes, (std::vector<std::string>{"3 cost 9", "2 cost 6", "1 cost 3"}));
}

task<http::response> read_note(http::request, host_loop loop, desk* at) {
  const auto last = co_await loop.call([at] { return at->notes.empty() ? std::string("none") : at->notes.back(); });
  co_return last ? http::text(*last) : http::text("the desk is closed\n", 503);
}

/// What an Asio client in the same loop gets.
std::string ask(asio::ip::tcp::socket& socket) {
  const std::string request = "GET /note HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n\r\n";
  asio::write(socket, asio::buffer(request));
  std::string answer;
  error_code end;
  asio::read(socket, asio::dynamic_buffer(answer), end);
  EXPECT_EQ(end, asio::error::eof);
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

TEST(AsioLoop, AFrontShowsWhatTheLoopOwnsAndIsStoppedFromTheLoop) {
  desk d;
  d.note("closed on Mondays");
  std::string got;
  bool stopped = false;
  {
    actor_system sys(quiet());
    http::server front(sys, {.port = 0});
    front.get("/note", read_note, seen_by_actors(d.io), &d);
    ASSERT_TRUE(front.start());
    // A client that blocks must not hold up the loop that answers it.
    std::thread client([&] {
      asio::io_context own;
      asio::ip::tcp::socket socket(own);
      socket.connect({asio::ip::make_address("127.0.0.1"), front.port()});
      got = ask(socket);
      asio::post(d.io, [&] {
        EXPECT_TRUE(front.stop().complete());
        stopped = sys.stop().complete();
        d.open.reset();
      });
    });
    d.io.run();
    client.join();
  }
  EXPECT_EQ(got, "closed on Mondays");
  EXPECT_TRUE(stopped);
}

TEST(AsioLoop, AStopFromTheLoopEndsActorsThatWaitForTheLoop) {
  desk d;
  actor_system sys(quiet());
  exit_reason why;
  const auto a = sys.spawn(
      [](host_loop loop) -> task<> {
        for (;;) (void)co_await loop.call([] {});
      },
      seen_by_actors(d.io));
  asio::post(d.io, [&] {
    // The loop stands here: nobody serves the actor's call, and the stop ends it all the same.
    EXPECT_TRUE(sys.stop(10s).complete());
    why = a.wait();
    d.open.reset();
  });
  d.io.run();
  EXPECT_EQ(why.kind(), exit_kind::cancelled);
}

TEST(AsioLoop, ALoopThatEndsFirstLeavesNoActorWaiting) {
  actor_system sys(quiet());
  actor waiting;
  {
    asio::io_context io{1};
    waiting = sys.spawn(
        [](host_loop loop) -> task<> {
          const auto got = co_await loop.call([] { return 1; });
          EXPECT_TRUE(!got && got.error().is(errc::no_reply));
        },
        seen_by_actors(io));
    while (sys.actors().empty() || sys.actors().front().waits_for != "receive") std::this_thread::yield();
  }
  EXPECT_TRUE(waiting.wait().normal());
}

} // namespace
} // namespace greenroom::asio_loop_test
