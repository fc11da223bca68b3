// Many senders, one mailbox: the items of a sender keep their order, none is lost and none comes twice.
// STRESS_ITEMS sets the items of each sender; 1000000 for the full run.
#include <atomic>
#include <cstdint>
#include <memory>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::mailbox_order_test {
namespace {

using namespace test;

constexpr std::uint32_t senders = 8;
const auto items = static_cast<std::uint32_t>(from_environment("STRESS_ITEMS", 20'000));

struct numbered {
  std::uint32_t sender;
  std::uint32_t number;
};

task<> send_all(address<numbered> out, std::uint32_t me) {
  for (std::uint32_t n = 0; n < items; ++n) {
    const auto sent = co_await out.send(numbered{me, n});
    EXPECT_TRUE(sent);
  }
}

/// What one receiver saw.
struct sight {
  std::uint64_t count = 0;
  std::uint64_t inversions = 0;
  std::vector<std::int64_t> last = std::vector<std::int64_t>(senders, -1);
};

task<> receive_all(mailbox<numbered> in, sight* seen, std::vector<std::atomic<std::uint8_t>>* marks) {
  while (const auto item = co_await in.receive()) {
    ++seen->count;
    auto& last = seen->last[item->sender];
    if (item->number <= last) ++seen->inversions;
    last = item->number;
    ++(*marks)[std::size_t{item->sender} * items + item->number];
  }
}

class MailboxOrder : public testing::TestWithParam<std::tuple<std::int64_t, std::size_t, std::size_t>> {};

TEST_P(MailboxOrder, HoldsForEachSenderAndNothingIsLostOrDoubled) {
  const auto [capacity, workers, receivers] = GetParam();
  actor_system sys(quiet(workers));
  auto [in, out] = make_mailbox<numbered>(capacity < 0 ? unbounded() : bounded(capacity));
  std::vector<std::atomic<std::uint8_t>> marks(std::size_t{senders} * items);
  std::vector<sight> seen(receivers);
  std::vector<actor> all;
  for (auto& s : seen) all.push_back(sys.spawn(receive_all, in, &s, &marks));
  for (std::uint32_t me = 0; me < senders; ++me) all.push_back(sys.spawn(send_all, out, me));
  out = {};
  in = {};
  for (auto& a : all) EXPECT_TRUE(a.wait().normal());
  std::uint64_t count = 0;
  for (const auto& s : seen) {
    count += s.count;
    EXPECT_EQ(s.inversions, 0u);
  }
  EXPECT_EQ(count, std::uint64_t{senders} * items);
  std::uint64_t wrong = 0;
  for (const auto& m : marks) wrong += m != 1;
  EXPECT_EQ(wrong, 0u);
}

std::string name_of(const testing::TestParamInfo<MailboxOrder::ParamType>& info) {
  const auto [capacity, workers, receivers] = info.param;
  return (capacity < 0 ? "Unbounded" : "Capacity" + std::to_string(capacity)) + "Workers" + std::to_string(workers) +
         "Receivers" + std::to_string(receivers);
}

INSTANTIATE_TEST_SUITE_P(OneReceiver, MailboxOrder,
                         testing::Combine(testing::Values(0, 1, 64, -1), testing::Values(1u, 2u, 3u, 4u),
                                          testing::Values(1u)),
                         name_of);
INSTANTIATE_TEST_SUITE_P(ThreeReceivers, MailboxOrder,
                         testing::Combine(testing::Values(0, 1, 64, -1), testing::Values(2u, 4u), testing::Values(3u)),
                         name_of);

} // namespace
} // namespace greenroom::mailbox_order_test
