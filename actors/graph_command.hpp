// graph_command: the command `greenroom`, which runs, checks and draws the graphs of files, for a program of one's own with the nodes
// that are compiled into it.
//
//   int main(int argc, char** argv) {
//     node_library nodes;
//     nodes.add("read", read_orders).add("price", price);
//     return graph_command(nodes, argc, argv);
//   }
//
// For a program that only wants to run a graph beside other work see graph_file.hpp.
// Thread safety: called once, on the main thread: it owns the signals SIGINT and SIGTERM, and standard output. Lifetime: returns when all is over.
#pragma once

#include <greenroom/actors/node_library.hpp>

namespace greenroom {

/// Does what the arguments say, see `--help`: run, check, graph or nodes; the options of the system are those of load_all(), over the
/// table [greenroom] of the graph's file. Results go to standard output, what is wrong to standard error, all of it at once.
/// Returns 0 when the graph ended, or was drained, in order and no item is unaccounted for; when a file has no faults; 2 for a
/// wrong command line; else 1.
/// Waits: blocks the thread.
GREENROOM_EXPORT int graph_command(const node_library& nodes, int argc, const char* const* argv);

} // namespace greenroom
