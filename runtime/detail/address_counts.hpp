// How many connections each address has open, so that one address cannot take the places of all.
// Thread safety: any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/detail/spin_lock.hpp>

namespace greenroom::detail {

class GREENROOM_EXPORT address_counts {
public:
  /// Counts one more, unless there are `most` already. Returns whether it did.
  bool enter(const std::string& address, std::size_t most);
  void leave(std::string_view address) noexcept;

  /// Returns the address of "127.0.0.1:41234" or "[::1]:41234".
  static std::string_view without_port(std::string_view peer) noexcept { return peer.substr(0, peer.rfind(':')); }

private:
  struct text_hash {
    using is_transparent = void; // leave() must not need memory
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };

  spin_lock lock_; // held once for a connection, and once for its end
  std::unordered_map<std::string, std::size_t, text_hash, std::equal_to<>>
      counts_; // guarded by lock_; addresses without connections have no entry
};

} // namespace greenroom::detail
