#include <greenroom/tools/greenroom/completions_command.hpp>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <greenroom/tools/greenroom/arguments.hpp>
#include <greenroom/tools/greenroom/commands.hpp>

namespace cli {
namespace {

enum class kind { free, file, folder, choice };

kind kind_of(std::string_view word) {
  const auto names = [word](std::string_view part) {
    return word == part || word.find(std::string(part) + "|") == 0 || word.find("|" + std::string(part)) != word.npos;
  };
  if (!choices_of(word).empty()) return kind::choice;
  if (names("DIR")) return kind::folder;
  return names("FILE") || names("LIBRARY") ? kind::file : kind::free;
}

std::vector<const command*> shown_commands() {
  std::vector<const command*> shown;
  std::copy_if(commands().begin(), commands().end(), std::back_inserter(shown),
               [](const auto* c) { return !c->is_hidden; });
  return shown;
}

std::vector<option> shown_options(const command& c) {
  auto all = options_of(c);
  all.erase(std::remove_if(all.begin(), all.end(), [](const option& o) { return o.meaning.empty(); }), all.end());
  return all;
}

// -- bash -------------------------------------------------------------------------------------------------------

std::string bash_words(kind what, std::string_view word) {
  switch (what) {
  case kind::choice: return fmt::format("_greenroom_words '{}'", fmt::join(choices_of(word), " "));
  case kind::folder: return "_greenroom_files -d";
  case kind::file: return "_greenroom_files -f";
  case kind::free: break;
  }
  return ":";
}

/// The values of options, then options, then what the command takes.
std::string bash_case(const command& c) {
  std::string values, names;
  for (const auto& o : shown_options(c)) {
    names += fmt::format("{}{}", names.empty() ? "" : " ", o.name);
    if (!o.value.empty())
      values += fmt::format("        {}) {}; return ;;\n", o.name, bash_words(kind_of(o.value), o.value));
  }
  std::string text = fmt::format("    {})\n", c.name);
  if (!values.empty()) text += "      case $previous in\n" + values + "      esac\n";
  text += fmt::format("      [[ $current != -* ]] || {{ _greenroom_words '{}'; return; }}\n", names);
  const auto words = words_of(c.takes);
  if (!words.empty() && kind_of(words.front()) == kind::choice && words.size() > 1)
    text += fmt::format("      ((COMP_CWORD > 2)) || {{ {}; return; }}\n", bash_words(kind::choice, words.front()));
  if (!words.empty()) text += fmt::format("      {}\n", bash_words(kind_of(words.back()), words.back()));
  return text + "      ;;\n";
}

std::string for_bash() {
  std::string names, cases;
  for (const auto* c : shown_commands()) {
    names += fmt::format("{} ", c->name);
    cases += bash_case(*c);
  }
  return fmt::format(R"(# Completion of greenroom(1) for bash; made by `greenroom completions bash`.

_greenroom_words() {{ mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }}

_greenroom_files() {{
  compopt -o filenames 2>/dev/null || : # called by hand
  mapfile -t COMPREPLY < <(compgen "$1" -- "$current")
}}

_greenroom() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _greenroom_words '{}help --help --version'
    return
  fi
  # bash parts --option=value at the '='
  if [[ $current == = ]]; then current=
  elif [[ $previous == = ]]; then previous=${{COMP_WORDS[COMP_CWORD - 2]}}
  fi
  case ${{COMP_WORDS[1]}} in
    help) _greenroom_words '{}' ;;
{}  esac
}}

complete -F _greenroom greenroom
)",
                     names, names, cases);
}

// -- zsh --------------------------------------------------------------------------------------------------------

/// For between brackets and single quotes.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out;
}

std::string zsh_action(std::string_view word) {
  switch (kind_of(word)) {
  case kind::choice: return fmt::format("({})", fmt::join(choices_of(word), " "));
  case kind::folder: return "_files -/";
  case kind::file: return "_files";
  case kind::free: break;
  }
  return " ";
}

