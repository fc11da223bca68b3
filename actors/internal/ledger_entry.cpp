#include <greenroom/actors/internal/ledger_entry.hpp>

#include <charconv>

#include <fmt/format.h>

namespace greenroom::money::internal {

std::string_view field_reader::next() {
  if (ended_) {
    failed_ = true;
    return {};
  }
  const auto end = rest_.find('\t');
  const auto field = rest_.substr(0, end);
  ended_ = end == std::string_view::npos;
  rest_.remove_prefix(ended_ ? rest_.size() : end + 1);
  return field;
}

std::string field_reader::text() { return std::string(next()); }

template <class Number>
Number field_reader::number() {
  const auto field = next();
  Number n{};
  const auto [end, problem] = std::from_chars(field.data(), field.data() + field.size(), n);
  if (problem != std::errc() || end != field.data() + field.size()) failed_ = true;
  return n;
}
template std::int64_t field_reader::number<std::int64_t>();
template std::uint64_t field_reader::number<std::uint64_t>();

std::int64_t ledger_entry::moved() const noexcept {
  return what == "transfer" || what == "capture" || what == "reversal" ? amount : 0;
}

std::string reversal_tag(std::uint64_t transfer) { return fmt::format("\treversal of {}", transfer); }

std::vector<std::string> ledger_entry::tags() const {
  std::vector<std::string> all{from};
  if (!to.empty()) all.push_back(to);
  if (what == "reversal") all.push_back(reversal_tag(of));
  return all;
}

std::string ledger_entry::to_text() const {
  return fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}", what, from, to, amount, asked, of, from_balance,
                     to_balance, currency, may_be_negative ? 1 : 0, note);
}

std::optional<ledger_entry> ledger_entry::from_text(std::string_view text) {
  field_reader fields(text);
  ledger_entry e;
  e.what = fields.text();
  e.from = fields.text();
  e.to = fields.text();
  e.amount = fields.number<std::int64_t>();
  e.asked = fields.number<std::int64_t>();
  e.of = fields.number<std::uint64_t>();
  e.from_balance = fields.number<std::int64_t>();
  e.to_balance = fields.number<std::int64_t>();
  e.currency = fields.text();
  e.may_be_negative = fields.number<std::uint64_t>() != 0;
  e.note = fields.text();
  if (fields.failed() || !fields.at_end() || e.amount < 0) return std::nullopt;
  return e;
}

bool ledger_entry::same_order(const ledger_entry& other) const noexcept {
  if (what != other.what || asked != other.asked || of != other.of || note != other.note) return false;
  // What is about a hold or a transfer has its accounts from there; and what moves money, its currency from the accounts.
  return of != 0 || (from == other.from && to == other.to && (what != "open" || currency == other.currency) &&
                     may_be_negative == other.may_be_negative);
}

} // namespace greenroom::money::internal
