// `greenroom top`, and what `greenroom graph` does with a URL: what a running service says of its graph, for a terminal and for drawing.
#pragma once

#include <string_view>

#include <greenroom/tools/greenroom/command.hpp>

namespace cli {

extern const command top_command;

/// Whether it is the address of a service and no file.
bool is_url(std::string_view text);
/// Prints the graph of the service in the way that the options ask for. Returns the exit code.
int draw_service(const arguments& given);

} // namespace cli
