// acceptance quotes N: five HTTP services on loopback, one of them slow and one failing, are asked at once, N times in each of three ways: what has
// come by a deadline, the first price, the first three. Prints how late the answers by the deadline were, how soon the slow service saw that it had
// lost, and what is left of connections.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <greenroom/actors/gather.hpp>
#include <greenroom/http/client.hpp>
#include <greenroom/http/server.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/tools/acceptance/acceptance.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

namespace {

using clock_type = std::chrono::steady_clock;
constexpr auto deadline = 100ms;

double milliseconds(clock_type::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

// -- the services -----------------------------------------------------------------------------------------

/// What the slow service saw in a round.
struct slow_call {
  std::atomic<bool> begun{false};
  std::atomic<clock_type::rep> cancelled_at{0};
};

/// Notes when a request ends, which for one that waits for an hour is when it is cancelled.
task<http::response> slow(http::request r, std::deque<slow_call>* calls) {
  auto& mine = (*calls)[std::strtoul(r.query_value("round").value_or("0").c_str(), nullptr, 10)];
  mine.begun = true;
  try {
    co_await sleep_for(1h);
  } catch (const cancelled&) {
    mine.cancelled_at = clock_type::now().time_since_epoch().count();
    throw;
  }
  co_return http::text("too late");
}
task<http::response> price(std::chrono::milliseconds takes, int cents) {
  co_await sleep_for(takes);
  co_return http::text(std::to_string(cents));
}
http::response failing() { return http::text("out of order", 500); }

// -- who asks them ----------------------------------------------------------------------------------------

task<result<int>> fetch(http::client* web, std::string url) {
  auto asking = web->get(std::move(url));
  const auto got = co_await std::move(asking);
  if (!got) co_return got.error();
  if (got->status() != 200) co_return error(errc::upstream, std::string(got->body()));
  co_return std::atoi(std::string(got->body()).c_str());
}

std::vector<task<result<int>>> ask_all(http::client* web, const std::vector<std::string>& urls, std::size_t round) {
  std::vector<task<result<int>>> calls;
  for (const auto& url : urls) calls.push_back(fetch(web, url + "?round=" + std::to_string(round)));
  return calls;
}

/// Notes when the machine stood still: a thread that does nothing but sleep for a millisecond was late by more than five. What was asked then shows
/// nothing of us.
class standstills {
public:
  standstills() : watch_([this] { look(); }) {}
  standstills(const standstills&) = delete;
  standstills& operator=(const standstills&) = delete;
  ~standstills() {
    over_ = true;
    watch_.join();
  }
  bool since(clock_type::time_point begun) const { return last_.load() >= begun.time_since_epoch().count(); }

private:
  void look() {
    for (auto before = clock_type::now(); !over_;) {
      std::this_thread::sleep_for(1ms);
      const auto now = clock_type::now();
      if (now - before > 6ms) last_ = now.time_since_epoch().count();
      before = now;
    }
  }

  std::atomic<bool> over_{false};
  std::atomic<clock_type::rep> last_{0};
  std::thread watch_;
};

struct tally {
  std::vector<double> late;   // milliseconds behind the deadline
  std::vector<double> unwind; // milliseconds until the slow service saw the end
  std::size_t rounds = 0;     // by deadline, that count
  std::size_t prices = 0;     // of those
  std::size_t disturbed = 0;  // rounds that are left out
  std::size_t losers = 0;
  std::size_t cancelled = 0;
};

/// What asking once has shown.
struct outcome {
  clock_type::time_point over{}; // when what is not there is no longer wanted
  clock_type::time_point answered{};
  std::size_t prices = 0;
};
std::size_t prices_in(const result<std::vector<result<int>>>& got) {
  if (!got) return 0;
  return static_cast<std::size_t>(
      std::count_if(got->begin(), got->end(), [](const auto& each) { return each.has_value(); }));
}
task<outcome> ask_by_deadline(http::client* web, std::vector<std::string> urls, std::size_t round) {
  const auto due = clock_type::now() + deadline;
  auto asking = each_until(due, ask_all(web, urls, round));
  const auto got = co_await std::move(asking);
  outcome o;
  o.over = due;
  o.answered = clock_type::now();
  o.prices = prices_in(got);
  co_return o;
}
/// The others are over with the price that they waited for.
task<outcome> ask_first(http::client* web, std::vector<std::string> urls, std::size_t round) {
  auto asking = first(ask_all(web, urls, round));
  const auto got = co_await std::move(asking);
  outcome o;
  o.over = o.answered = clock_type::now();
  o.prices = got ? 1 : 0;
  co_return o;
}
task<outcome> ask_quorum(http::client* web, std::vector<std::string> urls, std::size_t round) {
  auto asking = quorum(3, ask_all(web, urls, round));
  const auto got = co_await std::move(asking);
  outcome o;
  o.over = o.answered = clock_type::now();
  o.prices = got ? got->size() : 0;
  co_return o;
}

task<> until_cancelled(const slow_call* c) {
  for (const auto end = clock_type::now() + 1s; c->cancelled_at == 0 && clock_type::now() < end;)
    co_await sleep_for(200us);
}

task<> ask_often(http::client* web, std::vector<std::string> urls, std::deque<slow_call>* calls, tally* seen) {
  const auto still = std::make_unique<standstills>();
  for (std::size_t round = 0; round < calls->size(); ++round) {
    const auto begun = clock_type::now();
    auto asking = round % 3 == 0   ? ask_by_deadline(web, urls, round)
                  : round % 3 == 1 ? ask_first(web, urls, round)
                                   : ask_quorum(web, urls, round);
    const auto got = co_await std::move(asking);
    const auto& slow_one = (*calls)[round];
    co_await until_cancelled(&slow_one);
    if (slow_one.begun) ++seen->losers; // else the others were so soon that it was never asked
    if (slow_one.cancelled_at != 0) ++seen->cancelled;
    co_await sleep_for(3ms); // so that the thread has noted what is just over
    if (still->since(begun)) {
      ++seen->disturbed;
      continue;
    }
    if (round % 3 == 0) {
      ++seen->rounds;
      seen->prices += got.prices;
      seen->late.push_back(milliseconds(got.answered - got.over));
    }
    if (slow_one.cancelled_at == 0) continue;
    const clock_type::time_point at{clock_type::duration(slow_one.cancelled_at.load())};
    seen->unwind.push_back(milliseconds(std::max(at - got.over, clock_type::duration::zero())));
  }
}

std::size_t open_files() {
  std::size_t n = 0;
  for (const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) n += each.exists() ? 1 : 0;
  return n;
}

double percentile(std::vector<double> of, double share) {
  if (of.empty()) return -1;
  std::sort(of.begin(), of.end());
  return of[static_cast<std::size_t>(share * static_cast<double>(of.size() - 1))];
}

/// Waits until nothing is under way.
template <class F>
void settle(F is_over) {
  for (const auto end = clock_type::now() + 5s; !is_over() && clock_type::now() < end;)
    std::this_thread::sleep_for(1ms);
}

} // namespace

int acceptance::quotes(long rounds) {
  options quiet;
  quiet.log_level = "error";
  actor_system serving(quiet);
  actor_system asking(quiet);
  std::deque<slow_call> calls(static_cast<std::size_t>(3 * rounds));
  std::deque<http::server> services;
  std::vector<std::string> urls;
  const auto start = [&](auto add) {
    auto& made = services.emplace_back(serving, http::server_options{.port = 0});
    add(made);
    made.start().value();
    urls.push_back(made.url() + "/quote");
  };
  start([](http::server& s) { s.get("/quote", price, 5ms, 101); });
  start([](http::server& s) { s.get("/quote", price, 10ms, 102); });
  start([](http::server& s) { s.get("/quote", price, 20ms, 103); });
  start([&calls](http::server& s) { s.get("/quote", slow, &calls); });
  start([](http::server& s) { s.get("/quote", failing); });

  tally seen;
  const auto sockets_before = open_files();
  http::client_stats last;
  {
    http::client web(asking, {.retries = 0});
    (void)asking.run(ask_often, &web, urls, &calls, &seen);
    settle([&] { return web.stats().open == web.stats().idle; });
    last = web.stats();
  } // with the client goes the actor that closes what is idle
  settle([&] { return asking.live_actors() == 0 && asking.live_timers() == 0; });
  const auto served = [&services] {
    std::uint64_t open = 0;
    for (const auto& each : services) open += each.stats().connections_open;
    return open;
  };
  settle([&] { return served() == 0; });
  std::printf(
      R"({"rounds":%zu,"disturbed":%zu,"prices":%zu,"late_ms_p50":%.3f,"late_ms_max":%.3f,"losers":%zu,"cancelled":%zu,)"
      R"("cancel_ms_p50":%.3f,"cancel_ms_max":%.3f,"in_use":%llu,"served":%llu,"sockets":%ld,"actors":%zu,"timers":%zu})"
      "\n",
      seen.rounds, seen.disturbed, seen.prices, percentile(seen.late, 0.5), percentile(seen.late, 1), seen.losers,
      seen.cancelled, percentile(seen.unwind, 0.5), percentile(seen.unwind, 1),
      static_cast<unsigned long long>(last.open - last.idle), static_cast<unsigned long long>(served()),
      static_cast<long>(open_files()) - static_cast<long>(sockets_before), asking.live_actors(), asking.live_timers());
  return 0;
}
