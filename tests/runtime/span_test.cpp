// Which spans a system gives to its sink, and how they hang together.
#include <greenroom/runtime/span.hpp>

#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::span_test {
namespace {

using namespace test;

class kept_spans final : public span_sink {
public:
  void ended(span what) noexcept override {
    const std::lock_guard guard(mutex_);
    all_.push_back(std::move(what));
  }
  std::vector<span> take() {
    const std::lock_guard guard(mutex_);
    return std::exchange(all_, {});
  }

private:
  std::mutex mutex_;
  std::vector<span> all_; // guarded by mutex_
};

std::string text_of(const span& of, std::string_view name) {
  for (const auto& [key, value] : of.attributes) {
    if (key != name) continue;
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    return std::to_string(std::get<std::int64_t>(value));
  }
  return "none";
}

task<> send_one(address<int> out, int item) { (void)co_await out.send(item); }
task<> hand_on(mailbox<int> in, address<int> out) {
  while (const auto item = co_await in.receive()) (void)co_await out.send(*item);
}
task<> take_all(mailbox<int> in) {
  while (const auto item = co_await in.receive()) {
    if (*item == 13) throw std::runtime_error("unlucky");
  }
}

/// Two actors in a row, in manual time.
struct row : timed_system {
  row() { send_spans_to(sys, spans); }

  void start() {
    auto [in, out] = make_mailbox<int>(bounded(4));
    auto [next_in, next_out] = make_mailbox<int>(bounded(4));
    (void)sys.spawn({.name = "first"}, hand_on, std::move(in), std::move(next_out));
    (void)sys.spawn({.name = "second"}, take_all, std::move(next_in));
    entry = std::move(out);
  }
  void send(int item, const trace_context& trace) {
    (void)sys.spawn({.ctx = sys.context().with_value(trace)}, send_one, entry, item).wait();
  }

  std::shared_ptr<kept_spans> spans = std::make_shared<kept_spans>();
  address<int> entry;
};

TEST(Span, EachHandledItemOfASampledTraceIsOneBelowThatOfItsSender) {
  row r;
  const auto trace = begin_trace(true);
  r.start();
  (void)r.sys.run(settle);
  r.send(1, trace);
  (void)r.sys.run(settle);
  const auto all = r.spans->take();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "first");
  EXPECT_EQ(all[0].place.parent_id(), trace.span_id());
  EXPECT_EQ(all[1].name, "second");
  EXPECT_EQ(all[1].place.parent_id(), all[0].place.span_id());
  EXPECT_EQ(all[1].place.trace_id(), trace.trace_id());
  EXPECT_EQ(all[1].kind, span_kind::consumer);
  EXPECT_FALSE(all[1].failed);
  EXPECT_EQ(text_of(all[1], "greenroom.item.type"), "int");
  r.entry = {};
}

TEST(Span, SaysHowLongItsItemWasQueued) {
  row r;
  auto [in, out] = make_mailbox<int>(bounded(4));
  r.entry = out;
  r.send(1, begin_trace(true));
  r.advance(3ms);
  out = {};
  r.entry = {};
  (void)r.sys.spawn({.name = "late"}, take_all, std::move(in)).wait();
  const auto all = r.spans->take();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(text_of(all[0], "greenroom.item.queued_ns"), "3000000");
  EXPECT_EQ(all[0].began, r.time.now());
}

TEST(Span, OfAnActorThatFailsIsAnError) {
  row r;
  r.start();
  r.send(13, begin_trace(true));
  (void)r.sys.run(settle);
  const auto all = r.spans->take();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_FALSE(all[0].failed);
  EXPECT_TRUE(all[1].failed);
  EXPECT_NE(all[1].why.find("unlucky"), std::string::npos) << all[1].why;
  r.entry = {};
}

TEST(Span, IsNotMadeOfTracesThatAreNotSampled) {
  row r;
  r.start();
  r.send(1, begin_trace(false));
  (void)r.sys.run(settle);
  EXPECT_TRUE(r.spans->take().empty());
  r.entry = {};
}

TEST(Span, IsNotMadeOnceNobodyTakesThem) {
  row r;
  r.start();
  send_spans_to(r.sys, nullptr);
  r.send(1, begin_trace(true));
  (void)r.sys.run(settle);
  EXPECT_TRUE(r.spans->take().empty());
  r.entry = {};
}

} // namespace
} // namespace greenroom::span_test
