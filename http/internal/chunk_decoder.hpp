// Takes a chunked body apart, however its bytes are split over reads. Chunk extensions are checked and dropped,
// trailers are kept.
// Thread safety: owner only. Source: RFC 9112 section 7.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <greenroom/http/detail/trailer_section.hpp>
#include <greenroom/http/internal/refusal.hpp>
#include <greenroom/http/limits.hpp>

namespace greenroom::http::internal {

class chunk_decoder {
public:
  enum class outcome : std::uint8_t { more, done, failed };

  /// Takes from `bytes` what belongs to the body, appends its content to `body`, and takes what it used off `bytes`. `body` may be
  /// emptied between two calls.
  outcome decode(std::string_view& bytes, std::string& body, const limits& most, refusal& why);
  /// Sets the longest content, in place of limits::body. Units: bytes.
  void limit_body(std::uint64_t most) noexcept { most_body_ = most; }
  /// Gives the trailers; null if there are none. Requires: done.
  std::unique_ptr<detail::trailer_section> take_trailers();

private:
  enum class at : std::uint8_t {
    size_start,
    size,
    size_gap, // white space: an extension must follow
    name_start,
    name,
    name_gap,
    value_start,
    value,
    quoted,
    escaped,
    quote_end,
    malformed,
    size_end,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer_name,
    trailer_value,
    trailer_end,
    last_end
  };

  outcome take(char c, const limits& most, refusal& why);
  outcome take_size(char c, const limits& most, refusal& why);
  static at after(at now, char c) noexcept;
  outcome take_trailer(char c, const limits& most, refusal& why);

  std::optional<std::uint64_t> most_body_;
  std::uint64_t total_ = 0;   // of the chunks that have begun
  std::uint64_t left_ = 0;    // of the chunk, or its size so far
  std::uint32_t counted_ = 0; // bytes of the size line, or of all trailers
  std::uint8_t digits_ = 0;
  at at_ = at::size_start;
  std::unique_ptr<detail::trailer_section> trailers_; // their lines, so far
  std::uint32_t trailer_lines_ = 0;
};

} // namespace greenroom::http::internal
