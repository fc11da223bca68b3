#include <greenroom/actors/csv_statistics.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace greenroom {

namespace {
constexpr std::size_t usual_keys = 1'024;
}

std::int64_t amounts::mean() const noexcept {
  if (count == 0) return 0;
  const auto n = static_cast<std::int64_t>(count);
  const auto rest = sum % n;
  const bool away = 2 * static_cast<std::uint64_t>(rest < 0 ? -rest : rest) >= count;
  return sum / n + (!away ? 0 : sum < 0 ? -1 : 1);
}

// One is made for each chunk: the usual number of keys should not make it grow each time.
key_statistics::key_statistics(std::size_t most_keys) : most_(most_keys), slots_(2 * usual_keys) {
  entries_.reserve(std::min(most_keys, usual_keys));
}

result<void> key_statistics::add(std::string_view key, std::int64_t amount) {
  return add(key, std::hash<std::string_view>()(key), {1, amount, amount, amount});
}

result<void> key_statistics::merge(const key_statistics& other) {
  for (const auto& each : other.entries_) {
    if (auto added = add(each.key, each.hash, each.of); !added) return added;
  }
  return {};
}

result<void> key_statistics::add(std::string_view key, std::size_t hash, const amounts& what) {
  auto* const to = find_or_make(key, hash);
  if (to == nullptr)
    return error(errc::limit, fmt::format("key '{}' is one too many (limit {} keys)", key.substr(0, 80), most_));
  if (__builtin_add_overflow(to->sum, what.sum, &to->sum))
    return error(errc::limit, fmt::format("the sum of key '{}' does not fit into 64 bits", key.substr(0, 80)));
  to->count += what.count;
  to->least = std::min(to->least, what.least);
  to->greatest = std::max(to->greatest, what.greatest);
  return {};
}

/// Returns null for one key too many.
amounts* key_statistics::find_or_make(std::string_view key, std::size_t hash) {
  const auto mask = slots_.size() - 1;
  auto at = hash & mask;
  for (; slots_[at] != 0; at = (at + 1) & mask) {
    auto& found = entries_[slots_[at] - 1];
    if (found.hash == hash && found.key == key) return &found.of;
  }
  if (entries_.size() >= most_) return nullptr;
  entries_.push_back({std::string(key), hash, {}});
  slots_[at] = static_cast<std::uint32_t>(entries_.size());
  if (2 * entries_.size() > slots_.size()) grow();
  return &entries_.back().of;
}

void key_statistics::grow() {
  std::vector<std::uint32_t> wider(2 * slots_.size());
  const auto mask = wider.size() - 1;
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    auto at = entries_[i].hash & mask;
    while (wider[at] != 0) at = (at + 1) & mask;
    wider[at] = i + 1;
  }
  slots_ = std::move(wider);
}

std::vector<key_statistics::line> key_statistics::sorted() const {
  std::vector<line> lines;
  lines.reserve(entries_.size());
  for (const auto& each : entries_) lines.push_back({each.key, each.of});
  std::sort(lines.begin(), lines.end(), [](const line& a, const line& b) { return a.key < b.key; });
  return lines;
}

std::string key_statistics::save() const {
  auto text = fmt::format("{}\n", most_);
  for (const auto& [key, of] : sorted())
    fmt::format_to(std::back_inserter(text), "{},{},{},{},{}\n", key, of.count, of.sum, of.least, of.greatest);
  return text;
}

namespace {

/// Reads a whole field as a number.
template <class Number>
bool read_number(std::string_view text, Number& to) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), to);
  return problem == std::errc() && end == text.data() + text.size();
}

/// Takes the text up to `mark`, or all, off the front.
std::string_view take_until(std::string_view& text, char mark) {
  const auto at = text.find(mark);
  const auto front = text.substr(0, at);
  text.remove_prefix(at == text.npos ? text.size() : at + 1);
  return front;
}

} // namespace

result<key_statistics> key_statistics::load(std::string_view text) {
  const error broken(errc::parse, "saved statistics cannot be read: a line is malformed");
  std::size_t most = 0;
  if (!read_number(take_until(text, '\n'), most)) return broken;
  key_statistics read(most);
  while (!text.empty()) {
    auto rest = take_until(text, '\n');
    const auto key = take_until(rest, ',');
    amounts of;
    const bool sound = read_number(take_until(rest, ','), of.count) && read_number(take_until(rest, ','), of.sum) &&
                       read_number(take_until(rest, ','), of.least) && read_number(rest, of.greatest);
    if (!sound) return broken;
    if (auto added = read.add(key, std::hash<std::string_view>()(key), of); !added) return added.error();
  }
  return read;
}

