// expect: (no matching function|convertible_to)
// The answer has the type that the message names.
#include <string>

#include <greenroom/actors/request.hpp>

struct deposit {
  int amount;
  using reply = int;
};

void answer(greenroom::request<deposit>& r) {
#ifdef GREENROOM_CONTROL
  r.reply(1);
#else
  r.reply(std::string("1"));
#endif
}
