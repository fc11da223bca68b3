#include <greenroom/tools/greenroom/doctor_files.hpp>

#include <charconv>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

namespace fs = std::filesystem;

namespace doctor {

std::optional<std::string> line_in(const fs::path& file) { return line_after(file, ""); }

std::optional<std::string> line_after(const fs::path& file, std::string_view key) {
  std::ifstream from(file);
  for (std::string line; std::getline(from, line);) {
    if (!line.starts_with(key)) continue;
    const auto begin = line.find_first_not_of(" \t:", key.size());
    return begin == line.npos ? "" : line.substr(begin);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> number_of(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  std::uint64_t n = 0;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), n);
  return read.ec == std::errc() ? std::optional(n) : std::nullopt;
}

std::optional<std::uint64_t> number_in(const fs::path& file) { return number_of(line_in(file)); }

std::string word_of(std::string_view text, std::size_t at) {
  std::istringstream words{std::string(text)};
  std::string word;
  for (std::size_t i = 0; i <= at; ++i) {
    if (!(words >> word)) return "";
  }
  return word;
}

std::string size_text(std::uint64_t bytes) {
  constexpr double mib = 1 << 20;
  const auto size = static_cast<double>(bytes);
  return size < 1024 * mib ? fmt::format("{:.0f} MiB", size / mib) : fmt::format("{:.1f} GiB", size / (1024 * mib));
}

} // namespace doctor
