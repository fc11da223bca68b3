// Turns in a fixed order: pass, skip and leave.
#include <iostream>

#include <greenroom/actors/turn_taking.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/scope.hpp>

using namespace greenroom;

task<> player(turn_seat seat) {
  for (int round = 1;; ++round) {
    const auto turn = co_await seat.wait();
    if (!turn) co_return; // the game is over
    std::cout << turn.number() << ": " << seat.name() << '\n';
    if (turn.number() == 7) {
      seat.finish();
    } else if (seat.name() == "Ann" && round == 1) {
      seat.skip_next(); // Bob misses this round
    } else if (seat.name() == "Cid") {
      co_return; // leaves; the turn goes to the next, and the others play on
    } else {
      seat.pass();
    }
  }
}

task<> game(scope& s) {
  turn_taking table({"Ann", "Bob", "Cid"});
  for (const char* name : {"Ann", "Bob", "Cid"}) s.spawn(player, table.seat(name));
  co_return;
}

task<bool> program() {
  const auto done = co_await with_scope(game);
  co_return done.has_value();
}

int main() {
  actor_system sys;
  return sys.run(program).value_or(false) ? 0 : 1;
}
