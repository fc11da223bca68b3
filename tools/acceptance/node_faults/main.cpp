// node_faults bank|client|last NAME HOST PORT FILE [CERTIFICATES]: one node of a bank and its clients, for tools/acceptance/node_faults.py.
// FILE is the bank's books, or a client's history; CERTIFICATES a folder as tools/node_certificates makes it.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include <greenroom/tools/acceptance/node_faults/types.hpp>

int main(int argc, char** argv) try {
  using namespace node_faults;
  if (argc < 6 || argc > 7) {
    std::fputs("usage: node_faults bank|client|last NAME HOST PORT FILE [CERTIFICATES]\n", stderr);
    return 2;
  }
  const arguments args{
      argv[1], argv[2], argv[3], argv[5], static_cast<std::uint16_t>(std::atoi(argv[4])), argc == 7 ? argv[6] : ""};
  if (args.role == "bank") return bank(args);
  if (args.role == "client") return client(args);
  if (args.role == "last") return last_look(args);
  std::fprintf(stderr, "node_faults: there is no role '%s'\n", argv[1]);
  return 2;
} catch (const std::exception& e) {
  std::fprintf(stderr, "node_faults: %s\n", e.what());
  return 1;
}
