// expect: no matching function for call to .*address<int>::send\(std::string&\)|no known conversion from 'std::string' .* to 'int' for 1st argument
#include <string>

#include <greenroom/runtime/mailbox.hpp>

greenroom::task<> actor(greenroom::address<int> out) {
#ifdef GREENROOM_CONTROL
  int item = 1;
#else
  std::string item = "one";
#endif
  const auto sent = co_await out.send(item);
  (void)sent;
}
