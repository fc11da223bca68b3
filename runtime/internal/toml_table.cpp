#include <greenroom/runtime/internal/toml_table.hpp>

#include <fmt/format.h>

#if GREENROOM_HAS_TOML
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>
#endif

#include <greenroom/runtime/files.hpp>

namespace greenroom::internal {

#if GREENROOM_HAS_TOML

namespace {

std::string place(const std::filesystem::path& file, const toml::source_position& at) {
  return fmt::format("{}:{}:{}", file.native(), at.line, at.column);
}

std::optional<std::string> text_of(const toml::node& value) {
  if (const auto number = value.value_exact<std::int64_t>()) return std::to_string(*number);
  if (const auto truth = value.value_exact<bool>()) return *truth ? "true" : "false";
  return value.value_exact<std::string>();
}

} // namespace

result<std::vector<toml_entry>> read_toml_table(const std::filesystem::path& file, std::string_view table) {
  const auto content = real_files().read_all(file);
  if (!content) return error(content.error().code(), fmt::format("cannot load options: {}", content.error().message()));
  const toml::parse_result parsed = toml::parse(*content);
  if (!parsed) {
    const toml::parse_error& why = parsed.error();
    return error(errc::parse, fmt::format("{}: {}", place(file, why.source().begin), why.description()));
  }
  std::vector<toml_entry> entries;
  const toml::node* section = table.empty() ? &parsed.table() : parsed.table().get(table);
  if (section == nullptr) return entries;
  if (!section->is_table()) {
    return error(errc::parse,
                 fmt::format("{}: {} is not a table: write [{}]", place(file, section->source().begin), table, table));
  }
  for (const auto& [key, value] : *section->as_table())
    entries.push_back({std::string(key.str()), text_of(value), value.is_table(), place(file, key.source().begin),
                       place(file, value.source().begin)});
  return entries;
}

#else

result<std::vector<toml_entry>> read_toml_table(const std::filesystem::path& file, std::string_view) {
  return error(errc::unsupported,
               fmt::format("cannot load options: {}: this build has no TOML: configure it with GREENROOM_TOML=ON",
                           file.native()));
}

#endif

} // namespace greenroom::internal
