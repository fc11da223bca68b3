#include <greenroom/actors/internal/journal_parts.hpp>

#include <algorithm>
#include <chrono>
#include <functional>

#include <fmt/format.h>

namespace greenroom::internal {
namespace {

/// Calls `each` with the places of a key in a filter until it gives false. Returns whether it never did.
template <class Each>
bool at_places(std::string_view key, std::size_t words, Each each) {
  const std::uint64_t hash = std::hash<std::string_view>()(key);
  const std::uint64_t step = (hash >> 32) | 1;
  for (std::uint64_t i = 0; i < 4; ++i) {
    const auto place = (hash + i * step) % (words * 64);
    if (!each(place / 64, std::uint64_t{1} << (place % 64))) return false;
  }
  return true;
}

} // namespace

std::int64_t journal_time() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()).time_since_epoch().count();
}

result<std::string> joined_tags(const std::vector<std::string>& tags) {
  std::string all;
  for (const auto& tag : tags) {
    if (tag.empty() || tag.find('\n') != std::string::npos)
      return error(errc::invalid_argument, "a tag of a journal must not be empty and must not have a line feed in it");
    all += (all.empty() ? "" : "\n") + tag;
  }
  return all;
}

std::vector<std::string> tags_apart(std::string_view all) {
  std::vector<std::string> tags;
  for (std::size_t at = 0; at < all.size();) {
    const auto end = std::min(all.find('\n', at), all.size());
    tags.emplace_back(all.substr(at, end - at));
    at = end + 1;
  }
  return tags;
}

result<void> check(const postgres_journal_options& how, const char* of) {
  const auto& name = how.schema;
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  if (name.empty() || name.size() > 48 || !std::all_of(name.begin(), name.end(), fits) ||
      (name[0] >= '0' && name[0] <= '9') || name.starts_with("pg_"))
    return error(errc::invalid_argument,
                 fmt::format("'{}' cannot be the schema of {}: small letters, digits and '_', 48 at most, with no "
                             "digit and no pg_ at the beginning",
                             name, of));
  using namespace std::chrono_literals;
  for (const auto limit : {how.connect_limit, how.statement_limit, how.lock_limit}) {
    if (limit < 1ms || limit > 24h)
      return error(errc::invalid_argument,
                   fmt::format("a limit of {} '{}' is {} ms; it must be from 1 ms to 24 h", of, name, limit.count()));
  }
  return {};
}

void key_filter::add(std::string_view key) {
  if (bits_.empty()) return;
  at_places(key, bits_.size(), [this](std::size_t word, std::uint64_t bit) { return bits_[word] |= bit, true; });
}

bool key_filter::may_have(std::string_view key) const {
  return bits_.empty() ||
         at_places(key, bits_.size(), [this](std::size_t word, std::uint64_t bit) { return (bits_[word] & bit) != 0; });
}

} // namespace greenroom::internal
