// What the journals have in common, whatever they are kept in. Thread safety: none of it is shared.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/actors/journal.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::internal {

/// Returns the time of a record that is written now. Units: milliseconds since 1970, UTC
std::int64_t journal_time();

/// A record has its tags beside it in one text, so that a replay reads one table in one go; a table of tags finds the records of one.
/// Errors: invalid_argument for tags that could not be told apart again.
result<std::string> joined_tags(const std::vector<std::string>& tags);
std::vector<std::string> tags_apart(std::string_view all);

/// Errors: invalid_argument for a name or a limit that cannot be; `of` says of what.
result<void> check(const postgres_journal_options& how, const char* of = "a journal");

/// As open_sqlite_journal(), for a copy of a journal: errors name it as `shown`. Only in a build with SQLite.
result<std::unique_ptr<journal>> open_sqlite_journal_as(const std::string& shown, const std::filesystem::path& file,
                                                        const std::string& vfs);

/// Knows of most keys that a journal has not got them, without asking it (a Bloom filter of 16 bits a key: it is wrong about one
/// in 400, and of no use any more with some times as many keys as it was made for; then the journal has to be asked).
class key_filter {
public:
  explicit key_filter(std::size_t keys) : bits_((keys * 16 + 63) / 64) {}

  void add(std::string_view key);
  bool may_have(std::string_view key) const;

private:
  std::vector<std::uint64_t> bits_;
};

} // namespace greenroom::internal
