#include <greenroom/http/rate_limit.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <greenroom/http/internal/token_buckets.hpp>
#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::http::rate_limit_test {
namespace {

using namespace test;
using internal::token_buckets;

constexpr time_point start{24h};

// -- the buckets ------------------------------------------------------------------------------------------

TEST(TokenBuckets, GiveABurstAndThenATokenEachInterval) {
  token_buckets b(100ms, 3, 16);
  EXPECT_EQ(b.take("a", start).left, 2u);
  EXPECT_EQ(b.take("a", start).left, 1u);
  const auto last = b.take("a", start);
  EXPECT_TRUE(last.taken);
  EXPECT_EQ(last.left, 0u);
  EXPECT_EQ(last.full_in, 300ms);
  const auto none = b.take("a", start);
  EXPECT_FALSE(none.taken);
  EXPECT_EQ(none.wait, 100ms);
  EXPECT_FALSE(b.take("a", start + 100ms - 1ns).taken);
  EXPECT_TRUE(b.take("a", start + 100ms).taken) << "those that were refused have cost nothing";
  EXPECT_FALSE(b.take("a", start + 199ms).taken);
  EXPECT_EQ(b.take("a", start + 24h).left, 2u) << "it never holds more than its burst";
  EXPECT_TRUE(b.take("b", start).taken) << "each key has its own";
}

TEST(TokenBuckets, DoAsACountOfTokensWould) {
  std::mt19937 random(7);
  constexpr std::int64_t burst = 5;
  constexpr std::int64_t interval = 1'000;
  token_buckets b(duration(interval), burst, 1'000);
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> model; // tokens, in parts of an interval; and since when
  std::int64_t now = 0;
  for (int i = 0; i < 20'000; ++i) {
    now += static_cast<std::int64_t>(random() % 700);
    const std::string key(1, static_cast<char>('a' + random() % 4));
    auto& [parts, since] = model.try_emplace(key, burst * interval, now).first->second;
    parts = std::min(burst * interval, parts + now - since);
    since = now;
    const bool expected = parts >= interval;
    if (expected) parts -= interval;
    const auto got = b.take(key, start + duration(now));
    ASSERT_EQ(got.taken, expected) << i;
    ASSERT_EQ(got.left, static_cast<std::uint64_t>(parts / interval)) << i;
    ASSERT_EQ(got.full_in, duration(burst * interval - parts)) << i;
    ASSERT_EQ(got.wait, expected ? duration::zero() : duration(interval - parts)) << i;
  }
}

TEST(TokenBuckets, ForgetThoseThatWereUsedLeastLately) {
  token_buckets b(1h, 1, 16 * 4);
  EXPECT_TRUE(b.take("mine", start).taken);
  for (int i = 0; i < 10'000; ++i) {
    b.take(std::to_string(i), start);
    ASSERT_FALSE(b.take("mine", start).taken) << i; // used all the time
    ASSERT_LE(b.size(), 64u);
  }
  EXPECT_EQ(b.size(), 64u);
  EXPECT_TRUE(b.take("0", start).taken) << "forgotten";
}

TEST(TokenBuckets, GiveNoMoreToManyThreads) {
  token_buckets b(1h, 100, 1'024);
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) taken += b.take("k" + std::to_string(i % 10), start).taken ? 1 : 0;
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(taken, 1'000);
}

// -- who is who -------------------------------------------------------------------------------------------

TEST(PeerGroup, IsTheAddressOrTheNetworkOfACustomer) {
  EXPECT_EQ(peer_group("192.0.2.7:41234"), "192.0.2.7");
  EXPECT_EQ(peer_group("[2001:db8:1:2:3:4:5:6]:80"), "2001:db8:1:2::/64");
  EXPECT_EQ(peer_group("[2001:db8:1:2:ffff::1]:99"), "2001:db8:1:2::/64");
  EXPECT_NE(peer_group("[2001:db8:1:3::1]:80"), peer_group("[2001:db8:1:2::1]:80"));
  EXPECT_EQ(peer_group("[::1]:80"), "::/64");
  EXPECT_EQ(peer_group("[::ffff:192.0.2.7]:80"), "192.0.2.7");
  EXPECT_EQ(peer_group("[fe80::1%eth0]:80"), "fe80::/64");
  EXPECT_EQ(peer_group("[nonsense]:80"), "nonsense");
  EXPECT_EQ(peer_group("[::1"), "[::1");
  EXPECT_EQ(peer_group(""), "");
}

// -- the middleware ---------------------------------------------------------------------------------------

struct limited : rig {
  explicit limited(rate_limit_options how) {
    front.use(rate_limit(std::move(how))).get("/", [this] { return ++calls, text("hello"); });
    start();
  }
  int calls = 0;
};

TEST(RateLimit, RefusesWhatIsTooMuchUntilItsTimeHasCome) {
  limited r({.requests = 60, .period = 1min, .burst = 2});
  EXPECT_EQ(r.ask(get("/")).status, 200);
  EXPECT_EQ(r.ask(get("/")).status, 200);
  const auto refused = r.ask(get("/"));
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.field("Retry-After"), "1");
  EXPECT_EQ(refused.body, "too many requests; try again in 1 s\n");
  EXPECT_EQ(refused.field("RateLimit"), "none");
  EXPECT_EQ(r.ask(get("/nowhere")).status, 429) << "also without a route";
  EXPECT_EQ(r.calls, 2);
  r.advance(999ms);
  EXPECT_EQ(r.ask(get("/")).status, 429);
  r.advance(1ms);
  EXPECT_EQ(r.ask(get("/")).status, 200);
  EXPECT_EQ(r.ask(get("/")).status, 429);
}

TEST(RateLimit, SaysWhenToComeBackInWholeSecondsUp) {
  limited r({.requests = 2, .period = 5s, .burst = 1});
  EXPECT_EQ(r.ask(get("/")).status, 200);
  EXPECT_EQ(r.ask(get("/")).field("Retry-After"), "3") << "2.5 s";
  r.advance(2400ms);
  EXPECT_EQ(r.ask(get("/")).field("Retry-After"), "1");
}

TEST(RateLimit, TellsHowTheClientStandsIfAsked) {
  limited r({.requests = 3, .period = 30s, .fields = true});
  const auto first = r.ask(get("/"));
  EXPECT_EQ(first.field("RateLimit-Policy"), "\"default\";q=3;w=30");
  EXPECT_EQ(first.field("RateLimit"), "\"default\";r=2;t=10");
  r.ask(get("/"));
  r.ask(get("/"));
  EXPECT_EQ(r.ask(get("/")).field("RateLimit"), "\"default\";r=0;t=30");
}

TEST(RateLimit, CountsByWhatTheProgramSays) {
  limited r({.requests = 1, .key = [](const request& q) -> std::optional<std::string> {
               const auto user = q.header("X-User");
               if (!user) return std::nullopt;
               return std::string(*user);
             }});
  const auto by = [&r](const std::string& user) { return r.ask(get("/", "X-User: " + user + "\r\n")).status; };
  EXPECT_EQ(by("ann"), 200);
  EXPECT_EQ(by("ann"), 429);
  EXPECT_EQ(by("bob"), 200);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(r.ask(get("/")).status, 200) << "not counted";
  EXPECT_EQ(by(std::string(300, 'x')), 200);
  EXPECT_EQ(by(std::string(300, 'x') + "y"), 429) << "of a key 256 bytes count";
}

TEST(RateLimit, RefusesOptionsThatAreOutOfRange) {
  EXPECT_THROW(rate_limit({.requests = 0}), usage_error);
  EXPECT_THROW(rate_limit({.period = 0s}), usage_error);
  EXPECT_THROW(rate_limit({.period = -1s}), usage_error);
  EXPECT_THROW(rate_limit({.period = 25h}), usage_error);
  EXPECT_THROW(rate_limit({.requests = 11, .period = 10ns}), usage_error);
  EXPECT_THROW(rate_limit({.burst = 1'000'001}), usage_error);
  EXPECT_THROW(rate_limit({.keys = 15}), usage_error);
  EXPECT_THROW(rate_limit({.keys = 16'777'217}), usage_error);
  EXPECT_NO_THROW(rate_limit({.requests = 1, .period = 24h, .burst = 365}));
  EXPECT_THROW(rate_limit({.requests = 1, .period = 24h, .burst = 366}), usage_error);
}

} // namespace
} // namespace greenroom::http::rate_limit_test
