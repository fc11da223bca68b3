// The table of the sub-commands, and the help that is made of it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <greenroom/tools/greenroom/command.hpp>

namespace cli {

/// In the order of the help.
std::span<const command* const> commands();
/// Null if there is none of that name.
const command* find_command(std::string_view name);

/// The text of `greenroom help`.
std::string overview();
/// The text of `greenroom NAME --help`.
std::string help_of(const command& c);
/// "greenroom top URL [--once] [--every TIME] ...", in one line.
std::string synopsis_of(const command& c);

} // namespace cli
