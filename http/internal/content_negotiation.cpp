#include <algorithm>
#include <array>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/internal/content_coding.hpp>

namespace greenroom::http::internal {
namespace {

/// Reads a weight, as thousandths. Source: RFC 9110 section 12.4.2.
std::optional<int> parse_weight(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text.front() != '0' && text.front() != '1')) return std::nullopt;
  const auto digits = text.substr(std::min<std::size_t>(text.size(), 2));
  if ((text.size() > 1 && text[1] != '.') || !all_of(digits, digit_char)) return std::nullopt;
  int value = text.front() - '0';
  for (std::size_t i = 0; i < 3; ++i) value = value * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  return value <= 1'000 ? std::optional(value) : std::nullopt;
}

struct weighted {
  std::string_view name;
  int weight = 1'000;
};

std::optional<weighted> parse_element(std::string_view element) noexcept {
  weighted w{.name = element.substr(0, span_of(element, token_char))};
  auto rest = trimmed(element.substr(w.name.size()));
  if (w.name.empty()) return std::nullopt;
  if (rest.empty()) return w;
  if (rest.front() != ';') return std::nullopt;
  rest = trimmed(rest.substr(1));
  if (!same_word(rest.substr(0, 2), "q=")) return std::nullopt;
  const auto weight = parse_weight(rest.substr(2));
  if (!weight) return std::nullopt;
  w.weight = *weight;
  return w;
}

/// The weight of each coding, and of "*" behind them.
struct weights {
  static constexpr std::size_t any = 3;
  std::array<std::optional<int>, any + 1> of;

  void add(std::string_view element) noexcept {
    const auto parsed = parse_element(element);
    if (!parsed) return;
    const auto named = coding_of(parsed->name);
    if (!named && parsed->name != "*") return;
    auto& known = of[named ? static_cast<std::size_t>(*named) : any];
    known = std::min(known.value_or(parsed->weight), parsed->weight);
  }
  std::optional<int> weight(coding c) const noexcept {
    const auto& named = of[static_cast<std::size_t>(c)];
    return named ? named : of[any];
  }
};

} // namespace

std::string_view to_string(coding c) noexcept {
  switch (c) {
  case coding::gzip: return "gzip";
  case coding::deflate: return "deflate";
  default: return "identity";
  }
}

std::optional<coding> coding_of(std::string_view name) noexcept {
  for (const auto c : {coding::identity, coding::gzip, coding::deflate}) {
    if (same_word(name, to_string(c))) return c;
  }
  return same_word(name, "x-gzip") ? std::optional(coding::gzip) : std::nullopt;
}

std::optional<coding> choose_coding(std::span<const field> request) noexcept {
  weights sent;
  bool any_line = false;
  for (const auto& f : request) {
    if (!same_word(f.name, "accept-encoding")) continue;
    any_line = true;
    for_each_element(f.value, [&sent](std::string_view element) { sent.add(element); });
  }
  if (!any_line) return coding::identity;
  std::optional<coding> best;
  int most = 0;
  for (const auto c : {coding::gzip, coding::deflate}) {
    if (!available(c) || sent.weight(c).value_or(0) <= most) continue;
    best = c;
    most = *sent.weight(c);
  }
  const auto identity = sent.weight(coding::identity);
  if (identity && *identity > most) return coding::identity;
  // Not mentioned, it is acceptable, but less than anything that is.
  return best || identity ? best : std::optional(coding::identity);
}

bool allows_coding(std::string_view accept_encoding, std::string_view coding) noexcept {
  std::optional<int> named;
  int any = 0;
  for_each_element(accept_encoding, [&](std::string_view element) {
    const auto parsed = parse_element(element);
    if (!parsed) return;
    const auto known = coding_of(coding);
    if (same_name(parsed->name, coding) || (known && known == coding_of(parsed->name))) {
      named = std::min(named.value_or(parsed->weight), parsed->weight);
    } else if (parsed->name == "*") {
      any = parsed->weight;
    }
  });
  return named.value_or(any) > 0;
}

bool worth_compressing(std::string_view content_type) noexcept {
  const auto type = trimmed(content_type.substr(0, content_type.find(';')));
  std::array<char, 64> buffer{};
  if (type.size() > buffer.size()) return false; // none of those below
  std::ranges::transform(type, buffer.begin(), to_lower);
  const std::string_view lower(buffer.data(), type.size());
  static constexpr std::array<std::string_view, 11> others{
      "application/json",
      "application/javascript",
      "application/ecmascript",
      "application/xml",
      "application/wasm",
      "application/yaml",
      "application/toml",
      "image/svg+xml",
      "font/ttf",
      "font/otf",
      "application/vnd.ms-fontobject",
  };
  if (lower.starts_with("text/")) return lower != "text/event-stream";
  if (std::ranges::find(others, lower) != others.end()) return true;
  return lower.starts_with("application/") && (lower.ends_with("+json") || lower.ends_with("+xml"));
}

} // namespace greenroom::http::internal
