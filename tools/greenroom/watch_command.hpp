// `greenroom top` and `greenroom graph URL`: what a running service says of its graph, for a terminal and for drawing.
#pragma once

#include <string_view>

/// Returns whether the arguments ask for this: `top`, or `graph` with the address of a service.
bool is_watch_command(int argc, const char* const* argv);
/// Returns the program's exit code. Waits: blocks the thread, until the user ends it.
int watch_command(int argc, const char* const* argv);
/// What --help says of it.
extern const std::string_view watch_usage;
