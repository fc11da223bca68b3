#include <greenroom/http/file_name.hpp>

#include <cstddef>

#include <greenroom/http/internal/utf8.hpp>

namespace greenroom::http {

std::optional<std::string> safe_file_name(std::string_view sent) {
  constexpr std::size_t longest = 255;
  if (sent.empty() || sent.size() > longest || sent == "." || sent == "..") return std::nullopt;
  if (sent.find_first_of("/\\") != sent.npos) return std::nullopt;
  if (!internal::is_utf8(sent) || internal::has_controls(sent)) return std::nullopt;
  return std::string(sent);
}

} // namespace greenroom::http
