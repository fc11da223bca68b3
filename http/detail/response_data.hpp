// The inside of an answer that was received: the parser fills it, the caller reads it through `response_head`.
// Thread safety: owner only. Lifetime: its address is constant once the header section is complete: views point into `head`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/http/detail/trailer_section.hpp>
#include <greenroom/http/message.hpp>

namespace greenroom::http::detail {

struct response_data {
  std::string head; // status line and header section as they came; complete before any view points into it
  int status = 0;
  std::uint8_t minor_version = 1;
  std::string_view reason; // into head
  std::vector<field> fields;
  std::string body;                          // "" while it is streamed
  std::string url;                           // that answered
  std::unique_ptr<trailer_section> trailers; // null if there are none, and while the body is streamed
};

} // namespace greenroom::http::detail
