// expect: has_reply
// A message that names no reply cannot be asked with: send it.
#include <chrono>

#include <greenroom/actors/ask.hpp>

struct deposit {
  int amount;
#ifdef GREENROOM_CONTROL
  using reply = int;
#endif
};

template <class To>
auto call(const To& to) {
  return greenroom::ask(to, deposit{100}, std::chrono::seconds(1));
}

void use(const greenroom::address<greenroom::request<deposit>>& to) { (void)call(to); }
