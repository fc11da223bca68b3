// The fields behind a chunked body. They stay apart from those of the head: nothing that comes behind a body may say what was in front of
// it. Source: RFC 9110 section 6.5.1.
// Thread safety: owner only. Lifetime: its address is constant once the fields are there: they point into `lines`.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <greenroom/http/message.hpp>

namespace greenroom::http::detail {

struct trailer_section {
  std::string lines; // as they came, each ended by CR LF; complete before any view points into it
  std::vector<field> fields;
};

/// Returns the fields of a section, none for one that is not there.
inline std::span<const field> fields_of(const trailer_section* section) noexcept {
  return section == nullptr ? std::span<const field>() : section->fields;
}

} // namespace greenroom::http::detail
