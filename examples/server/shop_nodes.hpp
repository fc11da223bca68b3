// The nodes of the shop: coroutine functions whose parameters are their ports.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/task.hpp>

/// What somebody wants.
struct order {
  std::uint64_t number = 0; // 0: not yet numbered
  int customer = 0;
  int pieces = 0;
};
struct refund {
  int customer = 0;
  std::int64_t cents = 0;
};
// What the front lets in. Each sum then fits: of cents, as long as fewer than 900,000,000,000 bills are under way.
inline constexpr int most_customer = 1'000'000'000;
inline constexpr int most_pieces = 10'000;
inline constexpr std::int64_t most_cents = 10'000'000;
/// What a customer is to pay, or gets back if negative.
struct bill {
  std::uint64_t number = 0;
  int customer = 0;
  std::int64_t cents = 0;
};
struct tick {};

/// What the shop has done; each number is one node's.
struct shop_books {
  std::atomic<std::uint64_t> rejected{0};
  std::atomic<std::uint64_t> booked{0};
  std::atomic<std::uint64_t> audited{0};
  std::atomic<std::uint64_t> notified{0};
  std::atomic<std::uint64_t> shipped{0};
  std::atomic<std::uint64_t> reports{0};
  std::atomic<std::int64_t> cents{0}; // booked less what the audit has seen of it: 0 at rest, if nothing was lost
};
using books = std::shared_ptr<shop_books>;

greenroom::task<> number_orders(greenroom::mailbox<order> in, greenroom::address<order> out);
greenroom::task<> validate(greenroom::mailbox<order> in, greenroom::address<order> good, greenroom::address<order> bad);
greenroom::task<> price(greenroom::mailbox<order> in, greenroom::address<bill> out);
greenroom::task<> pay_back(greenroom::mailbox<refund> in, greenroom::address<bill> out);
greenroom::task<> book(greenroom::mailbox<bill> in, greenroom::address<bill> out, books b);
greenroom::task<> audit(greenroom::mailbox<bill> in, books b);
greenroom::task<> notify(greenroom::mailbox<bill> in, books b);
greenroom::task<> ship(greenroom::mailbox<bill> in, books b);
greenroom::task<> complain(greenroom::mailbox<order> in, books b);
greenroom::task<> every_minute(greenroom::address<tick> out);
greenroom::task<> report(greenroom::mailbox<tick> in, books b);
