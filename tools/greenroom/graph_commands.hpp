// `greenroom run`, `check`, `graph` and `nodes`: graphs from files, with nodes from libraries only. What they do is
// greenroom/actors/graph_command.hpp; `graph` with the address of a service draws that one's.
#pragma once

#include <greenroom/tools/greenroom/command.hpp>

namespace cli {

extern const command run_command;
extern const command check_command;
extern const command graph_command;
extern const command nodes_command;

} // namespace cli
