// The lines of a header section, as requests and answers have them: taking one apart, and reading the fields that say where the message
// ends.
// Thread safety: pure functions. Lifetime: what they return views the line, or is a literal. Source: RFC 9112 sections 5 and 6.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/message.hpp>

namespace greenroom::http::internal {

/// Returns the length of the name that a line begins with, or 0 if it is no field. The line is given without its end.
inline std::size_t field_name_length(std::string_view line) noexcept {
  const auto length = span_of_name(line);
  return length < line.size() && line[length] == ':' ? length : 0;
}

/// Takes a line apart. Requires: the length is right and not 0.
inline field split_field(std::string_view line, std::size_t name_length) noexcept {
  return {line.substr(0, name_length), trimmed(line.substr(name_length + 1))};
}

/// Says why a line is no field; one that has a name holds a control character. Apart from the above, as it is hardly ever called.
[[gnu::cold]] inline const char* why_no_field(std::string_view line) noexcept {
  if (field_name_length(line) != 0) return "the value of a header field holds a control character";
  if (line.front() == ' ' || line.front() == '\t')
    return "a header field is folded over more than one line, or a line begins with white space";
  return "a header field has no name of allowed characters with a colon right behind it";
}

/// Returns the value of the first field of that name, without regard to case; nothing if there is none.
inline std::optional<std::string_view> find_field(std::span<const field> fields, std::string_view name) noexcept {
  for (const auto& f : fields) {
    const bool same = std::equal(f.name.begin(), f.name.end(), name.begin(), name.end(),
                                 [](char a, char b) { return to_lower(a) == to_lower(b); });
    if (same) return f.value;
  }
  return std::nullopt;
}

/// Reads the value of a Content-Length field; nothing unless it is one number of at most 64 bits. Units: bytes.
inline std::optional<std::uint64_t> read_content_length(std::string_view value) noexcept {
  std::uint64_t length = 0;
  const auto end = value.data() + value.size();
  const auto read = std::from_chars(value.data(), end, length);
  if (value.empty() || !all_of(value, digit_char) || read.ptr != end || read.ec != std::errc()) return std::nullopt;
  return length;
}

/// What the Transfer-Encoding fields of a message say, all together.
struct transfer_coding {
  bool given = false;
  bool chunked = false; ///< the last coding is chunked
  bool other = false;   ///< there is another one before it

  /// Adds the value of one field. Returns null, or why it is malformed. More strictly than other lists: an element that is empty is
  /// one that another program may see otherwise.
  const char* read(std::string_view value) noexcept {
    given = true;
    for (bool last = false; !last;) {
      const auto comma = value.find(',');
      const auto coding = trimmed(value.substr(0, comma));
      if (coding.empty()) return "the Transfer-Encoding has an empty element";
      if (chunked) return "the Transfer-Encoding names chunked twice, or not as the last";
      chunked = same_word(coding, "chunked");
      other |= !chunked;
      last = comma == value.npos;
      value.remove_prefix(last ? value.size() : comma + 1);
    }
    return nullptr;
  }
};

} // namespace greenroom::http::internal
