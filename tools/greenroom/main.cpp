// The command `greenroom`: graphs from files, with nodes from libraries only, and the graphs of services that run. --help says more.
#include <cstdio>
#include <cstring>

#include <greenroom/actors/graph_command.hpp>
#include <greenroom/tools/greenroom/watch_command.hpp>

int main(int argc, char** argv) {
  if (is_watch_command(argc, argv)) return watch_command(argc, argv);
  const int code = greenroom::graph_command({}, argc, argv);
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--help") == 0 && code == 0) std::fputs(watch_usage.data(), stdout);
  }
  return code;
}
