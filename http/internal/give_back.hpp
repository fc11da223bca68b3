// Frees the memory of a string. To assign an empty one would not: libstdc++ then keeps the room for what may come.
#pragma once

namespace greenroom::http::internal {

template <class String>
void give_back(String& s) noexcept {
  String().swap(s);
}

} // namespace greenroom::http::internal
