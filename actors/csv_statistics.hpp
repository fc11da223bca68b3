// csv_statistics: count, sum, least and greatest amount for each key of a CSV text, chunk by chunk, in whole numbers: the same whatever the order.
//
//   auto input = chunks_of_file("sales.csv", by_lines());
//   const auto map = [](const chunk& lines) { return csv_statistics(lines, {.key = 1, .amount = 2}); };
//   auto totals = co_await process_chunks(*input, map, merge_statistics, key_statistics(), {.checkpoint = "sales.job"});
//   for (const auto& line : totals->sorted()) ...                             // line.key, line.of.count, line.of.sum, ...
//
// Amounts are fixed-point: "-12.5" with two decimals is -1250. Fields are separated by commas and not quoted; lines end with LF or CR LF.
// Thread safety: a key_statistics owner only; the functions any thread. Lifetime: values, which own what they hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/actors/chunks.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

/// What became of the amounts of one key. Units: as the amounts, without their decimal point.
struct amounts {
  std::uint64_t count = 0; ///< how many there were
  std::int64_t sum = 0;    ///< of all of them
  std::int64_t least =
      std::numeric_limits<std::int64_t>::max(); ///< the least; the greatest number there is without amounts
  std::int64_t greatest =
      std::numeric_limits<std::int64_t>::min(); ///< the greatest; the least number there is without amounts
  /// Returns the mean, rounded to the nearest, halves away from zero; 0 without amounts.
  GREENROOM_EXPORT std::int64_t mean() const noexcept;
};

/// Amounts by their keys. Thread safety: owner only.
class GREENROOM_EXPORT key_statistics {
public:
  /// Keys beyond `most_keys`, up to 2^31, are an error, so that memory is bounded whatever comes.
  explicit key_statistics(std::size_t most_keys = 65'536);

  /// A key and its amounts.
  struct line {
    std::string key; ///< the text of the key's column
    amounts of;      ///< what became of its amounts
  };

  /// Errors: limit for one key too many and for a sum beyond 64 bits. A failed call may have changed a part.
  result<void> add(std::string_view key, std::int64_t amount);
  /// Adds all of another one. Errors: as add().
  result<void> merge(const key_statistics& other);

  /// Returns how many keys there are. Units: keys.
  std::size_t keys() const noexcept { return entries_.size(); }
  /// Returns all lines in the order of their keys' bytes.
  std::vector<line> sorted() const;

  /// For checkpoints: a line of CSV for each key. Errors of load(): parse.
  std::string save() const;
  /// Reads what save() has written. Errors: parse.
  static result<key_statistics> load(std::string_view text);

private:
  struct entry {
    std::string key;
    std::size_t hash;
    amounts of;
  };
  result<void> add(std::string_view key, std::size_t hash, const amounts& what);
  amounts* find_or_make(std::string_view key, std::size_t hash);
  void grow();

  std::size_t most_;
  std::vector<entry> entries_; // in the order in which they came
  std::vector<std::uint32_t>
      slots_; // open addressing: one more than the place of an entry, 0 is free; a power of two, at most half full
};

/// Where key and amount stand in a line. Columns count from 0.
struct csv_shape {
  std::size_t key = 0;            ///< the column of the key
  std::size_t amount = 1;         ///< the column of the amount
  int decimals = 2;               ///< 0 to 9; an amount may have fewer
  bool header = true;             ///< the first line of the input names the columns
  std::size_t most_keys = 65'536; ///< as for key_statistics
};

/// Reads an amount: a sign, up to 15 digits, and behind a point up to `decimals` of them. Errors: parse.
GREENROOM_EXPORT result<std::int64_t> read_amount(std::string_view text, int decimals);
/// Returns it as text, with all its decimals: "-12.50".
GREENROOM_EXPORT std::string amount_text(std::int64_t amount, int decimals);

/// Adds the amounts of whole lines. Errors: parse for a malformed line, with the byte of the input at which it begins; those of key_statistics.
GREENROOM_EXPORT result<void> add_csv(key_statistics& to, const chunk& lines, const csv_shape& shape);
/// The same into new statistics, for process_chunks().
GREENROOM_EXPORT result<key_statistics> csv_statistics(const chunk& lines, const csv_shape& shape);
/// Adds what came of a chunk, for process_chunks().
GREENROOM_EXPORT result<void> merge_statistics(key_statistics& to, const key_statistics& of_a_chunk);

} // namespace greenroom
