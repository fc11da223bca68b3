#include <greenroom/http/internal/conditions.hpp>

#include <algorithm>
#include <cstddef>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/internal/dates.hpp>
#include <greenroom/http/internal/single_field.hpp>

namespace greenroom::http::internal {
namespace {

bool is_etag_char(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != '"' && byte != 0x7f;
}

/// Takes a tag off the front. Commas may stand in it, so a list of tags cannot just be cut at commas.
std::optional<entity_tag> take_entity_tag(std::string_view& text) noexcept {
  entity_tag tag;
  auto left = text;
  if (left.starts_with("W/")) {
    tag.weak = true;
    left.remove_prefix(2);
  }
  if (!left.starts_with('"')) return std::nullopt;
  left.remove_prefix(1);
  const auto end = static_cast<std::size_t>(std::ranges::find_if_not(left, is_etag_char) - left.begin());
  if (end == left.size() || left[end] != '"') return std::nullopt;
  tag.opaque = left.substr(0, end);
  text = left.substr(end + 1);
  return tag;
}

/// What the lines of an If-Match or an If-None-Match say of the current tag.
enum class listed : std::uint8_t { absent, no, yes, malformed };

void skip_space(std::string_view& text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

/// What a list of tags over any number of lines has in it.
struct tag_list {
  std::size_t tags = 0;
  bool found = false;
  bool malformed = false;

  template <class Same>
  void add(std::string_view line, const std::optional<entity_tag>& current, Same same) noexcept {
    for (;;) {
      skip_space(line);
      if (line.empty()) return;
      if (line.front() != ',') { // else an empty element
        const auto tag = take_entity_tag(line);
        skip_space(line);
        malformed = malformed || !tag || (!line.empty() && line.front() != ',');
        if (malformed) return;
        ++tags;
        found = found || (current && same(*tag, *current));
        if (line.empty()) return;
      }
      line.remove_prefix(1);
    }
  }
};

template <class Same>
listed look_for(std::span<const field> fields, std::string_view name, const validators& now, Same same) noexcept {
  const auto current = now.exists ? parse_entity_tag(now.etag) : std::nullopt;
  tag_list list;
  std::size_t lines = 0;
  bool any = false;
  for (const auto& f : fields) {
    if (!same_word(f.name, name)) continue;
    ++lines;
    if (trimmed(f.value) == "*") {
      any = true;
    } else {
      list.add(f.value, current, same);
    }
  }
  if (lines == 0) return listed::absent;
  if (any) return lines != 1 ? listed::malformed : now.exists ? listed::yes : listed::no; // "*" stands alone
  if (list.malformed || list.tags == 0) return listed::malformed;
  return list.found ? listed::yes : listed::no;
}

std::optional<std::chrono::sys_seconds> date_of(std::span<const field> fields, std::string_view name,
                                                std::chrono::sys_seconds now) noexcept {
  const auto value = single_field(fields, name);
  return value.text ? parse_http_date(*value.text, now) : std::nullopt;
}

bool if_match_fails(std::span<const field> fields, const validators& current, std::chrono::sys_seconds now) noexcept {
  switch (look_for(fields, "if-match", current, same_strongly)) {
  case listed::yes: return false;
  case listed::no:
  case listed::malformed: return true;
  case listed::absent: break;
  }
  if (!current.exists || !current.modified) return false;
  const auto date = date_of(fields, "if-unmodified-since", now);
  return date && *current.modified > *date;
}

} // namespace

std::optional<entity_tag> parse_entity_tag(std::string_view text) noexcept {
  const auto tag = take_entity_tag(text);
  return text.empty() ? tag : std::nullopt;
}

bool same_strongly(const entity_tag& a, const entity_tag& b) noexcept {
  return !a.weak && !b.weak && a.opaque == b.opaque;
}

bool same_weakly(const entity_tag& a, const entity_tag& b) noexcept { return a.opaque == b.opaque; }

verdict evaluate_conditions(method m, std::span<const field> fields, const validators& current,
                            std::chrono::sys_seconds now) noexcept {
  if (m == method::connect || m == method::options || m == method::trace) return verdict::proceed;
  const bool reads = m == method::get || m == method::head;
  if (if_match_fails(fields, current, now)) return verdict::precondition_failed;
  switch (look_for(fields, "if-none-match", current, same_weakly)) {
  case listed::no: return verdict::proceed;
  case listed::yes: return reads ? verdict::not_modified : verdict::precondition_failed;
  case listed::malformed: return reads ? verdict::proceed : verdict::precondition_failed;
  case listed::absent: break;
  }
  if (!reads || !current.exists || !current.modified) return verdict::proceed;
  const auto date = date_of(fields, "if-modified-since", now);
  return date && *current.modified <= *date ? verdict::not_modified : verdict::proceed;
}

bool if_range_holds(std::span<const field> fields, const validators& current, std::chrono::sys_seconds now) noexcept {
  const auto value = single_field(fields, "if-range");
  if (!value.present) return true;
  if (!value.text || !current.exists) return false;
  if (const auto tag = parse_entity_tag(*value.text)) {
    const auto mine = parse_entity_tag(current.etag);
    return mine && same_strongly(*tag, *mine);
  }
  const auto date = parse_http_date(*value.text, now);
  return date && current.modified_is_strong && current.modified == *date;
}

} // namespace greenroom::http::internal
