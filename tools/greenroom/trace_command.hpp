// `greenroom trace FILE|URL`: what a flight recorder has kept, of a service that runs or from a file.
#pragma once

#include <greenroom/tools/greenroom/command.hpp>

namespace cli {
extern const command trace_command;
}
