// Strict turn-taking by two mailboxes. In Go: two unbuffered channels as turn signals and a done channel of capacity 2.
// Each player holds the receive end of its own turn and the send end of the other's, so neither can mix them up: the wrong use
// does not compile. main gives the first turn, takes the last one out of the game, and waits for both to report.
//
// You will see the numbers and the text strictly in turn, each player's `OK!`, and `all done`.
#include <cstdio>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/mailbox.hpp>

using namespace greenroom;

struct turn {};
struct done {};

task<> player(bool counts, mailbox<turn> mine, address<turn> theirs, address<done> report) {
  for (int i = 0; i < 10; ++i) {
    if (!co_await mine.receive()) co_return;
    if (counts) {
      std::printf("%d\n", i);
    } else {
      std::puts("im reading fugu.cafe");
    }
    if (i == 9) {
      std::puts("OK!");
      if (!co_await report.send(done{})) co_return;
    }
    if (!co_await theirs.send(turn{})) co_return;
  }
}

task<bool> game() {
  auto [number_in, number_out] = make_mailbox<turn>(rendezvous());
  auto [text_in, text_out] = make_mailbox<turn>(rendezvous());
  auto [reports, report] = make_mailbox<done>(bounded(2));
  std::puts("there is");
  spawn({.name = "numbers"}, player, true, number_in, text_out, report);
  spawn({.name = "text"}, player, false, text_in, number_out, report);

  const auto first = co_await number_out.send(turn{});
  const auto numbers_done = co_await reports.receive();
  const auto last = co_await number_in.receive(); // the turn that nobody needs any more
  const auto text_done = co_await reports.receive();
  std::puts("all done");
  co_return first&& numbers_done&& last&& text_done;
}

int main() {
  actor_system sys;
  return sys.run(game).value_or(false) ? 0 : 1;
}
