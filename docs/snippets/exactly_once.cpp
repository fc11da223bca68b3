// A state on disk that is changed by deliveries: each is done once, though it comes twice, and though the process ends in between.
#include <filesystem>
#include <iostream>
#include <string>

#include <unistd.h>

#include <greenroom/actors/inbox.hpp>
#include <greenroom/actors/reliable_address.hpp>
#include <greenroom/runtime/actor_system.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

struct how_much {
  using reply = int;
};

struct account {
  int balance = 0;

  result<void> apply(const journal_record& r) {
    balance += std::stoi(r.content);
    return {};
  }
  std::string save() const { return std::to_string(balance); }
  static result<account> load(std::string_view snapshot) { return account{std::stoi(std::string(snapshot))}; }

  // One record for each item that it has not had; the record's key says whose it was, and which.
  result<receipt> decide(const delivery<int>& d, changes<account>& to) const {
    return take_delivery(d, to, [](int cents) -> result<journal_record> {
      if (cents == 0) return error(errc::invalid_argument, "nothing to book");
      return journal_record{.content = std::to_string(cents)};
    });
  }
  result<int> decide(const how_much&, changes<account>&) const { return balance; }
};

using deposits = request<delivery<int>>;

/// Hands each delivery over twice, as if its receipt had been lost.
task<> twice(mailbox<deposits> in, address<deposits> to) {
  while (auto d = co_await in.receive()) {
    const auto first = co_await ask(to, d->message, 5s);
    const auto second = co_await ask(to, d->message, 5s);
    d->reply(second);
  }
}

task<> pay_in(event_sourced<account> state) {
  auto& sys = this_actor::system();
  auto [in, out] = make_mailbox<deposits>(bounded(8));
  spawn(twice, std::move(in), start_inbox<int>(sys, state));
  const reliable_address<int> to(sys, {.sender = "shop"}, out);
  for (const int cents : {500, 250}) (void)co_await to.send(cents);
  (void)co_await to.flush(10s);
  const auto now = co_await state.tell(how_much{}, 5s);
  std::cout << "balance " << *now << '\n';
}

int main() {
  const auto file = std::filesystem::temp_directory_path() / ("account." + std::to_string(::getpid()) + ".db");
  for (int run = 1; run <= 2; ++run) {
    actor_system sys;
    const event_sourced<account> state(sys, [file] { return open_sqlite_journal(file); });
    (void)sys.run(pay_in, state);
  }
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(file.string() + end);
}
