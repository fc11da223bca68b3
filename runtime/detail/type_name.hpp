// The name of a type as C++ spells it, for sentences.
// Thread safety: any thread. Lifetime: of the process.
// Cost: an allocation or two; for errors and reports.
#pragma once

#include <string>
#include <typeinfo>

#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::detail {

/// Returns "std::runtime_error" for its type_info, or what the compiler calls it if that cannot be read.
GREENROOM_EXPORT std::string type_name(const std::type_info& type);

} // namespace greenroom::detail
