// The inside of a request: the parser fills it, the router adds the parameters, the handler reads it through `request`.
// Thread safety: owner only. Lifetime: its address is constant from the first byte to the handler's end: views point into `head`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/http/detail/route_parameter.hpp>
#include <greenroom/http/detail/trailer_section.hpp>
#include <greenroom/http/message.hpp>
#include <greenroom/runtime/detail/frame_allocator.hpp>
#include <greenroom/runtime/detail/frame_pool.hpp>

namespace greenroom::http::detail {

class answer_marks;

struct request_data {
  greenroom::detail::pooled_string
      head; // request line and header section as they came; complete before any view points into it

  http::method method = method::get;
  std::uint8_t minor_version = 1;
  bool secure = false;     // came over TLS
  std::string_view target; // all into head
  std::string_view path;
  std::string_view query;
  std::string_view host;
  greenroom::detail::pooled_vector<field> fields;

  std::string body;
  std::unique_ptr<trailer_section> trailers; // null if there are none
  std::vector<route_parameter> parameters;
  std::string peer;
  std::shared_ptr<answer_marks> marks; // null where there is no middleware

  static void* operator new(std::size_t bytes) { return greenroom::detail::frame_allocate(bytes); }
  static void operator delete(void* p, std::size_t bytes) noexcept { greenroom::detail::frame_free(p, bytes); }
};

} // namespace greenroom::http::detail
