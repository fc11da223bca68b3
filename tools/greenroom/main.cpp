// The command `greenroom`: finds the sub-command in the table, reads its command line, and runs it.
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <greenroom/runtime/version.hpp>
#include <greenroom/tools/greenroom/arguments.hpp>
#include <greenroom/tools/greenroom/commands.hpp>

namespace {

int print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return 0;
}

int unknown(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto* c : cli::commands()) {
    if (!c->is_hidden) names.push_back(c->name);
  }
  const auto near = cli::nearest(name, names);
  return cli::fail_usage(near.empty() ? fmt::format("'{}' is no command; `greenroom help` lists them", name)
                                      : fmt::format("'{}' is no command; near is {}", name, fmt::join(near, ", ")));
}

int help(std::string_view name) {
  if (name.empty()) return print(cli::overview());
  const auto* const c = cli::find_command(name);
  return c == nullptr ? unknown(name) : print(cli::help_of(*c));
}

int run(const cli::command& c, int argc, const char* const* argv) {
  const auto given = cli::arguments::read(c, argc, argv);
  if (!given)
    return cli::fail_usage(fmt::format("{}; `greenroom {} --help` says more", given.error().message(), c.name));
  if (given->has("--help")) return print(cli::help_of(c));
  return c.run(*given);
}

} // namespace

int main(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "help";
  if (first == "help" || first == "--help" || first == "-h") return help(argc > 2 ? argv[2] : "");
  if (first == "--version") return print("greenroom " GREENROOM_VERSION "\n");
  const auto* const c = cli::find_command(first);
  if (c == nullptr) return unknown(first);
  try {
    const int code = run(*c, argc, argv);
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
    return cli::fail("the result cannot be written: is the disk full?");
  } catch (const std::exception& e) { // no memory, no threads, options out of range
    return cli::fail(e.what());
  }
}
