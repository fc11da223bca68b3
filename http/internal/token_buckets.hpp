// Token buckets by key, of which those used least lately are forgotten.
// Thread safety: any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include <greenroom/actors/detail/cell_rate.hpp>
#include <greenroom/runtime/clock.hpp>

namespace greenroom::http::internal {

class token_buckets {
public:
  /// A token comes each `interval`; a bucket holds `burst`. Requires: all positive, interval * burst a duration, at least a key for each part.
  token_buckets(duration interval, std::uint64_t burst, std::size_t keys) noexcept
      : rate_(interval, burst), keys_of_part_(keys / parts) {}

  struct outcome {
    bool taken = false;
    duration wait{};        ///< until a token is there, if none was taken
    std::uint64_t left = 0; ///< tokens
    duration full_in{};     ///< until the bucket is full
  };
  /// Takes a token of that bucket, if there is one.
  outcome take(std::string_view key, time_point now);

  /// Counts the keys that are known. Cost: visits all parts.
  std::size_t size() const;

private:
  static constexpr std::size_t parts = 16;
  // A tree, not a table: no choice of keys makes it slow.
  struct bucket {
    time_point full_at{};
    std::list<std::string_view>::iterator place; // in by_use
  };
  struct alignas(64) part {
    mutable std::mutex lock; // what is done under it allocates
    std::map<std::string, bucket, std::less<>> by_key;
    std::list<std::string_view> by_use; // views of the keys, the one used last at the front
  };
  bucket& find(part& in, std::string_view key, time_point now);

  const greenroom::detail::cell_rate rate_;
  const std::size_t keys_of_part_;
  std::array<part, parts> parts_{};
};

} // namespace greenroom::http::internal
