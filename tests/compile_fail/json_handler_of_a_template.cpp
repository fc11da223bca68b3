// expect: needs a function, or a function object that is callable when const
#include <greenroom/http/json.hpp>

greenroom::http::handler make() {
#ifdef GREENROOM_CONTROL
  return greenroom::http::json_handler([](int n) { return n; });
#else
  return greenroom::http::json_handler([](auto n) { return n; });
#endif
}
