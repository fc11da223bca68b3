// What is known of the calls of a handler, for documents.
// Thread safety: constant. Lifetime: of its handler.
#pragma once

#include <cstdint>

namespace greenroom::http::detail {

class json_type;

struct operation {
  enum class answer : std::uint8_t {
    unknown, // a response that the handler makes
    value,   // 200
    created, // 201, with a location
    nothing  // 204
  };

  const json_type* takes = nullptr; // the body; null: none
  answer gives = answer::unknown;
  const json_type* value = nullptr; // of the answer
  bool may_fail = false;            // an error becomes a problem
};

} // namespace greenroom::http::detail
