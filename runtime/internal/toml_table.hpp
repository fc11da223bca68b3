/// One table of a TOML file, flat, as texts: what options are read from.
/// Thread safety: any thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/runtime/error.hpp>

namespace greenroom::internal {

struct toml_entry {
  std::string key;
  std::optional<std::string> value; ///< of a text, a whole number or a truth value; other types have none
  bool is_table = false;
  std::string key_place; ///< "shop.toml:3:1"
  std::string value_place;
};

/// Returns what stands in the table, in any order; nothing if it is not there. Other tables are passed over. "" is the file as a whole, whose
/// tables are entries, too.
/// Errors: those of reading the file; parse, with file, line and column; unsupported in a build without TOML.
result<std::vector<toml_entry>> read_toml_table(const std::filesystem::path& file, std::string_view table);

} // namespace greenroom::internal
