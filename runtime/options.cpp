#include <greenroom/runtime/options.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include <greenroom/runtime/detail/cgroup_limits.hpp>
#include <greenroom/runtime/detail/duration_text.hpp>
#include <greenroom/runtime/detail/edit_distance.hpp>
#include <greenroom/runtime/internal/toml_table.hpp>
#include <greenroom/runtime/log.hpp>

namespace greenroom {

namespace {

using std::chrono::milliseconds;

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

template <auto Member, std::uint64_t Least, std::uint64_t Most>
bool assign_number(options& target, std::string_view text) {
  using number = std::remove_reference_t<decltype(target.*Member)>;
  const auto parsed = parse_number<number>(text);
  if (!parsed || *parsed < Least || *parsed > Most) return false;
  target.*Member = *parsed;
  return true;
}

template <auto Member>
bool assign_duration(options& target, std::string_view text) {
  const auto parsed = detail::parse_duration(text);
  if (parsed) target.*Member = *parsed;
  return parsed.has_value();
}

bool assign_name(options& target, std::string_view text) {
  if (text.empty() || text.size() > 64) return false;
  target.name = text;
  return true;
}

bool assign_log_level(options& target, std::string_view text) {
  if (!parse_log_level(text)) return false;
  target.log_level = text;
  return true;
}

template <auto Member>
std::string show(const options& from) {
  if constexpr (std::is_same_v<std::remove_cvref_t<decltype(from.*Member)>, milliseconds>) {
    return detail::show_duration(from.*Member);
  } else {
    return fmt::format("{}", from.*Member);
  }
}

/// One option: everything but the documentation for programmers comes from here.
struct row {
  std::string_view key;
  std::string_view meaning;
  std::string_view form;
  bool (*assign)(options& target,
                 std::string_view text);    // false, and nothing changed: not of that form
  std::string (*show)(const options& from); // what assign() understands, if it is allowed
};

using detail::duration_form;

constexpr std::array<row, 13> rows{{
    {"name", "name of the system in logs and metrics", "a text of 1 to 64 characters", assign_name,
     show<&options::name>},
    {"workers", "threads that run actors and poll sockets", "a whole number from 1 to 1024",
     assign_number<&options::workers, 1, 1024>, show<&options::workers>},
    {"step_budget", "turns an actor may take in one go", "a whole number from 1 to 1000000",
     assign_number<&options::step_budget, 1, 1'000'000>, show<&options::step_budget>},
    {"stop_limit", "how long a stop waits for actors to end by themselves", duration_form,
     assign_duration<&options::stop_limit>, show<&options::stop_limit>},
    {"blocking_threads", "most threads for blocking calls", "a whole number from 1 to 4096",
     assign_number<&options::blocking_threads, 1, 4096>, show<&options::blocking_threads>},
    {"blocking_idle", "how long an idle thread for blocking calls is kept", duration_form,
     assign_duration<&options::blocking_idle>, show<&options::blocking_idle>},
    {"stuck_limit", "how long an actor may keep its worker before the log names it, 0s for ever", duration_form,
     assign_duration<&options::stuck_limit>, show<&options::stuck_limit>},
    {"deadlock_check", "how often to look for deadlocks, 0s never", duration_form,
     assign_duration<&options::deadlock_check>, show<&options::deadlock_check>},
    {"log_level", "least important lines that are logged", "one of trace, debug, info, warn, error, off",
     assign_log_level, show<&options::log_level>},
    {"flight_events", "events that the flight recorder keeps for each worker, 0 for none",
     "a whole number from 0 to 1048576", assign_number<&options::flight_events, 0, 1'048'576>,
     show<&options::flight_events>},
    {"flight_lines", "lines of the log, and texts of items, that the flight recorder keeps",
     "a whole number from 0 to 65536", assign_number<&options::flight_lines, 0, 65'536>, show<&options::flight_lines>},
    {"flight_items", "bytes of the text of each taken item that are kept, 0 for none", "a whole number from 0 to 4096",
     assign_number<&options::flight_items, 0, 4'096>, show<&options::flight_items>},
    {"seed", "seed of all random choices, 0 to draw one", "a whole number from 0 to 18446744073709551615",
     assign_number<&options::seed, 0, ~std::uint64_t{0}>, show<&options::seed>},
}};

const row* find(std::string_view key) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const row& one) { return one.key == key; });
  return found == rows.end() ? nullptr : &*found;
}

error unknown_option(std::string_view key) {
  const auto distance = [&](const row& one) { return detail::edit_distance(key, one.key); };
  const row& nearest = *std::min_element(rows.begin(), rows.end(),
                                         [&](const row& a, const row& b) { return distance(a) < distance(b); });
  return error{errc::not_found, fmt::format("unknown option: {}: the nearest is {}", key, nearest.key)};
}

error bad_option(const row& of, std::string_view what) {
  return error{errc::invalid_argument, fmt::format("bad option: {}: {} is not {}", of.key, what, of.form)};
}

std::string in_quotes(std::string_view value) { return fmt::format("\"{}\"", value); }

error at_place(std::string_view place, const error& why) {
  return error{why.code(), fmt::format("{}: {}", place, why.message())};
}

/// "step_budget" for "STEP_BUDGET" and "step-budget".
std::string key_of(std::string_view spelled) {
  std::string key{spelled};
  for (char& c : key) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '-') c = '_';
  }
  return key;
}

} // namespace

