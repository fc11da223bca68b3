// The command `greenroom`: graphs from files, with nodes from libraries only. --help says more.
#include <greenroom/actors/graph_command.hpp>

int main(int argc, char** argv) { return greenroom::graph_command({}, argc, argv); }
