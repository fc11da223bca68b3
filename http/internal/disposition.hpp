// The Content-Disposition of a part of a form.
// Thread safety: pure functions. Source: RFC 7578 section 4.2; RFC 8187 for filename*.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace greenroom::http::internal {

struct disposition {
  std::string name;
  std::optional<std::string> file_name;
};

/// Reads `form-data; name="a"; filename="b"`. Where there is a filename*, it is the name of the file: RFC 7578 does not want it, but .NET sends
/// it beside a filename that is garbled. It must be in UTF-8 and without control characters. Returns what is wrong, as the end of a sentence; ""
/// if nothing is.
std::string_view parse_disposition(std::string_view value, disposition& into);

} // namespace greenroom::http::internal
