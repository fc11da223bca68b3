#include <greenroom/tools/greenroom/commands.hpp>

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include <greenroom/tools/greenroom/arguments.hpp>
#include <greenroom/tools/greenroom/bench_command.hpp>
#include <greenroom/tools/greenroom/completions_command.hpp>
#include <greenroom/tools/greenroom/doctor_command.hpp>
#include <greenroom/tools/greenroom/graph_commands.hpp>
#include <greenroom/tools/greenroom/ledger_command.hpp>
#include <greenroom/tools/greenroom/load_command.hpp>
#include <greenroom/tools/greenroom/man_command.hpp>
#include <greenroom/tools/greenroom/new_command.hpp>
#include <greenroom/tools/greenroom/trace_command.hpp>
#include <greenroom/tools/greenroom/watch_command.hpp>

namespace cli {
namespace {

constexpr std::array table{
    // to begin with
    &new_command,
    &doctor_command,
    // graphs in files
    &run_command,
    &check_command,
    &graph_command,
    &nodes_command,
    // services that run
    &top_command,
    &load_command,
    &trace_command,
    // what they leave, and what they are made of
    &ledger_command,
    &bench_command,
    // of the command itself
    &completions_command,
    &man_command,
};

constexpr std::size_t columns = 80;

/// Breaks a paragraph into lines, each behind `indent` spaces.
std::string wrapped(std::string_view paragraph, std::size_t indent) {
  std::string text;
  std::size_t at = 0;
  while (!paragraph.empty()) {
    const auto word = paragraph.substr(0, paragraph.find_first_of(" \n"));
    paragraph.remove_prefix(std::min(word.size() + 1, paragraph.size()));
    if (at != 0 && at + 1 + word.size() > columns) {
      text += '\n';
      at = 0;
    }
    text += at == 0 ? std::string(indent, ' ') : " ";
    text += word;
    at = (at == 0 ? indent : at + 1) + word.size();
  }
  return text + "\n";
}

/// Paragraphs are wrapped; one that begins with a space stays as it is.
std::string paragraphs(std::string_view about) {
  std::string text;
  while (!about.empty()) {
    const auto end = std::min(about.find("\n\n"), about.size());
    const auto one = about.substr(0, end);
    if (!text.empty()) text += '\n';
    text += one.starts_with(' ') ? std::string(one) + "\n" : wrapped(one, 0);
    about.remove_prefix(std::min(end + 2, about.size()));
  }
  return text;
}

std::string spelled(const option& o) {
  return o.value.empty() ? std::string(o.name) : fmt::format("{} {}", o.name, o.value);
}

} // namespace

std::span<const command* const> commands() { return table; }

const command* find_command(std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(), [&](const auto* c) { return c->name == name; });
  return found == table.end() ? nullptr : *found;
}

std::string synopsis_of(const command& c) {
  auto text = fmt::format("greenroom {}", c.name);
  if (!c.takes.empty()) text += fmt::format(" {}", c.takes);
  for (const auto& o : c.options) {
    if (!o.meaning.empty()) text += fmt::format(" [{}]", spelled(o));
  }
  if (c.system_options) text += " [OPTION OF THE SYSTEM]...";
  return text;
}

std::string overview() {
  std::string text = "greenroom COMMAND [ARGUMENT]...\n\n";
  std::size_t width = 0;
  for (const auto* c : table) width = std::max(width, c->name.size());
  for (const auto* c : table) {
    if (!c->is_hidden) text += fmt::format("  {:{}}  {}\n", c->name, width, c->summary);
  }
  return text + "\n`greenroom COMMAND --help` says more of each, `man greenroom` all of it;\n"
                "`greenroom --version` prints the version. Exit codes: 0 done, 1 a finding or a\n"
                "failure, 2 a wrong command line, 130 ended by SIGINT without a result.\n";
}

std::string help_of(const command& c) {
  auto text = wrapped(synopsis_of(c), 0) + "\n" + paragraphs(c.about) + "\n";
  for (const auto& o : options_of(c)) {
    if (!o.meaning.empty()) text += fmt::format("  {}\n", spelled(o)) + wrapped(o.meaning, 6);
  }
  return text;
}

} // namespace cli
