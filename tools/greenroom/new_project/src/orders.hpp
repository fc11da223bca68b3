// What the service speaks of. describe() says how each stands in JSON; a body out of these bounds is answered with 422
// before any handler sees it.
#pragma once

#include <cstdint>
#include <string>

#include <greenroom/actors/request.hpp>
#include <greenroom/http/json.hpp>

namespace my_service {

struct receipt {
  std::uint64_t number = 0;
  std::int64_t cents = 0;
};

struct order {
  std::string item;
  std::uint32_t pieces = 1;
  using reply = receipt; // what ask() gets for it
};

/// An order on its way through the graph: it takes along who asked, so that the last node can answer.
struct priced_order {
  greenroom::request<order> asked;
  std::int64_t cents = 0;
};

struct totals {
  std::uint64_t orders = 0;
  std::int64_t cents = 0;
};

struct get_totals {
  using reply = totals;
};

inline void describe(greenroom::http::schema<receipt>& s) {
  s.field("number", &receipt::number);
  s.field("cents", &receipt::cents);
}

inline void describe(greenroom::http::schema<order>& s) {
  s.field("item", &order::item).between(1, 40);
  s.field("pieces", &order::pieces).optional().between(1, 1'000);
}

inline void describe(greenroom::http::schema<totals>& s) {
  s.field("orders", &totals::orders);
  s.field("cents", &totals::cents);
}

} // namespace my_service