std::size_t default_workers() { return std::min(detail::usable_cpus(), std::size_t{1024}); }

result<void> options::check() const {
  options scratch = *this;
  for (const row& one : rows) {
    const std::string value = one.show(*this);
    if (!one.assign(scratch, value)) return bad_option(one, in_quotes(value));
  }
  return {};
}

result<void> set(options& target, std::string_view key, std::string_view value) {
  const row* found = find(key);
  if (found == nullptr) return unknown_option(key);
  if (!found->assign(target, value)) return bad_option(*found, in_quotes(value));
  return {};
}

result<options> load_file(options base, const std::filesystem::path& path) {
  const auto entries = internal::read_toml_table(path, "greenroom");
  if (!entries) return entries.error();
  for (const auto& [key, value, is_table, key_place, value_place] : *entries) {
    const row* found = find(key);
    if (found == nullptr) return at_place(key_place, unknown_option(key));
    if (value && found->assign(base, *value)) continue;
    return at_place(value_place, bad_option(*found, value ? in_quotes(*value) : "a value of this type"));
  }
  return base;
}

result<options> load_environment(options base, std::string_view prefix) {
  for (const char* const* entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view variable{*entry};
    const auto equals = variable.find('=');
    if (!variable.starts_with(prefix) || equals == std::string_view::npos || equals < prefix.size()) continue;
    const auto name = variable.substr(0, equals);
    const auto done = set(base, key_of(name.substr(prefix.size())), variable.substr(equals + 1));
    if (!done) return at_place(fmt::format("environment variable {}", name), done.error());
  }
  return base;
}

namespace {

/// A command line before its values are read.
struct scanned_arguments {
  struct setting {
    std::string argument; // as spelled, for messages
    std::string key;
    std::string value;
  };
  std::vector<setting> settings;
  std::vector<std::string> rest;
  std::size_t refusable = 0; // the arguments in rest that stood before "--"
  bool help = false;
};

constexpr std::string_view config_key = "config";

result<scanned_arguments> scan(int argc, const char* const* argv, bool with_config) {
  scanned_arguments out;
  int i = std::min(argc, 1);
  for (; i < argc && std::string_view{argv[i]} != "--"; ++i) {
    const std::string_view argument{argv[i]};
    const auto equals = std::min(argument.find('='), argument.size());
    const std::string key = argument.starts_with("--") ? key_of(argument.substr(2, equals - 2)) : "";
    if (key == "help") {
      out.help = true;
    } else if (find(key) == nullptr && !(with_config && key == config_key)) {
      out.rest.emplace_back(argument);
    } else if (equals < argument.size()) {
      out.settings.push_back({std::string{argument.substr(0, equals)}, key, std::string{argument.substr(equals + 1)}});
    } else if (i + 1 < argc) {
      out.settings.push_back({std::string{argument}, key, argv[++i]});
    } else {
      return error{errc::invalid_argument, fmt::format("argument {}: its value is missing", argument)};
    }
  }
  out.refusable = out.rest.size();
  out.rest.insert(out.rest.end(), argv + i, argv + std::max(argc, i));
  return out;
}

error refused(std::string_view argument) {
  if (argument.starts_with("--")) {
    const auto name = argument.substr(2, argument.find('=') - 2);
    return at_place(fmt::format("argument {}", argument), unknown_option(key_of(name)));
  }
  return error{errc::invalid_argument, fmt::format("argument {}: not expected here", argument)};
}

result<parsed_arguments> apply(options base, scanned_arguments scanned, other_arguments others) {
  if (others == other_arguments::refuse && scanned.refusable > 0) return refused(scanned.rest.front());
  for (const auto& [argument, key, value] : scanned.settings) {
    if (key == config_key) continue;
    if (const auto done = set(base, key, value); !done)
      return at_place(fmt::format("argument {}", argument), done.error());
  }
  return parsed_arguments{std::move(base), std::move(scanned.rest), scanned.help};
}

} // namespace

result<parsed_arguments> load_arguments(options base, int argc, const char* const* argv, other_arguments others) {
  auto scanned = scan(argc, argv, false);
  if (!scanned) return scanned.error();
  return apply(std::move(base), *std::move(scanned), others);
}

result<parsed_arguments> load_all(options base, int argc, const char* const* argv, other_arguments others) {
  auto scanned = scan(argc, argv, true);
  if (!scanned) return scanned.error();
  result<options> loaded = std::move(base);
  for (const auto& one : scanned->settings) {
    if (one.key == config_key && loaded) loaded = load_file(*std::move(loaded), one.value);
  }
  if (loaded) loaded = load_environment(*std::move(loaded));
  if (!loaded) return loaded.error();
  return apply(*std::move(loaded), *std::move(scanned), others);
}

std::vector<option_description> described_options() {
  const options defaults;
  std::vector<option_description> all;
  for (const row& one : rows) {
    std::string argument = fmt::format("--{}", one.key);
    std::replace(argument.begin(), argument.end(), '_', '-');
    all.push_back({std::move(argument), fmt::format("{}: {} (default {})", one.meaning, one.form, one.show(defaults))});
  }
  return all;
}

std::string options_help() {
  std::string text = "Options of the actor system (command line over environment over file):\n";
  for (const auto& one : described_options()) text += fmt::format("  {} VALUE\n      {}\n", one.argument, one.meaning);
  return text;
}

} // namespace greenroom
