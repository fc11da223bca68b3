#include <greenroom/actors/ledger_posting.hpp>

#include <utility>

#include <fmt/format.h>

#include <greenroom/actors/internal/ledger_entry.hpp>

namespace greenroom::money {

result<posting> posting_of(const journal_record& record) {
  auto e = internal::ledger_entry::from_text(record.content);
  if (!e) return error(errc::parse, fmt::format("record {} is none of a ledger: '{}'", record.number, record.content));
  const auto moved = e->moved();
  return posting{record.number,
                 record.written_at,
                 record.key,
                 std::move(e->what),
                 std::move(e->from),
                 std::move(e->to),
                 std::move(e->currency),
                 e->amount,
                 moved,
                 e->of,
                 e->from_balance,
                 e->to_balance,
                 std::move(e->note)};
}

} // namespace greenroom::money
