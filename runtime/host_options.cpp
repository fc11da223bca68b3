#include <greenroom/runtime/host_options.hpp>

#include <algorithm>
#include <charconv>

#include <unistd.h>

#include <fmt/format.h>

#include <greenroom/runtime/detail/duration_text.hpp>
#include <greenroom/runtime/detail/edit_distance.hpp>
#include <greenroom/runtime/internal/toml_table.hpp>

namespace greenroom {

using std::chrono::milliseconds;

namespace {

error at_place(std::string_view place, const error& why) {
  return error(why.code(), fmt::format("{}: {}", place, why.message()));
}

std::string replaced(std::string text, char from, char to) {
  std::replace(text.begin(), text.end(), from, to);
  return text;
}

std::string in_capitals(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

bool is_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool is_of_system(std::string_view argument) {
  const auto all = described_options();
  return argument == "--config" || argument == "--help" ||
         std::any_of(all.begin(), all.end(), [&](const auto& o) { return o.argument == argument; });
}

/// "--stop-time" for "stop_time".
std::string argument_of(std::string_view key) { return "--" + replaced(std::string(key), '_', '-'); }

const std::string& nearest(std::string_view spelled, const std::vector<std::string>& known) {
  return *std::min_element(known.begin(), known.end(), [&](const auto& a, const auto& b) {
    return detail::edit_distance(spelled, a) < detail::edit_distance(spelled, b);
  });
}

/// Returns the value of each --config, as load_all() reads it.
std::vector<std::string> config_files(int argc, const char* const* argv) {
  constexpr std::string_view option = "--config";
  std::vector<std::string> files;
  for (int i = 1; i < argc && std::string_view(argv[i]) != "--"; ++i) {
    const std::string_view argument = argv[i];
    if (argument == option && i + 1 < argc)
      files.emplace_back(argv[++i]);
    else if (argument.starts_with("--config="))
      files.emplace_back(argument.substr(option.size() + 1));
  }
  return files;
}

} // namespace

host_options::host_options(std::string name) : name_(std::move(name)), tables_{name_, "greenroom"} {}

void host_options::pass_over(std::string table) { tables_.push_back(std::move(table)); }

void host_options::add_row(row made) {
  if (!is_key(made.key))
    throw usage_error(
        fmt::format("host_options: '{}' is no key: it is of lower-case letters, digits and '_'", made.key));
  if (find(made.key) != nullptr || is_of_system(argument_of(made.key)))
    throw usage_error(fmt::format("host_options: there is an option '{}' already", made.key));
  rows_.push_back(std::move(made));
}

void host_options::add(std::string key, std::string& target, std::string meaning) {
  add_row({std::move(key), std::move(meaning), "a text", target, [&target](std::string_view text) {
             target = text;
             return true;
           }});
}

void host_options::add(std::string key, std::filesystem::path& target, std::string meaning) {
  add_row({std::move(key), std::move(meaning), "a path", target.native(), [&target](std::string_view text) {
             target = text;
             return true;
           }});
}

void host_options::add(std::string key, bool& target, std::string meaning) {
  add_row({std::move(key), std::move(meaning), "true or false", target ? "true" : "false",
           [&target](std::string_view text) {
             const bool is_one = text == "true" || text == "false";
             if (is_one) target = text == "true";
             return is_one;
           }});
}

void host_options::add(std::string key, milliseconds& target, std::string meaning, milliseconds least,
                       milliseconds most) {
  auto form = fmt::format("{}, from {} to {}", detail::duration_form, detail::show_duration(least),
                          detail::show_duration(most));
  add_row({std::move(key), std::move(meaning), std::move(form), detail::show_duration(target),
           [&target, least, most](std::string_view text) {
             const auto read = detail::parse_duration(text);
             const bool fits = read && *read >= least && *read <= most;
             if (fits) target = *read;
             return fits;
           }});
}

void host_options::add_number(std::string key, std::function<void(std::uint64_t)> assign, std::uint64_t standard,
                              std::string meaning, std::uint64_t least, std::uint64_t most) {
  add_row({std::move(key), std::move(meaning), fmt::format("a whole number from {} to {}", least, most),
           std::to_string(standard), [assign = std::move(assign), least, most](std::string_view text) {
             std::uint64_t n = 0;
             const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), n);
             const bool fits = problem == std::errc() && end == text.data() + text.size() && n >= least && n <= most;
             if (fits) assign(n);
             return fits;
           }});
}

const host_options::row* host_options::find(std::string_view key) const {
  const auto found = std::find_if(rows_.begin(), rows_.end(), [&](const row& r) { return r.key == key; });
  return found == rows_.end() ? nullptr : &*found;
}