namespace {

/// The number, unless the text is none. For the loop below: an error is made only where it is told.
std::optional<std::int64_t> parse_amount(std::string_view text, int decimals) noexcept {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  constexpr std::size_t most_digits = 15;
  std::int64_t value = 0;
  std::size_t digits = 0;
  int behind = -1; // digits behind the point; -1: there is none yet
  for (const char c : text) {
    const auto digit = static_cast<unsigned>(c - '0');
    if (digit <= 9) {
      value = 10 * value + digit;
      ++digits;
      if (behind >= 0) ++behind;
      if (digits > most_digits) return std::nullopt;
    } else if (c == '.' && behind < 0 && digits != 0) {
      behind = 0;
    } else {
      return std::nullopt;
    }
  }
  if (digits == 0 || behind > decimals || text.back() == '.') return std::nullopt;
  for (int i = std::max(behind, 0); i < decimals; ++i) {
    if (__builtin_mul_overflow(value, 10, &value)) return std::nullopt;
  }
  return negative ? -value : value;
}

error malformed(std::uint64_t at, std::string_view line, std::string_view why) {
  return {errc::parse, fmt::format("the line at byte {}, '{}': {}", at, line.substr(0, 80), why)};
}

/// Reads one line. An empty key or amount means that it has no such column, or that it is empty.
struct csv_fields {
  std::string_view key;
  std::string_view amount;

  csv_fields(std::string_view line, const csv_shape& shape) noexcept {
    const auto last = std::max(shape.key, shape.amount);
    for (std::size_t column = 0;; ++column) {
      const void* const comma = line.empty() ? nullptr : std::memchr(line.data(), ',', line.size());
      const auto size =
          comma == nullptr ? line.size() : static_cast<std::size_t>(static_cast<const char*>(comma) - line.data());
      if (column == shape.key) key = line.substr(0, size);
      if (column == shape.amount) amount = line.substr(0, size);
      if (column == last || comma == nullptr) return;
      line.remove_prefix(size + 1);
    }
  }
};

} // namespace

result<std::int64_t> read_amount(std::string_view text, int decimals) {
  if (const auto value = parse_amount(text, decimals)) return *value;
  return error(errc::parse,
               fmt::format("'{}' is no amount with up to {} decimals and 15 digits", text.substr(0, 80), decimals));
}

std::string amount_text(std::int64_t amount, int decimals) {
  const auto size = amount < 0 ? 0 - static_cast<std::uint64_t>(amount) : static_cast<std::uint64_t>(amount);
  auto digits = fmt::format("{:0{}}", size, decimals + 1);
  if (decimals > 0) digits.insert(digits.size() - static_cast<std::size_t>(decimals), 1, '.');
  return amount < 0 ? "-" + digits : digits;
}

result<void> add_csv(key_statistics& to, const chunk& lines, const csv_shape& shape) {
  std::string_view rest = lines.bytes;
  if (shape.header && lines.begin == 0) (void)take_until(rest, '\n');
  while (!rest.empty()) {
    const auto at = lines.begin + static_cast<std::uint64_t>(rest.data() - lines.bytes.data());
    auto line = take_until(rest, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    const csv_fields fields(line, shape);
    if (fields.key.empty()) return malformed(at, line, fmt::format("it has no key in column {}", shape.key + 1));
    if (fields.key.front() == '"') return malformed(at, line, "its key is quoted, which is not understood");
    const auto amount = parse_amount(fields.amount, shape.decimals);
    if (!amount) {
      return malformed(
          at, line,
          fmt::format("column {}: {}", shape.amount + 1, read_amount(fields.amount, shape.decimals).error().message()));
    }
    if (auto added = to.add(fields.key, *amount); !added) return added;
  }
  return {};
}

result<key_statistics> csv_statistics(const chunk& lines, const csv_shape& shape) {
  key_statistics made(shape.most_keys);
  if (auto added = add_csv(made, lines, shape); !added) return added.error();
  return made;
}

result<void> merge_statistics(key_statistics& to, const key_statistics& of_a_chunk) { return to.merge(of_a_chunk); }

} // namespace greenroom
