#include <greenroom/http/idempotency.hpp>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <greenroom/http/body.hpp>
#include <greenroom/http/internal/answer_store.hpp>
#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::http::idempotency_test {
namespace {

using namespace test;
using internal::answer_store;
using internal::fingerprint;
using state = answer_store::state;

constexpr time_point start{24h};

// -- the store --------------------------------------------------------------------------------------------

fingerprint print_of(const std::vector<std::string>& texts) {
  fingerprint f;
  for (const auto& each : texts) f.add(each);
  return f;
}

TEST(Fingerprint, DiffersWhereTextsDo) {
  EXPECT_EQ(print_of({"a", "b"}), print_of({"a", "b"}));
  const std::vector<std::vector<std::string>> all{{},
                                                  {""},
                                                  {"", ""},
                                                  {"a"},
                                                  {"a", ""},
                                                  {"", "a"},
                                                  {"ab"},
                                                  {"a", "b"},
                                                  {"b", "a"},
                                                  {"abcdefgh"},
                                                  {"abcdefg", "h"},
                                                  {"abcdefghi"},
                                                  {"\0"},
                                                  {std::string(1, '\0')},
                                                  {std::string(8, '\0')},
                                                  {std::string(9, '\0')},
                                                  {std::string(16, '\0')}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      EXPECT_EQ(print_of(all[i]) == print_of(all[k]), all[i] == all[k]) << i << ' ' << k;
    }
  }
  for (int bit = 0; bit < 1'000 * 8; ++bit) {
    std::string text(1'000, 'x');
    text[static_cast<std::size_t>(bit) / 8] ^= static_cast<char>(1 << bit % 8);
    ASSERT_NE(print_of({text}), print_of({std::string(1'000, 'x')})) << bit;
  }
}

TEST(AnswerStore, GivesAnAnswerAgainUntilItIsOld) {
  answer_store s({.age = 1h, .answers = 10, .bytes = 65'536});
  const auto mine = print_of({"1"});
  EXPECT_EQ(s.take("k", mine, start).is, state::taken);
  EXPECT_EQ(s.take("k", mine, start).is, state::under_way);
  EXPECT_EQ(s.take("k", print_of({"2"}), start).is, state::mistaken);
  s.keep("k", text("done"), start);
  const auto again = s.take("k", mine, start + 1h);
  EXPECT_EQ(again.is, state::answered);
  EXPECT_EQ(again.answer->body(), "done");
  EXPECT_EQ(s.take("k", print_of({"2"}), start).is, state::mistaken);
  EXPECT_EQ(s.take("k", mine, start + 1h + 1ns).is, state::taken);
  EXPECT_EQ(s.bytes(), 0u);
  s.free("k");
  EXPECT_EQ(s.keys(), 0u);
  s.free("never taken");
}

TEST(AnswerStore, ForgetsTheOldestWhereThereAreTooMany) {
  answer_store s({.age = 1h, .answers = 3, .bytes = 65'536});
  for (int i = 0; i < 5; ++i) {
    s.take(std::to_string(i), {}, start);
    s.keep(std::to_string(i), text("x"), start);
  }
  EXPECT_EQ(s.keys(), 3u);
  EXPECT_EQ(s.take("4", {}, start).is, state::answered);
  EXPECT_EQ(s.take("2", {}, start).is, state::answered);
  EXPECT_EQ(s.take("1", {}, start).is, state::taken);
}

TEST(AnswerStore, HoldsNoMoreBytesThanItMay) {
  answer_store s({.age = 1h, .answers = 1'000, .bytes = 65'536});
  s.take("under way", {}, start);
  for (int i = 0; i < 100; ++i) {
    s.take(std::to_string(i), {}, start);
    s.keep(std::to_string(i), text(std::string(3'000, 'x')), start);
    ASSERT_LE(s.bytes(), 65'536u);
  }
  EXPECT_GT(s.bytes(), 60'000u);
  EXPECT_EQ(s.take("under way", {}, start).is, state::under_way) << "who is under way is not forgotten";
  s.take("large", {}, start);
  s.keep("large", text(std::string(4'096, 'x')), start); // more than a sixteenth
  EXPECT_EQ(s.take("large", {}, start).is, state::taken);
}

TEST(AnswerStore, LetsOneOfManyThreadsThrough) {
  answer_store s({.age = 1h, .answers = 1'000, .bytes = 1'048'576});
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        const auto key = std::to_string(i);
        if (s.take(key, {}, start).is != state::taken) continue;
        ++done;
        s.keep(key, text(key), start);
      }
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(done, 500);
  EXPECT_EQ(s.take("17", {}, start).answer->body(), "17");
}

// -- the middleware ---------------------------------------------------------------------------------------

struct orders {
  int made = 0;
  int ended = 0; // also when cancelled
};
struct at_end {
  orders* of;
  ~at_end() { ++of->ended; }
};

task<response> order(request r, orders* all) {
  const at_end end{all};
  const auto number = std::to_string(++all->made);
  if (r.query() == "slow") co_await sleep_for(1s);
  if (r.query() == "hangs") co_await sleep_for(1h);
  if (r.query() == "throws") throw std::runtime_error("x");
  if (r.query() == "fails") co_return text("failed " + number, 503);
  if (r.query() == "busy") co_return text("busy " + number, 429);
  if (r.query() == "wrong") co_return text("wrong " + number, 400);
  if (r.query() == "streams") {
    co_return streamed("text/plain", [](body_writer out) -> task<> {
      auto sent = co_await out.write("part");
      (void)sent;
    });
  }
  co_return text("order " + number, 201).header("Location", "/orders/" + number);
}

std::string user_of(const request& r) { return std::string(r.header("X-User").value_or("")); }

struct shop : rig {
  explicit shop(idempotency_options how = {}) {
    front.use(idempotency_keys(user_of, how)).post("/orders", supervised(10s, order), &all).get("/orders", order, &all);
    front.post("/other", order, &all);
    front.route(method::patch, "/orders", handler(order, &all));
    front.start().value();
  }
  static std::string ordering(const std::string& key, const std::string& body = "book", const std::string& more = "",
                              const std::string& target = "/orders") {
    return post(target, body, "Idempotency-Key: " + key + "\r\n" + more);
  }
  orders all;
};

TEST(Idempotency, DoesAThingOnce) {
  shop r;
  const auto first = r.ask(shop::ordering("\"k1\""));
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(first.body, "order 1");
  EXPECT_EQ(first.field("Idempotent-Replayed"), "none");
  for (int i = 0; i < 3; ++i) {
    const auto again = r.ask(shop::ordering("\"k1\""));
    EXPECT_EQ(again.status, 201);
    EXPECT_EQ(again.body, "order 1");
    EXPECT_EQ(again.field("Location"), "/orders/1");
    EXPECT_EQ(again.field("Idempotent-Replayed"), "true");
    EXPECT_EQ(again.head.find("Replayed"), again.head.rfind("Replayed"));
  }
  EXPECT_EQ(r.ask(shop::ordering("k1")).body, "order 1") << "without quotation marks";
  EXPECT_EQ(r.ask(shop::ordering("\"k2\"")).body, "order 2");
  EXPECT_EQ(r.ask(post("/orders", "book")).body, "order 3") << "without a key as ever";
  EXPECT_EQ(r.ask(post("/orders", "book")).body, "order 4");
  EXPECT_EQ(r.all.made, 4);
}

TEST(Idempotency, DoesAThingOnceHoweverThePathIsSpelled) {
  shop r;
  EXPECT_EQ(r.ask(shop::ordering("k")).body, "order 1");
  for (const auto* const spelling : {"/%6frders", "/%6Frders", "/%6f%72%64%65%72%73", "http://x/order%73"})
    EXPECT_EQ(r.ask(shop::ordering("k", "book", "", spelling)).body, "order 1") << spelling;
  EXPECT_EQ(r.all.made, 1);
}

TEST(Idempotency, KeepsPathsApartThatRoutesTellApart) {
  struct any_path : rig {
    any_path() {
      front.use(idempotency_keys(user_of)).post("/{a}", order, &all).post("/{a}/{b}", order, &all);
      front.start().value();
    }
    orders all;
  } p;
  int made = 0;
  for (const auto* const path : {"/a/b", "/a%2Fb", "/a%252Fb", "/a%25252Fb", "/a%20b", "/a%20b/c", "/A/b"}) {
    const auto first = "order " + std::to_string(++made);
    EXPECT_EQ(p.ask(shop::ordering("k", "book", "", path)).body, first) << path;
  }
  EXPECT_EQ(p.ask(shop::ordering("k", "book", "", "/a%2fb")).body, "order 2");
  EXPECT_EQ(p.ask(shop::ordering("k", "book", "", "/%61/b")).body, "order 1");
  EXPECT_EQ(p.ask(shop::ordering("k", "book", "", "/a%252fb")).body, "order 8") << "a '%', and then another text";
}

TEST(Idempotency, ConcernsPostAndPatchOnly) {
  shop r;
  const auto key = "Idempotency-Key: k\r\n";
  EXPECT_EQ(r.ask(get("/orders", key)).body, "order 1");
  EXPECT_EQ(r.ask(get("/orders", key)).body, "order 2");
  const auto patch = "PATCH /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nIdempotency-Key: k\r\n\r\n";
  EXPECT_EQ(r.ask(patch).body, "order 3");
  EXPECT_EQ(r.ask(patch).body, "order 3");
}

TEST(Idempotency, KeepsApartWhatMethodPathAndPrincipalTellApart) {
  shop r;
  EXPECT_EQ(r.ask(shop::ordering("k", "book", "X-User: ann\r\n")).body, "order 1");
  EXPECT_EQ(r.ask(shop::ordering("k", "book", "X-User: bob\r\n")).body, "order 2");
  EXPECT_EQ(r.ask(shop::ordering("k", "book", "X-User: ann\r\n", "/other")).body, "order 3");
  EXPECT_EQ(
      r.ask("PATCH /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nX-User: ann\r\nIdempotency-Key: k\r\n\r\nbook")
          .body,
      "order 4");
  EXPECT_EQ(r.ask(shop::ordering("k", "book", "X-User: ann\r\n")).body, "order 1");
  EXPECT_EQ(r.ask(shop::ordering("nk", "book", "X-User: an\r\n")).body, "order 5") << "no name runs into a key";
}

TEST(Idempotency, RefusesAnotherRequestUnderTheSameKey) {
  shop r;
  r.ask(shop::ordering("k", "book", "Content-Type: text/plain\r\n"));
  for (const auto& other : {shop::ordering("k", "boot", "Content-Type: text/plain\r\n"), shop::ordering("k", "book"),
                            shop::ordering("k", "book", "Content-Type: text/plain\r\n", "/orders?x=1"),
                            shop::ordering("k", "", "Content-Type: text/plain\r\n")}) {
    const auto refused = r.ask(other);
    EXPECT_EQ(refused.status, 422);
    EXPECT_EQ(refused.body, "this Idempotency-Key belongs to another request\n");
  }
  EXPECT_EQ(r.all.made, 1);
}

TEST(Idempotency, ComparesTrailersToo) {
  shop r;
  const auto ordering = [&r](std::string_view trailers) {
    return r.ask("POST /orders HTTP/1.1\r\nHost: x\r\nIdempotency-Key: k\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "4\r\nbook\r\n0\r\n" +
                 std::string(trailers) + "\r\n");
  };
  EXPECT_EQ(ordering("Amount: 5\r\n").status, 201);
  EXPECT_EQ(ordering("Amount: 6\r\n").status, 422);
  EXPECT_EQ(ordering("").status, 422);
  EXPECT_EQ(ordering("Amount: 5\r\n").status, 201);
  EXPECT_EQ(r.all.made, 1);
}

TEST(Idempotency, RefusesASecondOneWhileTheFirstIsUnderWay) {
  shop r;
  auto c = r.connect();
  r.say(c, shop::ordering("k", "book", "", "/orders?slow"));
  r.settle();
  const auto second = r.ask(shop::ordering("k", "book", "", "/orders?slow"));
  EXPECT_EQ(second.status, 409);
  EXPECT_EQ(second.field("Retry-After"), "1");
  EXPECT_EQ(r.ask(shop::ordering("k", "boot", "", "/orders?slow")).status, 422);
  r.advance(1001ms);
  EXPECT_EQ(r.hear(c).body, "order 1");
  EXPECT_EQ(r.ask(shop::ordering("k", "book", "", "/orders?slow")).body, "order 1");
  EXPECT_EQ(r.all.made, 1);
}

TEST(Idempotency, FreesTheKeyOfAFailure) {
  for (const std::string how : {"throws", "fails", "busy", "streams"}) {
    shop r;
    const auto request = shop::ordering("k", "book", "", "/orders?" + how);
    auto c = r.connect();
    r.say(c, request);
    r.settle();
    auto d = r.connect();
    r.say(d, request);
    r.settle();
    EXPECT_EQ(r.all.made, 2) << how;
  }
}

TEST(Idempotency, KeepsARefusalOfTheHandler) {
  shop r;
  EXPECT_EQ(r.ask(shop::ordering("k", "book", "", "/orders?wrong")).body, "wrong 1");
  const auto again = r.ask(shop::ordering("k", "book", "", "/orders?wrong"));
  EXPECT_EQ(again.status, 400);
  EXPECT_EQ(again.body, "wrong 1");
}

TEST(Idempotency, FreesTheKeyOfWhatIsCancelled) {
  shop r;
  const auto request = shop::ordering("k", "book", "", "/orders?hangs");
  auto c = r.connect();
  r.say(c, request);
  r.settle();
  c.leave();
  r.settle();
  EXPECT_EQ(r.all.ended, 1);
  auto d = r.connect();
  r.say(d, request);
  r.settle();
  EXPECT_EQ(r.all.made, 2) << "the client left: the key was free";
  r.advance(10s + 1ms); // its time limit
  EXPECT_EQ(r.hear(d).status, 503);
  auto e = r.connect();
  r.say(e, request);
  r.settle();
  EXPECT_EQ(r.all.made, 3);
  e.leave();
  r.settle();
}

TEST(Idempotency, ForgetsWhatIsOld) {
  shop r({.age = 1h});
  EXPECT_EQ(r.ask(shop::ordering("k")).body, "order 1");
  r.advance(1h);
  EXPECT_EQ(r.ask(shop::ordering("k")).body, "order 1");
  r.advance(1ms);
  EXPECT_EQ(r.ask(shop::ordering("k")).body, "order 2");
}

TEST(Idempotency, RefusesKeysThatAreMalformed) {
  shop r;
  for (const std::string bad : {"", "\"", "\"\"", "\"a", "a\"", "\"a\"b\"", "\"a\\b\"", "\"a\\\"", "a b", "a,b", "a;b",
                                "\"a\";b=1", "a\\b", "\"caf\xc3\xa9\"", "\"a\tb\""}) {
    const auto refused = r.ask(shop::ordering(bad));
    EXPECT_EQ(refused.status, 400) << bad;
    EXPECT_EQ(refused.body, "the Idempotency-Key is malformed\n");
  }
  EXPECT_EQ(r.ask(shop::ordering(std::string(256, 'a'))).status, 400);
  EXPECT_EQ(r.ask(shop::ordering("a\r\nIdempotency-Key: a")).status, 400) << "two of them";
  EXPECT_EQ(r.all.made, 0);
  EXPECT_EQ(r.ask(shop::ordering(std::string(255, 'a'))).status, 201);
  EXPECT_EQ(r.ask(shop::ordering("\"a b,\\\\ \\\"c\\\";\"")).status, 201);
}

TEST(Idempotency, AsksForAKeyWhereOneIsRequired) {
  shop r({.required = true});
  const auto refused = r.ask(post("/orders", "book"));
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body, "this needs an Idempotency-Key\n");
  EXPECT_EQ(r.ask(get("/orders")).status, 201);
  EXPECT_EQ(r.ask(shop::ordering("k")).status, 201);
}

TEST(Idempotency, RefusesOptionsThatAreOutOfRange) {
  EXPECT_THROW(idempotency_keys(nullptr), usage_error);
  EXPECT_THROW(idempotency_keys(user_of, {.age = 0s}), usage_error);
  EXPECT_THROW(idempotency_keys(user_of, {.age = 24h * 30 + 1ns}), usage_error);
  EXPECT_THROW(idempotency_keys(user_of, {.answers = 0}), usage_error);
  EXPECT_THROW(idempotency_keys(user_of, {.bytes = 65'535}), usage_error);
}

} // namespace
} // namespace greenroom::http::idempotency_test
