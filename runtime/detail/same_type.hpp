// Whether two types are one, also when they come from different files and libraries.
// Thread safety: any thread.
#pragma once

#include <cstring>
#include <typeindex>

namespace greenroom::detail {

/// Returns whether they are one type. `a == b` compares names, and by clang's names types of two unnamed namespaces may be called the
/// same; g++ marks those as names of one file. One type of an unnamed namespace has one name, at one place.
inline bool same_type(std::type_index a, std::type_index b) noexcept {
  return a == b && (a.name() == b.name() || std::strstr(a.name(), "_GLOBAL__N_") == nullptr);
}

} // namespace greenroom::detail
