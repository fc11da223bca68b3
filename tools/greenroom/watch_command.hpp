// `greenroom top`, and what `greenroom graph` does with a URL: what a running service says of its graph, for a terminal and for drawing.
#pragma once

#include <greenroom/tools/greenroom/command.hpp>

namespace cli {

extern const command top_command;

/// Prints the graph of the service in the way that the options ask for. Returns the exit code.
int draw_service(const arguments& given);

} // namespace cli
