#include <greenroom/tools/greenroom/arguments.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>

#include <csignal>

#include <fmt/format.h>

#include <greenroom/runtime/detail/duration_text.hpp>
#include <greenroom/runtime/detail/edit_distance.hpp>
#include <greenroom/runtime/options.hpp>

using namespace greenroom;
using std::chrono::milliseconds;

namespace cli {
namespace {

error bad(std::string sentence) { return error(errc::invalid_argument, std::move(sentence)); }

const option* find(const std::vector<option>& all, std::string_view name) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const option& o) { return o.name == name; });
  return found == all.end() ? nullptr : &*found;
}

error unknown(std::string_view name, const command& of, const std::vector<option>& all) {
  std::vector<std::string_view> names;
  for (const auto& o : all) names.push_back(o.name);
  const auto near = nearest(name, names);
  return bad(fmt::format("{}: there is no such option of {}{}", name, of.name,
                         near.empty() ? "" : fmt::format("; near is {}", fmt::join(near, ", "))));
}

/// The next of some words that a space parts.
std::string_view take_word(std::string_view& text) {
  const auto word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(word.size() + 1, text.size()));
  return word;
}

result<void> check_rest(const command& of, const std::vector<std::string>& given) {
  std::size_t least = 0;
  std::size_t most = 0;
  for (auto takes = of.takes; !takes.empty();) {
    const auto word = take_word(takes);
    const auto choices = choices_of(word);
    const bool is_there = most < given.size();
    if (is_there && !choices.empty() && std::find(choices.begin(), choices.end(), given[most]) == choices.end())
      return bad(fmt::format("'{}' is not {}", given[most], fmt::join(choices, " or ")));
    if (!word.starts_with('[')) ++least;
    most = word.find("...") == word.npos ? most + 1 : std::numeric_limits<std::size_t>::max();
  }
  if (given.size() >= least && given.size() <= most) return {};
  if (of.takes.empty()) return bad(fmt::format("{} takes options only", of.name));
  const char* const count = given.empty() ? "none was" : given.size() < least ? "fewer were" : "more were";
  return bad(fmt::format("{} takes {}, and {} given", of.name, of.takes, count));
}

} // namespace

std::vector<option> options_of(const command& c) {
  std::vector<option> all(c.options.begin(), c.options.end());
  if (c.system_options) {
    static const auto of_system = described_options(); // the views of it stay
    all.push_back({"--config", "FILE", "a TOML file with a table [greenroom] of the following options"});
    for (const auto& o : of_system) all.push_back({o.argument, "VALUE", o.meaning});
  }
  all.push_back({"--help", "", "print this"});
  return all;
}

std::vector<std::string_view> words_of(std::string_view takes) {
  std::vector<std::string_view> words;
  while (!takes.empty()) {
    auto word = take_word(takes);
    word.remove_prefix(word.starts_with('[') ? 1 : 0);
    words.push_back(word.substr(0, word.find_first_of(".]")));
  }
  return words;
}

std::vector<std::string_view> choices_of(std::string_view word) {
  const bool is_free = word.empty() || std::any_of(word.begin(), word.end(),
                                                   [](char c) { return (c < 'a' || c > 'z') && c != '|' && c != '-'; });
  std::vector<std::string_view> choices;
  while (!is_free && !word.empty()) {
    choices.push_back(word.substr(0, word.find('|')));
    word.remove_prefix(std::min(choices.back().size() + 1, word.size()));
  }
  return choices;
}

