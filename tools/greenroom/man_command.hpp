// `greenroom man`: the manual page greenroom(1), made from the table of the commands while Greenroom is built.
#pragma once

#include <greenroom/tools/greenroom/command.hpp>

namespace cli {

extern const command man_command;

} // namespace cli
