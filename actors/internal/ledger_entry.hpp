// What a ledger writes into its journal: one line of fields, between tabs, as no name and no note has one.
// Thread safety: as values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace greenroom::money::internal {

struct ledger_entry {
  std::string what;      // "open", "close", "transfer", "hold", "capture", "release", "reversal"
  std::string from = {}; // the account, where there is one only
  std::string to = {};
  std::int64_t amount = 0;       // moved or held
  std::int64_t asked = 0;        // as the order has it
  std::uint64_t of = 0;          // the hold or transfer that it is about
  std::int64_t from_balance = 0; // behind it
  std::int64_t to_balance = 0;
  std::string currency = {}; // as an account is opened with, or as those that are concerned have
  bool may_be_negative = false;
  std::string note = {};

  /// Returns what goes from the one account to the other by it; 0 if nothing does.
  std::int64_t moved() const noexcept;
  /// Returns what its record is found by: the accounts, and what it reverses.
  std::vector<std::string> tags() const;
  std::string to_text() const;
  static std::optional<ledger_entry> from_text(std::string_view text);
  /// Returns whether the orders behind both are the same.
  bool same_order(const ledger_entry& other) const noexcept;
};

/// What the reversal of a transfer is found by. No account can have that name.
std::string reversal_tag(std::uint64_t transfer);

/// The fields of a line.
class field_reader {
public:
  explicit field_reader(std::string_view line) noexcept : rest_(line) {}
  std::string text();
  template <class Number>
  Number number();
  bool failed() const noexcept { return failed_; }
  bool at_end() const noexcept { return ended_; }

private:
  std::string_view next();
  std::string_view rest_;
  bool failed_ = false;
  bool ended_ = false;
};

} // namespace greenroom::money::internal
