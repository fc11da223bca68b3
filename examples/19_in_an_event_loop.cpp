// Actors in a program that has an event loop already, as a window has: the loop never waits for an actor, no actor ever waits for a lock of the
// loop's, and what the loop owns is touched by its thread only. In Go: a goroutine that sends its result into the channel of the main loop.
//
// The loop below stands for any: greenroom/runtime/host_loop.hpp shows the line that is different for Asio and for Qt.
#include <condition_variable>
#include <deque>
#include <functional>
#include <iostream>
#include <mutex>
#include <string>
#include <utility>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/host_loop.hpp>
#include <greenroom/runtime/timer.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

// -- what the program was before ------------------------------------------------------------------------

class event_loop {
public:
  void post(std::function<void()> event) {
    const std::lock_guard guard(lock_);
    events_.push_back(std::move(event));
    more_.notify_one();
  }
  void run() {
    while (!quits_) next()();
  }
  void quit() { quits_ = true; }

private:
  std::function<void()> next() {
    std::unique_lock guard(lock_);
    more_.wait(guard, [this] { return !events_.empty(); });
    auto event = std::move(events_.front());
    events_.pop_front();
    return event;
  }

  std::mutex lock_;
  std::condition_variable more_;
  std::deque<std::function<void()>> events_;
  bool quits_ = false;
};

/// Only the loop touches it: no lock, no atomic.
struct window {
  int shown = 0;
  void show(const std::string& line) { std::cout << ++shown << ": " << line << '\n'; }
};

// -- actors ---------------------------------------------------------------------------------------------

/// A calculation that takes its time.
task<int> price(int pieces) {
  co_await sleep_for(1ms);
  co_return 3 * pieces;
}

/// Counts down, and has the window show it.
task<> count_down(int from, host_loop loop, window* on) {
  for (int n = from; n > 0; --n) {
    auto showing = loop.call(&window::show, on, std::to_string(n));
    (void)co_await std::move(showing);
  }
}

int main() {
  event_loop events;
  window win;
  actor_system sys; // its end comes before that of the loop
  const host_loop loop([&events](std::function<void()> work) { events.post(std::move(work)); });

  const auto done = [&](const result<void>& how) {
    win.show(how ? "done" : "failed");
    events.quit();
  };
  const auto show_price = [&](const result<int>& cents) {
    win.show("7 pieces cost " + std::to_string(cents.value_or(-1)));
    loop.start(sys, done, count_down, 3, loop, &win);
  };
  events.post([&] { // a button was pressed
    loop.start(sys, show_price, price, 7);
    win.show("asked");
  });
  events.run();
  return 0;
}
