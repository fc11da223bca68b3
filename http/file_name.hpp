// file_name: names of files that a stranger chose. When to use: before the name that came with an upload becomes a file's name on this machine.
// A name that you make yourself, with the sent one kept as data, is better still.
// Thread safety: pure functions. Lifetime: what they return owns its bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::http {

/// Returns the name if a file of that name lies in the directory in which it is made, and nowhere else; nothing otherwise: for an empty one, for
/// "." and "..", for more than 255 bytes, for a slash or a backslash anywhere, for a control character (NUL and line ends among them), and for
/// what is not UTF-8, since a later reader may take its bytes for a slash.
///
/// Nothing is cut off or replaced: two names that differ stay different, and a name with a path is a reason for doubt. It may
/// still begin with a dot or a dash, exist already, or have an extension that a web server runs.
/// Source: 255 bytes are NAME_MAX of Linux's file systems.
GREENROOM_EXPORT std::optional<std::string> safe_file_name(std::string_view sent);

} // namespace greenroom::http
