// The command line of a sub-command, read by its table: `--every 2s` and `--every=2s` alike; `--` ends the options.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/stop_signal.hpp>
#include <greenroom/tools/greenroom/command.hpp>

namespace cli {

class arguments {
public:
  /// `argv` is main's: the first is the program, the second the command. Errors: a sentence, for an option that the command does not
  /// have, a value that is missing or too much, or too few or too many other arguments.
  static greenroom::result<arguments> read(const command& of, int argc, const char* const* argv);

  /// What stands there besides options, in order.
  const std::vector<std::string>& rest() const noexcept { return rest_; }
  /// Whether the option was given. `name` is as in the table: "--json".
  bool has(std::string_view name) const { return text(name).has_value(); }
  /// The value of the option; of the last one where it is given several times.
  std::optional<std::string> text(std::string_view name) const;
  /// The values of an option that may be given several times.
  std::vector<std::string> all(std::string_view name) const;

  // The value as what it should be, or `otherwise`, which need not lie between. Errors: a sentence that names option, value and range.
  greenroom::result<std::chrono::milliseconds> time(std::string_view name, std::chrono::milliseconds otherwise,
                                                    std::chrono::milliseconds least,
                                                    std::chrono::milliseconds most) const;
  greenroom::result<std::uint64_t> number(std::string_view name, std::uint64_t otherwise, std::uint64_t least,
                                          std::uint64_t most) const;
  greenroom::result<double> real(std::string_view name, double otherwise, double least, double most) const;

  // As main got them, for what reads them by itself.
  int argc() const noexcept { return argc_; }
  const char* const* argv() const noexcept { return argv_; }

private:
  std::vector<std::pair<std::string, std::string>> options_; // name and value, which is empty for a switch
  std::vector<std::string> rest_;
  int argc_ = 0;
  const char* const* argv_ = nullptr;
};

/// Reads a number as "2.5"; nothing of anything else.
std::optional<double> read_real(std::string_view text);

/// All options of a command, with those of the actor system if it takes them, and --help.
std::vector<option> options_of(const command& c);

/// The words of what a command takes, without brackets: {"verify", "FILE"}.
std::vector<std::string_view> words_of(std::string_view takes);
/// What may stand for a word or the value of an option: {"dot", "mermaid"} for "dot|mermaid"; empty if it is free.
std::vector<std::string_view> choices_of(std::string_view word);

/// Returns those of `known` that are spelled most like it, at most three; none if all are quite different.
std::vector<std::string_view> nearest(std::string_view spelled, const std::vector<std::string_view>& known);

/// Writes `greenroom: why` to standard error and returns the code.
int fail(std::string_view why, int code = 1);
/// The same for a wrong command line: 2.
int fail_usage(std::string_view why);
/// The same for what a signal, which has come, has ended before it had a result: 130 for SIGINT, 143 for SIGTERM, as shells have it.
int fail_interrupted(greenroom::stop_signal& asked);

} // namespace cli
