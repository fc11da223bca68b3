// expect: the arguments go into the handler
#include <greenroom/http/handler.hpp>

greenroom::http::response show(greenroom::http::request r, int n);

greenroom::http::handler make() {
  using namespace std::chrono_literals;
#ifdef GREENROOM_CONTROL
  return {greenroom::http::supervised(2s, greenroom::http::handler(show, 7).body_limit(10))};
#else
  return {greenroom::http::supervised(2s, greenroom::http::handler(show).body_limit(10)), 7};
#endif
}
