// The kernel's small files, as texts and numbers; nothing where one is not there or says something else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace doctor {

/// The first line.
std::optional<std::string> line_in(const std::filesystem::path& file);
/// The rest of the first line that begins with `key`, without the blanks between: "1024 1048576 files" for "Max open files".
std::optional<std::string> line_after(const std::filesystem::path& file, std::string_view key);
/// The number that a text begins with.
std::optional<std::uint64_t> number_of(const std::optional<std::string>& text);
std::optional<std::uint64_t> number_in(const std::filesystem::path& file);
/// The word at a place of a text, from 0; "" if there are fewer.
std::string word_of(std::string_view text, std::size_t at);
/// "1.5 GiB".
std::string size_text(std::uint64_t bytes);

} // namespace doctor