error host_options::unknown(std::string_view key) const {
  std::vector<std::string> all{"config"};
  for (const auto& r : rows_) all.push_back(r.key);
  for (const auto& o : described_options()) all.push_back(replaced(o.argument.substr(2), '-', '_'));
  return error(errc::not_found, fmt::format("unknown option: {}: the nearest is {}", key, nearest(key, all)));
}

result<void> host_options::set(std::string_view key, std::string_view value) const {
  const auto* const r = find(key);
  if (r == nullptr) return unknown(key);
  if (r->assign(value)) return {};
  return error(errc::invalid_argument, fmt::format("bad option: {}: \"{}\" is not {}", key, value, r->form));
}

result<void> host_options::check_tables(const std::filesystem::path& file) const {
  const auto entries = internal::read_toml_table(file, "");
  if (!entries) return entries.error();
  for (const auto& e : *entries) {
    if (std::find(tables_.begin(), tables_.end(), e.key) != tables_.end()) continue;
    if (e.is_table)
      return error(errc::not_found, fmt::format("{}: unknown table: [{}]: the nearest is [{}]", e.key_place, e.key,
                                                nearest(e.key, tables_)));
    return error(errc::not_found,
                 fmt::format("{}: {} stands in no table: write it below [{}]", e.key_place, e.key,
                             find(e.key) == nullptr ? fmt::format("{}", fmt::join(tables_, "] or [")) : name_));
  }
  return {};
}

result<void> host_options::load_table(const std::filesystem::path& file) const {
  const auto entries = internal::read_toml_table(file, name_);
  if (!entries) return entries.error();
  for (const auto& [key, value, is_table, key_place, value_place] : *entries) {
    const auto* const r = find(key);
    if (r == nullptr) return at_place(key_place, unknown(key));
    if (!value)
      return error(errc::invalid_argument,
                   fmt::format("{}: bad option: {}: a value of this type is not {}", value_place, key, r->form));
    if (const auto done = set(key, *value); !done) return at_place(value_place, done.error());
  }
  return {};
}

result<void> host_options::load_variables() const {
  const auto prefix = replaced(in_capitals(name_), '-', '_') + "_";
  for (const auto& r : rows_) {
    const auto variable = prefix + in_capitals(r.key);
    const char* const value = ::getenv(variable.c_str());
    if (value == nullptr) continue;
    if (const auto done = set(r.key, value); !done)
      return at_place(fmt::format("environment variable {}", variable), done.error());
  }
  return {};
}

result<void> host_options::load_rest(std::vector<std::string>& rest, other_arguments others) const {
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const std::string_view argument = rest[i];
    if (argument == "--") {
      kept.insert(kept.end(), rest.begin() + static_cast<std::ptrdiff_t>(i), rest.end());
      break;
    }
    const auto equals = std::min(argument.find('='), argument.size());
    const auto is_option = argument.starts_with("--");
    const auto key = is_option ? replaced(std::string(argument.substr(2, equals - 2)), '-', '_') : "";
    const auto place = fmt::format("argument {}", argument.substr(0, equals));
    if (find(key) != nullptr) {
      if (equals == argument.size() && i + 1 == rest.size())
        return error(errc::invalid_argument, place + ": its value is missing");
      const auto value = equals == argument.size() ? std::string_view(rest[++i]) : argument.substr(equals + 1);
      if (const auto done = set(key, value); !done) return at_place(place, done.error());
    } else if (others == other_arguments::keep) {
      kept.emplace_back(argument);
    } else {
      return is_option ? at_place(place, unknown(key)) : error(errc::invalid_argument, place + ": not expected here");
    }
  }
  rest = std::move(kept);
  return {};
}

result<parsed_arguments> host_options::load(options system, int argc, const char* const* argv,
                                            other_arguments others) const {
  auto parsed = load_all(std::move(system), argc, argv); // what is left are ours
  if (!parsed || parsed->help) return parsed;
  for (const auto& file : config_files(argc, argv)) {
    if (const auto done = check_tables(file); !done) return done.error();
    if (const auto done = load_table(file); !done) return done.error();
  }
  if (const auto done = load_variables(); !done) return done.error();
  if (const auto done = load_rest(parsed->rest, others); !done) return done.error();
  return parsed;
}

std::string host_options::help() const {
  std::string text = "Options (command line over environment over file):\n";
  for (const auto& r : rows_)
    text += fmt::format("  {} VALUE\n      {}: {} (default {})\n", argument_of(r.key), r.meaning, r.form,
                        r.standard.empty() ? "none" : r.standard);
  return text + fmt::format("  --config FILE\n      a TOML file with the tables [{}] and [greenroom]\n\n", name_) +
         options_help();
}

} // namespace greenroom
