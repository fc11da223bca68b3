// `greenroom load URL`: sends requests by a schedule and says how long the answers took.
#pragma once

#include <greenroom/tools/greenroom/command.hpp>

namespace cli {
extern const command load_command;
}
