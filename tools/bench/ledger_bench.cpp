// ledger_bench CLIENTS SECONDS BATCH FILE: clients that pay each other through a ledger on disk, as fast as they get their answers. BATCH 1 waits for the disk once for
// each transfer, more share that. Prints a line of JSON. See compare_ledger.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <greenroom/actors/ledger.hpp>
#include <greenroom/runtime/actor_system.hpp>

using namespace greenroom;

namespace {

constexpr int accounts = 1'000;

struct count_flushes {
  using reply = std::uint64_t;
  result<reply> of(journal& log) const { return log.flushes(); }
};

std::string name_of(std::uint64_t n) { return "account " + std::to_string(n); }

task<> open_accounts(money::ledger books) {
  for (int i = 0; i < accounts; ++i) {
    const money::open_account order{"open " + std::to_string(i), name_of(static_cast<std::uint64_t>(i)), "EUR", true};
    (void)co_await books.tell(order);
  }
}

task<> pay(money::ledger books, int client, time_point end, std::uint64_t* done) {
  auto random = 0x9e3779b97f4a7c15U * static_cast<std::uint64_t>(client + 1);
  for (std::uint64_t n = 0; this_actor::system().now() < end; ++n) {
    random = random * 6364136223846793005U + 1442695040888963407U;
    const auto from = (random >> 33) % accounts;
    const money::transfer order{std::to_string(client) + "/" + std::to_string(n), name_of(from),
                                name_of((from + 1 + (random >> 20) % (accounts - 1)) % accounts), 1};
    const auto paid = co_await books.tell(order);
    if (paid) ++*done;
  }
}

task<std::uint64_t> flushes_of(money::ledger books) {
  const auto n = co_await books.journaled().tell(count_flushes{}, std::chrono::seconds(60));
  co_return n ? *n : 0;
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: ledger_bench CLIENTS SECONDS BATCH FILE\n");
    return 2;
  }
  const int clients = std::atoi(argv[1]);
  const auto span = std::chrono::seconds(std::atoi(argv[2]));
  options how;
  how.log_level = "warn";
  actor_system sys(how);
  money::ledger_options kept{.file = argv[4]};
  kept.keeping.batch = static_cast<std::size_t>(std::atoi(argv[3]));
  const money::ledger books(sys, kept);
  (void)sys.run(open_accounts, books);
  const auto flushed = *sys.run(flushes_of, books);
  const auto began = sys.now();
  std::vector<std::uint64_t> done(static_cast<std::size_t>(clients));
  std::vector<actor> all;
  for (int c = 0; c < clients; ++c)
    all.push_back(sys.spawn(pay, books, c, began + span, &done[static_cast<std::size_t>(c)]));
  for (const auto& a : all) a.wait();
  const std::chrono::duration<double> took = sys.now() - began;
  std::uint64_t transfers = 0;
  for (const auto n : done) transfers += n;
  std::printf(
      "{\"lang\":\"greenroom\",\"clients\":%d,\"batch\":%s,\"transfers\":%llu,\"seconds\":%.3f,\"flushes\":%llu}\n",
      clients, argv[3], static_cast<unsigned long long>(transfers), took.count(),
      static_cast<unsigned long long>(*sys.run(flushes_of, books) - flushed));
}
