/// The options of an actor system, and where they come from. Later sources win: code < file <
/// environment < command line. Each option has one key in all of them: step_budget in code and
/// file, GREENROOM_STEP_BUDGET in the environment, --step-budget on the command line.
/// Thread safety: distinct objects from any threads; the environment must not be changed while it
/// is read.
/// Lifetime: everything is copied; nothing refers to its source afterwards.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

/// Returns the processors that this process may keep busy, from 1 to 1024: its affinity mask, and
/// the CPU limit of its control groups rounded up.
/// Cost: reads a few small files of the kernel.
GREENROOM_EXPORT std::size_t default_workers();

/// How an actor system behaves. An aggregate: `options{.workers = 2}`.
/// Thread safety: see the file comment.
struct options {
  /// The system's name in logs and metrics, 1 to 64 characters. Change it where several systems
  /// share a process.
  std::string name = "greenroom";

  /// Threads that run actors and poll sockets, 1 to 1024. Fewer leave processors to the rest of the
  /// host; more than there are processors only cost.
  std::size_t workers = default_workers();

  /// Turns an actor may take in one go while its mailboxes are ready, 1 to 1,000,000; counts the
  /// awaits that did not have to wait. Fewer make the others wait less, more cost less per turn.
  std::uint32_t step_budget = 128;

  /// How long a stop waits for actors to end by themselves before it destroys them. Longer if
  /// clean-up takes longer, but shorter than the patience of whoever stops the process.
  std::chrono::milliseconds stop_limit{5'000};

  /// Most threads that blocking() may use, 1 to 4,096. They are started on demand; further calls
  /// queue.
  std::size_t blocking_threads = 64;

  /// How long an idle thread of blocking() is kept. Longer saves thread starts, shorter memory.
  std::chrono::milliseconds blocking_idle{10'000};

  /// How long an actor may keep its worker before the log names it, see also actor_system::stuck_actors(); 0 never does. Longer
  /// where actors compute much.
  std::chrono::milliseconds stuck_limit{1'000};

  /// How often to look for deadlocks, see deadlock.hpp; what stands in two searches is logged. 0 never does. A search that is slow
  /// is made less often, so that all of them take a hundredth of one processor at most; above 50,000 actors none is made.
  std::chrono::milliseconds deadlock_check{250};

  /// The least important lines that are logged: trace, debug, info, warn, error or off. Without
  /// effect on an injected logger.
  std::string log_level = "info";

  /// Events that the flight recorder keeps for each worker, see flight_recorder.hpp, up to 1,048,576, rounded up to a power of two; 0 switches
  /// the recorder off. Each takes 24 bytes. More look further back; so many that they do not fit into a core's cache cost more time.
  std::size_t flight_events = 1'024;

  /// Lines of the log, and as many texts of items, that the flight recorder keeps, up to 65,536. Each takes 160 bytes and its text, which is
  /// cut after 400.
  std::size_t flight_lines = 256;

  /// How much of the text of each taken item the flight recorder keeps, up to 4,096 bytes; 0 keeps only those of mailboxes that ask for it, 200
  /// bytes of each. For finding faults: making the texts costs time, and they may say what is nobody's business.
  std::size_t flight_items = 0;

  /// Seed of all random choices of the system; 0 draws one from the operating system. Set it to
  /// repeat a run.
  std::uint64_t seed = 0;

  /// Finds the first option that is outside its allowed range.
  /// Errors: invalid_argument, naming option, value and range.
  GREENROOM_EXPORT result<void> check() const;
};

/// Sets one option from text: "4", "info", or a duration as "500ms", "2s", "5min", "1h".
/// Errors: not_found for an unknown key, with the nearest known one; invalid_argument for a bad
/// value, naming key, value and expected form. `target` is then unchanged.
GREENROOM_EXPORT result<void> set(options& target, std::string_view key, std::string_view value);

/// Returns `base` overlaid with the table [greenroom] of a TOML file; without that table, `base`.
/// Other tables are the host's and ignored.
/// Waits: blocks the thread.
/// Errors: not_found or io when the file cannot be read; parse, invalid_argument or not_found (for
/// a key) with file, line and column; unsupported in a build without TOML.
GREENROOM_EXPORT result<options> load_file(options base, const std::filesystem::path& path);

/// Returns `base` overlaid with the environment variables that start with `prefix`.
/// Errors: as set(), naming the variable: one with the prefix that is no option is an error too.
GREENROOM_EXPORT result<options> load_environment(options base, std::string_view prefix = "GREENROOM_");

/// What to do with arguments that are not options of the system.
enum class other_arguments : std::uint8_t {
  keep,   ///< leave them to the host, in parsed_arguments::rest
  refuse, ///< they are errors, up to "--"
};

/// A command line, split into what is ours and what is the host's.
struct parsed_arguments {
  options values;
  std::vector<std::string> rest; ///< in order, without the program's name; "--" and what follows included
  bool help = false;             ///< --help was given: print options_help()
};

/// Returns `base` overlaid with `--workers 2` or `--workers=2` and the like; the last of several
/// wins. It cannot know which arguments of the host take a value: one that looks like ours is taken
/// for ours.
/// Errors: as set(), naming the argument; invalid_argument when its value is missing.
GREENROOM_EXPORT result<parsed_arguments> load_arguments(options base, int argc, const char* const* argv,
                                                         other_arguments others = other_arguments::keep);

/// Does it all in the order of precedence; the file is the one of `--config FILE`, if given.
/// Errors: as load_file(), load_environment() and load_arguments().
GREENROOM_EXPORT result<parsed_arguments> load_all(options base, int argc, const char* const* argv,
                                                   other_arguments others = other_arguments::keep);

/// One option as a command line spells it.
struct option_description {
  std::string argument; ///< "--step-budget"
  std::string meaning;  ///< with form and default, without a full stop
};

/// Returns what options_help() says, for programs with a help, completions or a manual page of their own.
GREENROOM_EXPORT std::vector<option_description> described_options();

/// Returns the text for --help: each option with its meaning, form and default. Not --config, which
/// only load_all() knows.
GREENROOM_EXPORT std::string options_help();

} // namespace greenroom
