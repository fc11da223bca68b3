// Reads values from a TOML file and notes what is wrong with each, instead of stopping at the first.
// Thread safety: owner only. Lifetime: the table that is read outlives what refers to its places.
#pragma once

#if GREENROOM_HAS_TOML

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::internal {

/// A value, and where it stands.
template <class T>
struct placed {
  const toml::node* at;
  T value;
};

class toml_reader {
public:
  explicit toml_reader(std::string file) : file_(std::move(file)) {}

  void fault(const toml::node& at, const std::string& sentence);
  bool has_faults() const noexcept { return !faults_.empty(); }
  /// Returns a line for each, in the order of their places.
  error all_faults() const;

  /// Notes a fault for each other key.
  void only_known(const toml::table& in, std::initializer_list<const char*> known);

  // Each returns nothing if there is no such key, or notes a fault if it has another type or is out of range.
  const toml::table* table(const toml::table& in, const char* key);
  std::optional<std::string> text(const toml::table& in, const char* key);
  std::vector<placed<std::string>> texts(const toml::table& in, const char* key);
  std::optional<std::int64_t> whole(const toml::table& in, const char* key, std::int64_t least, std::int64_t most);
  std::optional<double> number(const toml::table& in, const char* key);
  std::optional<duration> time(const toml::table& in, const char* key);
  bool flag(const toml::table& in, const char* key);
  /// One of the first `count` values of an enum, by the names that to_string() gives them: it is "" after the last.
  template <class Enum>
  std::optional<Enum> choice(const toml::table& in, const char* key, const char* (*to_string)(Enum),
                             std::size_t count = 256) {
    std::vector<std::string> names;
    for (std::size_t n = 0; n < count && *to_string(static_cast<Enum>(n)) != '\0'; ++n) {
      names.emplace_back(to_string(static_cast<Enum>(n)));
    }
    const auto n = one_of(in, key, names);
    if (!n) return std::nullopt;
    return static_cast<Enum>(*n);
  }
  /// Returns the tables below, in the order of the file.
  std::vector<std::pair<std::string, placed<const toml::table*>>> tables(const toml::table& in, const char* key);

private:
  std::optional<std::size_t> one_of(const toml::table& in, const char* key, const std::vector<std::string>& names);

  const std::string file_;
  std::multimap<std::pair<toml::source_index, toml::source_index>, std::string> faults_; // by place
};

/// Returns "a, b or c".
std::string alternatives(const std::vector<std::string>& names);

} // namespace greenroom::internal

#endif
