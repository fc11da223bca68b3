// Why a request is refused.
// Thread safety: as a value.
#pragma once

#include <string>

namespace greenroom::http::internal {

struct refusal {
  int status = 400;
  std::string reason; ///< a sentence for people, without an end of line
};

} // namespace greenroom::http::internal
