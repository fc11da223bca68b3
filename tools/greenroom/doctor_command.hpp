// `greenroom doctor`: what of this machine bites a service in operation, and what to type about it.
#pragma once

#include <greenroom/tools/greenroom/command.hpp>

namespace cli {

extern const command doctor_command;

} // namespace cli
