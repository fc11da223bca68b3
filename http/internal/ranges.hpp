// Ranges of bytes: which parts of a representation a client asks for.
// Thread safety: pure functions. Lifetime: what they return owns what it holds. Source: RFC 9110 section 14.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/http/internal/conditions.hpp>
#include <greenroom/http/message.hpp>

namespace greenroom::http::internal {

/// The bytes from `first` to `last`, both among them.
struct byte_range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  std::uint64_t length() const noexcept { return last - first + 1; }
  friend bool operator==(const byte_range&, const byte_range&) = default;
};

struct range_choice {
  enum class kind : std::uint8_t {
    whole,        ///< answer 200 with all
    parts,        ///< answer 206
    unsatisfiable ///< answer 416, with unsatisfied_range()
  };
  kind is = kind::whole;
  /// In the order of the request. They neither overlap nor touch, so that together they are no longer than the whole.
  std::vector<byte_range> parts;
};

/// Most ranges that one request may name. A video player names one and a reader of documents some; who names more makes the server put
/// together an answer that is mostly boundaries, so the whole is sent instead, as RFC 9110 section 14.2 allows.
inline constexpr std::size_t most_ranges = 16;

/// Reads the value of a Range field for a representation of `size` bytes. Ranges that overlap or touch are joined at the place of the
/// first of them. A value is as good as absent if it has another unit, is malformed, names too many ranges, or asks for the end of what
/// is empty, which no 206 can express.
range_choice parse_ranges(std::string_view value, std::uint64_t size, std::size_t most = most_ranges);

/// As above, from a request: only GET has ranges, Range must be sent once, and If-Range must hold.
/// Requires: evaluate_conditions() said to proceed.
range_choice choose_ranges(method m, std::span<const field> fields, const validators& current, std::uint64_t size,
                           std::chrono::sys_seconds now);

/// Returns the value of Content-Range for a part: "bytes 0-99/1234".
std::string content_range(const byte_range& part, std::uint64_t size);
/// Returns the value of Content-Range for a 416: "bytes */1234".
std::string unsatisfied_range(std::uint64_t size);

} // namespace greenroom::http::internal