std::string zsh_case(const command& c) {
  std::string text = fmt::format("        {})\n          _arguments \\\n", c.name);
  for (const auto& o : shown_options(c)) {
    text += fmt::format("            '*{}[{}]", o.name, zsh_text(o.meaning));
    text += o.value.empty() ? "' \\\n" : fmt::format(":{}:{}' \\\n", zsh_text(o.value), zsh_action(o.value));
  }
  const auto words = words_of(c.takes);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool many = i + 1 == words.size() && c.takes.find("...") != c.takes.npos;
    text +=
        fmt::format("            '{}:{}:{}' \\\n", many ? "*" : std::to_string(i + 1), words[i], zsh_action(words[i]));
  }
  return text + "            && return\n          ;;\n";
}

std::string for_zsh() {
  std::string names, cases;
  for (const auto* c : shown_commands()) {
    names += fmt::format("        '{}:{}'\n", c->name, zsh_text(c->summary));
    cases += zsh_case(*c);
  }
  return fmt::format(R"(#compdef greenroom
# Completion of greenroom(1) for zsh; made by `greenroom completions zsh`.

_greenroom() {{
  local curcontext="$curcontext" state line
  _arguments -C '--help[list the commands]' '--version[print the version]' '1:command:->command' '*::argument:->argument' && return
  case $state in
    command)
      local -a names=(
{}        'help:lists the commands'
      )
      _describe command names && return
      ;;
    argument)
      case $words[1] in
{}      esac
      ;;
  esac
  return 1
}}

# Loaded by zsh it is the function itself; read by a shell it is to be told of.
if [[ $funcstack[1] == _greenroom ]]; then
  _greenroom "$@"
else
  compdef _greenroom greenroom
fi
)",
                     names, cases);
}

// -- fish -------------------------------------------------------------------------------------------------------

std::string fish_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_action(std::string_view word) {
  switch (kind_of(word)) {
  case kind::choice: return fmt::format(" -x -a '{}'", fmt::join(choices_of(word), " "));
  case kind::folder: return " -x -a '(__fish_complete_directories)'";
  case kind::file: return " -r -F";
  case kind::free: break;
  }
  return " -x";
}

std::string for_fish() {
  std::string text =
      "# Completion of greenroom(1) for fish; made by `greenroom completions fish`.\ncomplete -c greenroom -f\n";
  text += "complete -c greenroom -n __fish_use_subcommand -l help -d 'list the commands'\n"
          "complete -c greenroom -n __fish_use_subcommand -l version -d 'print the version'\n";
  for (const auto* c : shown_commands())
    text += fmt::format("complete -c greenroom -n __fish_use_subcommand -a {} -d {}\n", c->name, fish_text(c->summary));
  for (const auto* c : shown_commands()) {
    const auto begin = fmt::format("complete -c greenroom -n '__fish_seen_subcommand_from {}'", c->name);
    for (const auto& o : shown_options(*c)) {
      text += fmt::format("{} -l {}{} -d {}\n", begin, o.name.substr(2), o.value.empty() ? "" : fish_action(o.value),
                          fish_text(o.meaning));
    }
    for (const auto word : words_of(c->takes)) {
      if (kind_of(word) == kind::choice) text += fmt::format("{} -a '{}'\n", begin, fmt::join(choices_of(word), " "));
      if (kind_of(word) == kind::file) text += begin + " -F\n";
    }
  }
  return text;
}

int print_completions(const arguments& given) {
  const auto& shell = given.rest().front();
  std::fputs((shell == "bash" ? for_bash() : shell == "zsh" ? for_zsh() : for_fish()).c_str(), stdout);
  return 0;
}

} // namespace

constinit const command completions_command{
    "completions",
    "bash|zsh|fish",
    "prints what a shell needs to complete command lines",
    "Prints the completions for a shell. An installed Greenroom has them at their places already; from a build:\n\n"
    "  source <(greenroom completions bash)\n  source <(greenroom completions zsh)       # after compinit\n"
    "  greenroom completions fish | source",
    {},
    print_completions};

} // namespace cli
