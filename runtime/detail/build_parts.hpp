/// What Greenroom was built with and finds now, for `greenroom doctor`.
/// Thread safety: any thread.
#pragma once

#include <string>
#include <vector>

#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::detail {

/// A library of somebody else's.
struct build_part {
  std::string name;    ///< "OpenSSL"
  std::string built;   ///< the version of its headers, "yes" where they do not say; "" if it was left out
  std::string found;   ///< the version of the library that is loaded; "" if it does not say, or is in headers alone
  std::string without; ///< what there is not where it was left out, and how to get it
};

/// Of the runtime: CAF, OpenSSL, toml++.
GREENROOM_EXPORT std::vector<build_part> runtime_parts();

} // namespace greenroom::detail
