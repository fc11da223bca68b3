#include <greenroom/http/detail/build_parts.hpp>

#if GREENROOM_HAS_ZLIB
#include <zlib.h>
#endif

#if GREENROOM_HAS_JSON
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#endif

namespace greenroom::http::detail {

std::vector<greenroom::detail::build_part> build_parts() {
  std::vector<greenroom::detail::build_part> parts;
#if GREENROOM_HAS_ZLIB
  parts.push_back({"zlib", ZLIB_VERSION, ::zlibVersion(), {}});
#else
  parts.push_back(
      {"zlib", {}, {}, "answers are not compressed: build Greenroom with GREENROOM_ZLIB=ON and zlib1g-dev"});
#endif
#if GREENROOM_HAS_JSON
  parts.push_back(
      {"nlohmann-json",
       fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH),
       {},
       {}});
#else
  parts.push_back({"nlohmann-json",
                   {},
                   {},
                   "handlers cannot read JSON: build Greenroom with GREENROOM_JSON=ON and nlohmann-json3-dev"});
#endif
  return parts;
}

} // namespace greenroom::http::detail
