// A sub-command of `greenroom`, as data: what --help, the man page and the completions of shells say of it, and how its command line is
// read. Each is defined beside its function; commands.cpp lists them.
//
//   constexpr cli::option options[] = {{"--every", "TIME", "read so often (default 2s)"}, cli::json_option};
//   const cli::command top_command{"top", "URL", "shows a service in the terminal", "What it does, in paragraphs.", options, top};
#pragma once

#include <span>
#include <string_view>

namespace cli {

class arguments;

/// What a value is called says what shells complete it to: FILE and LIBRARY to files, DIR to folders, "dot|mermaid" to one of these.
struct option {
  std::string_view name;    // "--every"
  std::string_view value;   // "TIME"; empty: it takes none
  std::string_view meaning; // without a full stop; empty: for tests, no help names it
};

struct command {
  std::string_view name;
  std::string_view takes;   // besides options: "URL", "[LIBRARY...]", "FILE|URL"; words in brackets may be missing
  std::string_view summary; // one line of `greenroom help`: lower case, without a full stop
  std::string_view about;   // paragraphs, with an empty line between; a line that begins with a space stays as it is
  std::span<const option> options;
  /// Returns the exit code: 0 done, 1 a finding or a failure, which it has told on standard error, 2 a wrong command line,
  /// 130 SIGINT came before there was a result.
  int (*run)(const arguments& given);
  bool system_options = false; // takes those of an actor system, too: --workers and so on
  bool is_hidden = false;      // for the build and for tests: no help names it
};

constexpr option json_option{"--json", "", "print the result as one JSON document"};

} // namespace cli
