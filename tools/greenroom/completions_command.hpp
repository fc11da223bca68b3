// `greenroom completions`: what a shell must know to complete its command lines, made from the table of the commands.
#pragma once

#include <greenroom/tools/greenroom/command.hpp>

namespace cli {

extern const command completions_command;

} // namespace cli