result<arguments> arguments::read(const command& of, int argc, const char* const* argv) {
  const auto known = options_of(of);
  arguments read;
  read.argc_ = argc;
  read.argv_ = argv;
  bool ended = false;
  for (int i = 2; i < argc; ++i) {
    const std::string_view given = argv[i];
    if (ended || !given.starts_with('-') || given == "-") {
      read.rest_.emplace_back(given);
    } else if (given == "--") {
      ended = true;
    } else {
      const auto equals = given.find('=');
      const auto name = given == "-h" ? "--help" : given.substr(0, equals);
      const auto* const o = find(known, name);
      if (o == nullptr) return unknown(name, of, known);
      if (o->value.empty() && equals != given.npos) return bad(fmt::format("{}: it takes no value", name));
      if (!o->value.empty() && equals == given.npos && i + 1 == argc)
        return bad(fmt::format("{}: its value is missing", name));
      const std::string_view value = o->value.empty()       ? ""
                                     : equals == given.npos ? argv[++i]
                                                            : given.substr(equals + 1);
      const auto choices = choices_of(o->value);
      if (!choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end())
        return bad(fmt::format("{}: '{}' is not {}", name, value, fmt::join(choices, " or ")));
      read.options_.emplace_back(name, value);
    }
  }
  if (read.has("--help")) return read;
  const auto fits = check_rest(of, read.rest_);
  if (!fits) return fits.error();
  return read;
}

std::optional<std::string> arguments::text(std::string_view name) const {
  const auto found = std::find_if(options_.rbegin(), options_.rend(), [&](const auto& o) { return o.first == name; });
  return found == options_.rend() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> arguments::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [option, value] : options_) {
    if (option == name) values.push_back(value);
  }
  return values;
}

result<milliseconds> arguments::time(std::string_view name, milliseconds otherwise, milliseconds least,
                                     milliseconds most) const {
  const auto given = text(name);
  if (!given) return otherwise;
  const auto time = detail::parse_duration(*given);
  if (time && *time >= least && *time <= most) return *time;
  return bad(fmt::format("{}: '{}' is not {}, from {} to {}", name, *given, detail::duration_form,
                         detail::show_duration(least), detail::show_duration(most)));
}

result<std::uint64_t> arguments::number(std::string_view name, std::uint64_t otherwise, std::uint64_t least,
                                        std::uint64_t most) const {
  const auto given = text(name);
  if (!given) return otherwise;
  std::uint64_t n = 0;
  const auto* const end = given->data() + given->size();
  const auto read = std::from_chars(given->data(), end, n);
  if (read.ec == std::errc() && read.ptr == end && n >= least && n <= most) return n;
  return bad(fmt::format("{}: '{}' is not a whole number from {} to {}", name, *given, least, most));
}

result<double> arguments::real(std::string_view name, double otherwise, double least, double most) const {
  const auto given = text(name);
  if (!given) return otherwise;
  const auto n = read_real(*given);
  if (n && *n >= least && *n <= most) return *n;
  return bad(fmt::format("{}: '{}' is not a number from {:g} to {:g}", name, *given, least, most));
}

std::optional<double> read_real(std::string_view text) {
  double n = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, n, std::chars_format::fixed);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return n;
}

std::vector<std::string_view> nearest(std::string_view spelled, const std::vector<std::string_view>& known) {
  struct candidate {
    std::size_t distance, place;
    std::string_view name;
  };
  std::vector<candidate> by_distance;
  for (const auto name : known) {
    const auto distance = detail::edit_distance(spelled, name);
    const bool begins = spelled.size() > 1 && name.starts_with(spelled);
    if (begins || distance <= std::max<std::size_t>(2, std::min(name.size(), spelled.size()) / 2))
      by_distance.push_back({begins ? 0 : distance, by_distance.size(), name});
  }
  std::sort(by_distance.begin(), by_distance.end(), [](const auto& a, const auto& b) {
    return std::pair(a.distance, a.place) < std::pair(b.distance, b.place);
  });
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < by_distance.size() && i < 3; ++i) names.push_back(by_distance[i].name);
  return names;
}

int fail(std::string_view why, int code) {
  std::fprintf(stderr, "greenroom: %.*s\n", static_cast<int>(why.size()), why.data());
  return code;
}

int fail_usage(std::string_view why) { return fail(why, 2); }

int fail_interrupted(stop_signal& asked) {
  const int number = asked.wait();
  return fail(number == SIGTERM ? "ended by SIGTERM before it had a result" : "ended by SIGINT before it had a result",
              128 + number);
}

} // namespace cli
