// One life of an embedded Greenroom, from the first thread to the last: a supervised actor that crashes and goes on, an HTTP front that asks
// it, a client that asks the front, and a ledger on disk where SQLite is there.
#pragma once

#include <charconv>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/ledger.hpp>
#include <greenroom/actors/supervisor.hpp>
#include <greenroom/http/client.hpp>
#include <greenroom/http/server.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::test {

using namespace std::chrono_literals;

struct twice {
  int n;
  using reply = int;
};

inline task<> doubler(mailbox<request<twice>> in) {
  while (auto r = co_await in.receive()) {
    if (r->message.n == 0) throw std::runtime_error("nothing to double");
    r->reply(2 * r->message.n);
  }
}

inline task<http::response> answer(http::request r, address<request<twice>> to) {
  const auto digits = r.parameter("n");
  int n = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), n);
  const auto doubled = co_await ask(to, twice{n}, 10s);
  co_return doubled ? http::text(std::to_string(*doubled)) : http::text("none", 503);
}

inline task<std::string> fetch(http::client* web, std::string url) {
  const auto got = co_await web->get(url);
  if (!got) co_return std::string(got.error().message());
  co_return std::to_string(got->status()) + " " + std::string(got->body());
}

/// Asks for what ends the doubler, and then for what it can double: it has been started anew.
inline task<> visit(std::string url) {
  http::client web(this_actor::system(), {.retries = 0});
  auto first = fetch(&web, url + "/twice/0");
  const auto nothing = co_await std::move(first);
  EXPECT_EQ(nothing, "503 none");
  auto second = fetch(&web, url + "/twice/21");
  const auto doubled = co_await std::move(second);
  EXPECT_EQ(doubled, "200 42");
}

/// Books a transfer into a ledger of its own and reads it back.
inline task<> keep_books([[maybe_unused]] std::filesystem::path file) {
#ifdef GREENROOM_HAS_SQLITE
  money::ledger books(this_actor::system(), {.file = file});
  money::open_account world{"o1", "world", "EUR", true};
  money::open_account till{"o2", "till", "EUR"};
  money::transfer sold{"t1", "world", "till", 100};
  auto opening = books.tell(std::move(world));
  const auto opened = co_await std::move(opening);
  auto opening_too = books.tell(std::move(till));
  const auto opened_too = co_await std::move(opening_too);
  auto selling = books.tell(std::move(sold));
  const auto done = co_await std::move(selling);
  EXPECT_TRUE(opened && opened_too && done);
#else
  co_return;
#endif
}

/// Lives once in `env`; with a ledger in `file` unless that is empty.
inline void live_once(environment env = {}, const std::filesystem::path& file = {}) {
  actor_system sys(quiet(), std::move(env));
  auto [in, to] = make_mailbox<request<twice>>(bounded(8));
  supervisor_spec spec("work", {.intensity = {10, 10s}});
  spec.child("doubler", doubler, std::move(in));
  const auto work = supervise(sys, std::move(spec));
  ASSERT_TRUE(work);
  http::server front(sys, {.port = 0});
  front.get("/twice/{n:int}", answer, to);
  ASSERT_TRUE(front.start());
  EXPECT_TRUE(sys.run(visit, front.url()));
  if (!file.empty()) {
    EXPECT_TRUE(sys.run(keep_books, file));
  }
  EXPECT_TRUE(front.stop().complete());
  EXPECT_TRUE(sys.stop().complete());
}

} // namespace greenroom::test
