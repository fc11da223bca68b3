/// host_options: a program's own options, from the same places as those of its actor system, and read together with them.
///
///   struct settings { options system; std::string host = "127.0.0.1"; std::uint16_t port = 8080; std::chrono::milliseconds stop_time{8'000}; };
///   settings s;
///   host_options own("shop");
///   own.add("host", s.host, "numeric address to listen at");
///   own.add("port", s.port, "port to listen at, 0 picks a free one");
///   own.add("stop_time", s.stop_time, "how long an orderly stop may take", 0s, 1h);
///   auto given = own.load(s.system, argc, argv);      // result<parsed_arguments>: the options of the system, and whether --help was given
///
/// Later sources win: code < file < environment < command line. The option "stop_time" is stop_time in the table [shop] of the file that
/// --config names, SHOP_STOP_TIME in the environment, and --stop-time on the command line.
/// Thread safety: one thread; the environment must not be changed while it is read. Lifetime: what options are read into outlives it.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/options.hpp>

namespace greenroom {

/// Thread safety and lifetime: see the file comment.
class GREENROOM_EXPORT host_options {
public:
  /// `name` is that of the table, and in capitals with an underscore, '-' as '_', the prefix of the environment variables.
  explicit host_options(std::string name);

  // Each adds an option that is read into `target`, whose value is the default. `meaning` is a phrase for --help.
  // Errors: usage_error for a key that is taken, by an option of the system too, or that is not of lower-case letters, digits and '_'.

  void add(std::string key, std::string& target, std::string meaning);
  void add(std::string key, std::filesystem::path& target, std::string meaning);
  /// "true" or "false"; --key alone is no value.
  void add(std::string key, bool& target, std::string meaning);
  void add(std::string key, std::chrono::milliseconds& target, std::string meaning, std::chrono::milliseconds least,
           std::chrono::milliseconds most);
  template <std::unsigned_integral Number>
  void add(std::string key, Number& target, std::string meaning, Number least = 0,
           Number most = std::numeric_limits<Number>::max()) {
    add_number(
        std::move(key), [&target](std::uint64_t n) { target = static_cast<Number>(n); }, target, std::move(meaning),
        least, most);
  }

  /// Lets the file have a table of that name, which the program reads by itself. Any other is taken for a mis-spelt one.
  void pass_over(std::string table);

  /// Reads all options, those of the system as load_all() does. An environment variable with the prefix that is no option is passed
  /// over: orchestrators set some by the name of a service. What stands besides options is refused, or kept in parsed_arguments::rest.
  /// Waits: blocks the thread. Errors: as load_all(), naming file and line, variable or argument; targets may have been set by then.
  result<parsed_arguments> load(options system, int argc, const char* const* argv,
                                other_arguments others = other_arguments::refuse) const;

  /// Returns the text for --help: these options, --config, and those of the system.
  std::string help() const;

private:
  struct row {
    std::string key;
    std::string meaning;
    std::string form;
    std::string standard; // the default
    std::function<bool(std::string_view)> assign;
  };

  void add_row(row made);
  void add_number(std::string key, std::function<void(std::uint64_t)> assign, std::uint64_t standard,
                  std::string meaning, std::uint64_t least, std::uint64_t most);
  const row* find(std::string_view key) const;
  result<void> set(std::string_view key, std::string_view value) const;
  error unknown(std::string_view key) const;
  result<void> check_tables(const std::filesystem::path& file) const;
  result<void> load_table(const std::filesystem::path& file) const;
  result<void> load_variables() const;
  result<void> load_rest(std::vector<std::string>& rest, other_arguments others) const;

  std::string name_;
  std::vector<row> rows_;
  std::vector<std::string> tables_; // that a file may have
};

} // namespace greenroom
