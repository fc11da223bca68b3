// ledger_state: the balances and holds of a ledger, changed by records of its journal alone. For keep_state<money::ledger_state>(), where a
// supervisor or a graph has the ledger as a child; other programs take ledger.hpp.
// Thread safety: owner only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/actors/journal.hpp>
#include <greenroom/actors/ledger_orders.hpp>

namespace greenroom {
template <class State>
class changes;
}

namespace greenroom::money {

/// The balances and holds of a ledger. Thread safety: owner only.
class GREENROOM_EXPORT ledger_state {
public:
  /// Errors: parse, for a record that no ledger has written, or that cannot follow those before it.
  result<void> apply(const journal_record& record);
  /// Returns a snapshot, which load() reads.
  std::string save() const;
  /// Reads what save() has written. Errors: parse.
  static result<ledger_state> load(std::string_view snapshot);

  /// What decide() gives for an order.
  template <class M>
  using reply_to = result<typename M::reply>;
  /// What decide() appends to.
  using log = changes<ledger_state>;
  /// Each carries out an order, or answers a question. Errors: those of the journal; a refusal is a value.
  reply_to<open_account> decide(const open_account& order, log& to) const;
  reply_to<close_account> decide(const close_account& order, log& to) const;
  reply_to<transfer> decide(const transfer& order, log& to) const;
  reply_to<hold> decide(const hold& order, log& to) const;
  reply_to<capture_hold> decide(const capture_hold& order, log& to) const;
  reply_to<release_hold> decide(const release_hold& order, log& to) const;
  reply_to<reverse_transfer> decide(const reverse_transfer& order, log& to) const;
  reply_to<read_account> decide(const read_account& question, log& to) const;
  reply_to<read_statement> decide(const read_statement& question, log& to) const;
  reply_to<read_totals> decide(const read_totals& question, log& to) const;

private:
  struct account {
    std::string currency;
    bool may_be_negative = false;
    bool closed = false;
    std::int64_t balance = 0;
    std::int64_t held = 0;
  };
  struct hold_state {
    std::string from, to;
    std::int64_t amount = 0;
  };
  struct entry;

  result<std::optional<answer<receipt>>> repeated(const entry& e, const std::string& key, log& to) const;
  template <class Check>
  result<answer<receipt>> carry_out(entry e, const std::string& key, log& to, Check check) const;
  result<answer<receipt>> append(entry e, const std::string& key, log& to) const;
  answer<const account*> open_one(std::string_view name) const;
  answer<const hold_state*> running_hold(std::uint64_t number) const;
  std::optional<refusal> refuse_payment(entry& e) const;
  template <class Payment>
  static entry payment_entry(const char* what, const Payment& order);
  std::optional<refusal> refuse_move(entry& e, std::int64_t released) const;
  bool change(const entry& e, std::uint64_t number);

  std::map<std::string, account, std::less<>> accounts_;
  std::map<std::uint64_t, hold_state> holds_; // by the number of their record
};

} // namespace greenroom::money
