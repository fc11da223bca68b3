// Texts of others, made fit for a terminal. Thread safety: a pure function.
#pragma once

#include <string>

namespace cli {

/// Replaces what would command a terminal by '?', and bytes that are no UTF-8, too.
void make_plain(std::string& text);

} // namespace cli
