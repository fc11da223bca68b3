#include <greenroom/runtime/detail/build_parts.hpp>

#include <filesystem>
#include <string_view>
#include <utility>

#include <link.h>

#include <fmt/format.h>

#include <greenroom/runtime/internal/caf_version.hpp>

#if GREENROOM_HAS_TLS
#include <openssl/crypto.h>
#include <openssl/opensslv.h>
#endif

#if GREENROOM_HAS_TOML
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>
#endif

namespace greenroom::detail {

namespace {

/// The version in the name of a library that is loaded, "0.17.6" for libcaf_core.so.0.17.6.
std::string version_in_name(const char* library) {
  struct search {
    std::string_view begin;
    std::string version;
  } wanted{library, {}};
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* to) {
        auto& s = *static_cast<search*>(to);
        std::error_code problem;
        const auto path = std::filesystem::canonical(info->dlpi_name, problem);
        const auto name = path.filename().native();
        if (problem || !name.starts_with(s.begin)) return 0;
        s.version = name.substr(s.begin.size());
        return 1;
      },
      &wanted);
  return wanted.version;
}

} // namespace

std::vector<build_part> runtime_parts() {
  std::vector<build_part> parts;
  auto caf = internal::caf_that_runs();
  if (caf.empty()) caf = version_in_name("libcaf_core.so.");
  parts.push_back({"CAF", internal::caf_of_headers(), std::move(caf), {}});
#if GREENROOM_HAS_TLS
  parts.push_back({"OpenSSL", OPENSSL_VERSION_STR, OpenSSL_version(OPENSSL_VERSION_STRING), {}});
#else
  parts.push_back({"OpenSSL", {}, {}, "there is no TLS: build Greenroom with GREENROOM_TLS=ON and libssl-dev"});
#endif
#if GREENROOM_HAS_TOML
  parts.push_back({"toml++", fmt::format("{}.{}.{}", TOML_LIB_MAJOR, TOML_LIB_MINOR, TOML_LIB_PATCH), {}, {}});
#else
  parts.push_back(
      {"toml++",
       {},
       {},
       "options and graphs cannot be read from files: build Greenroom with GREENROOM_TOML=ON and libtomlplusplus-dev"});
#endif
  return parts;
}

} // namespace greenroom::detail
