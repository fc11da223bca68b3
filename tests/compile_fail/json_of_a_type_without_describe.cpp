// expect: this type cannot stand in JSON
#include <greenroom/http/json.hpp>

namespace shop {

struct order {
  int pieces = 0;
};

#ifdef GREENROOM_CONTROL
void describe(greenroom::http::schema<order>& s) { s.field("pieces", &order::pieces); }
#endif

} // namespace shop

int twice(shop::order what) { return what.pieces * 2; }

greenroom::http::handler make() { return greenroom::http::json_handler(twice); }
