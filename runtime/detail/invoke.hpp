// std::invoke without <functional>, which alone takes a tenth of a second of each file that includes it.
// Thread safety: as what is called.
#pragma once

#include <tuple>
#include <utility>

namespace greenroom::detail {

/// Calls `f` with `args`, pointers to members included.
template <class F, class... Args>
constexpr decltype(auto) invoke(F&& f, Args&&... args) {
  return std::apply(std::forward<F>(f), std::forward_as_tuple(std::forward<Args>(args)...));
}

} // namespace greenroom::detail
