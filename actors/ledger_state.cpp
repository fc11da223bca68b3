#include <greenroom/actors/ledger_state.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <greenroom/actors/event_sourced.hpp>
#include <greenroom/actors/internal/ledger_entry.hpp>
#include <greenroom/runtime/detail/utf8.hpp>

namespace greenroom::money {

using internal::ledger_entry;
using internal::reversal_tag;

/// What is written; under the name that the header knows.
struct ledger_state::entry : ledger_entry {};

namespace {

constexpr std::size_t longest_key = 128;
constexpr std::size_t longest_name = 64;
constexpr std::size_t longest_note = 256;
constexpr std::size_t most_lines = 1'000;

/// Returns whether it is UTF-8 without control characters: then it can have no tab, and can forge no line.
bool is_plain(std::string_view text) noexcept {
  while (!text.empty()) {
    const auto length = detail::utf8_length(text);
    if (length == 0 || static_cast<unsigned char>(text.front()) < 0x20 || text.front() == 0x7f) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::optional<refusal> refuse_text(const char* what, std::string_view text, std::size_t least, std::size_t most) {
  if (text.size() >= least && text.size() <= most && is_plain(text)) return std::nullopt;
  return refusal{fault::invalid_order,
                 fmt::format("{} must have {} to {} bytes of UTF-8 without control characters, and has {}{}", what,
                             least, most, text.size(),
                             text.size() < least || text.size() > most ? "" : ", of other kinds")};
}

bool is_currency(std::string_view text) noexcept {
  return text.size() >= 3 && text.size() <= 8 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::optional<refusal> refuse_amount(std::int64_t amount, std::int64_t least) {
  if (amount >= least) return std::nullopt;
  return refusal{fault::invalid_order, fmt::format("the amount must be {} or more, not {}", least, amount)};
}

using verdict = result<std::optional<refusal>>;

bool add(std::int64_t a, std::int64_t b, std::int64_t& sum) noexcept { return !__builtin_add_overflow(a, b, &sum); }

} // namespace

const char* to_string(fault why) noexcept {
  switch (why) {
  case fault::invalid_order: return "invalid_order";
  case fault::key_reused: return "key_reused";
  case fault::unknown_account: return "unknown_account";
  case fault::account_exists: return "account_exists";
  case fault::account_closed: return "account_closed";
  case fault::account_not_empty: return "account_not_empty";
  case fault::currency_mismatch: return "currency_mismatch";
  case fault::insufficient_funds: return "insufficient_funds";
  case fault::overflow: return "overflow";
  case fault::unknown_transfer: return "unknown_transfer";
  case fault::already_reversed: return "already_reversed";
  case fault::unknown_hold: return "unknown_hold";
  case fault::hold_exceeded: return "hold_exceeded";
  case fault::unavailable: return "unavailable";
  }
  return "unknown";
}

// -- what was decided ---------------------------------------------------------------------------------------

/// Requires: e is a change that was allowed when it was decided.
bool ledger_state::change(const entry& e, std::uint64_t number) {
  if (e.what == "open") return accounts_.try_emplace(e.from, account{e.currency, e.may_be_negative}).second;
  const auto from = accounts_.find(e.from);
  if (from == accounts_.end()) return false;
  if (e.what == "close") return !std::exchange(from->second.closed, true);
  if (e.what == "hold") {
    from->second.held += e.amount;
    return holds_.try_emplace(number, hold_state{e.from, e.to, e.amount}).second;
  }
  if (e.what == "capture" || e.what == "release") {
    const auto ended = holds_.find(e.of);
    if (ended == holds_.end()) return false;
    from->second.held -= ended->second.amount;
    holds_.erase(ended);
    if (e.what == "release") return true;
  }
  const auto to = accounts_.find(e.to);
  return to != accounts_.end() && add(from->second.balance, -e.amount, from->second.balance) &&
         add(to->second.balance, e.amount, to->second.balance) && from->second.balance == e.from_balance;
}

result<void> ledger_state::apply(const journal_record& record) {
  auto read = ledger_entry::from_text(record.content);
  if (read && change(entry{*std::move(read)}, record.number)) return {};
  return error(errc::parse, fmt::format("record {} of the journal is none that a ledger writes behind those before it",
                                        record.number));
}

std::string ledger_state::save() const {
  std::string out;
  for (const auto& [name, a] : accounts_)
    out += fmt::format("account\t{}\t{}\t{}\t{}\t{}\t{}\n", name, a.currency, a.may_be_negative ? 1 : 0,
                       a.closed ? 1 : 0, a.balance, a.held);
  for (const auto& [number, h] : holds_) out += fmt::format("hold\t{}\t{}\t{}\t{}\n", number, h.from, h.to, h.amount);
  return out;
}

result<ledger_state> ledger_state::load(std::string_view snapshot) {
  ledger_state made;
  while (!snapshot.empty()) {
    const auto end = snapshot.find('\n');
    internal::field_reader fields(snapshot.substr(0, end));
    const auto kind = fields.text();
    if (kind == "account") {
      const auto name = fields.text();
      auto& a = made.accounts_[name];
      a.currency = fields.text();
      a.may_be_negative = fields.number<std::uint64_t>() != 0;
      a.closed = fields.number<std::uint64_t>() != 0;
      a.balance = fields.number<std::int64_t>();
      a.held = fields.number<std::int64_t>();
    } else {
      auto& h = made.holds_[fields.number<std::uint64_t>()];
      h.from = fields.text();
      h.to = fields.text();
      h.amount = fields.number<std::int64_t>();
    }
    if (fields.failed() || !fields.at_end() || end == std::string_view::npos || (kind != "account" && kind != "hold"))
      return error(errc::parse, fmt::format("the snapshot of the ledger has a line that it cannot have: '{}'",
                                            snapshot.substr(0, end)));
    snapshot.remove_prefix(end + 1);
  }
  return made;
}

// -- deciding -----------------------------------------------------------------------------------------------

/// Returns the answer to an order whose key is known already, or malformed.
result<std::optional<answer<receipt>>> ledger_state::repeated(const entry& e, const std::string& key, log& to) const {
  using maybe = std::optional<answer<receipt>>;
  if (const auto wrong = refuse_text("the key", key, 1, longest_key)) return maybe(*wrong);
  const auto found = to.log().find(key);
  if (!found) return found.error();
  if (!*found) return maybe();
  const auto before = ledger_entry::from_text((**found).content);
  if (before && before->same_order(e)) return maybe(receipt{(**found).number, true, before->moved()});
  return maybe(refusal{fault::key_reused,
                       fmt::format("the key '{}' belongs to another order, record {}: a new order needs a new key", key,
                                   (**found).number)});
}

result<answer<receipt>> ledger_state::append(entry e, const std::string& key, log& to) const {
  journal_record record{.key = key, .tags = e.tags(), .content = e.to_text()};
  const auto number = to.append(std::move(record));
  if (!number) return number.error();
  return answer<receipt>(receipt{*number, false, e.moved()});
}

answer<const ledger_state::account*> ledger_state::open_one(std::string_view name) const {
  const auto found = accounts_.find(name);
  if (found == accounts_.end()) return refusal{fault::unknown_account, fmt::format("there is no account '{}'", name)};
  if (found->second.closed) return refusal{fault::account_closed, fmt::format("the account '{}' is closed", name)};
  return &found->second;
}

answer<const ledger_state::hold_state*> ledger_state::running_hold(std::uint64_t number) const {
  const auto found = holds_.find(number);
  if (found == holds_.end())
    return refusal{fault::unknown_hold, fmt::format("there is no hold {}, or it has ended", number)};
  return &found->second;
}

/// Says why an amount cannot go from the one to the other, of whose held money `released` is free for it; else sets the balances behind it, and the currency.
std::optional<refusal> ledger_state::refuse_move(entry& e, std::int64_t released) const {
  const auto from = open_one(e.from);
  if (!from) return from.error();
  const auto to = open_one(e.to);
  if (!to) return to.error();
  const auto &giver = **from, &taker = **to;
  if (e.from == e.to) return refusal{fault::invalid_order, fmt::format("'{}' cannot give to itself", e.from)};
  if (giver.currency != taker.currency)
    return refusal{fault::currency_mismatch,
                   fmt::format("'{}' has {} and '{}' has {}", e.from, giver.currency, e.to, taker.currency)};
  std::int64_t available = 0;
  if (!add(giver.balance, -(giver.held - released), available) || !add(giver.balance, -e.amount, e.from_balance))
    return refusal{fault::overflow, fmt::format("the balance of '{}' would leave the range of 64 bits", e.from)};
  if (!giver.may_be_negative && available < e.amount)
    return refusal{fault::insufficient_funds,
                   fmt::format("'{}' has {} {} available, less than {}", e.from, available, giver.currency, e.amount)};
  if (!add(taker.balance, e.amount, e.to_balance))
    return refusal{fault::overflow, fmt::format("the balance of '{}' would leave the range of 64 bits", e.to)};
  e.currency = giver.currency;
  return std::nullopt;
}

/// Says why money cannot be sent, or held to be sent.
std::optional<refusal> ledger_state::refuse_payment(entry& e) const {
  if (auto wrong = refuse_amount(e.asked, 1)) return wrong;
  if (auto wrong = refuse_text("the note", e.note, 0, longest_note)) return wrong;
  return refuse_move(e, 0);
}

/// Gives the answer of before to an order that is repeated; else lets `check` refuse it, or complete the entry, and appends that.
template <class Check>
result<answer<receipt>> ledger_state::carry_out(entry e, const std::string& key, log& to, Check check) const {
  auto before = repeated(e, key, to);
  if (!before) return before.error();
  if (*before) return **std::move(before);
  const verdict wrong = check(e);
  if (!wrong) return wrong.error();
  if (*wrong) return answer<receipt>(**wrong);
  return append(std::move(e), key, to);
}

auto ledger_state::decide(const open_account& order, log& to) const -> reply_to<open_account> {
  const auto check = [&](entry&) -> verdict {
    if (const auto wrong = refuse_text("the name of an account", order.account, 1, longest_name))
      return verdict(*wrong);
    if (!is_currency(order.currency))
      return verdict(refusal{fault::invalid_order, "a currency must be 3 to 8 capital letters, as EUR"});
    if (accounts_.count(order.account) != 0)
      return verdict(refusal{fault::account_exists, fmt::format("there is an account '{}' already", order.account)});
    return verdict(std::nullopt);
  };
  return carry_out(entry{{.what = "open",
                          .from = order.account,
                          .currency = order.currency,
                          .may_be_negative = order.may_be_negative}},
                   order.key, to, check);
}

auto ledger_state::decide(const close_account& order, log& to) const -> reply_to<close_account> {
  const auto check = [&](entry& e) -> verdict {
    const auto found = open_one(order.account);
    if (!found) return verdict(found.error());
    const auto& a = **found;
    e.currency = a.currency;
    const bool awaited =
        std::any_of(holds_.begin(), holds_.end(), [&order](const auto& h) { return h.second.to == order.account; });
    if (a.balance != 0 || a.held != 0 || awaited)
      return verdict(refusal{
          fault::account_not_empty,
          fmt::format("'{}' has a balance of {} {}, {} of it held{}: an account is closed when it is empty",
                      order.account, a.balance, a.currency, a.held, awaited ? ", and something is held for it" : "")});
    return verdict(std::nullopt);
  };
  return carry_out(entry{{.what = "close", .from = order.account}}, order.key, to, check);
}

/// What a transfer and a hold write down.
template <class Payment>
ledger_state::entry ledger_state::payment_entry(const char* what, const Payment& order) {
  return entry{{.what = what,
                .from = order.from,
                .to = order.to,
                .amount = order.amount,
                .asked = order.amount,
                .note = order.note}};
}

auto ledger_state::decide(const transfer& order, log& to) const -> reply_to<transfer> {
  const auto check = [&](entry& e) -> verdict { return refuse_payment(e); };
  return carry_out(payment_entry("transfer", order), order.key, to, check);
}

auto ledger_state::decide(const hold& order, log& to) const -> reply_to<hold> {
  const auto check = [&](entry& e) -> verdict {
    if (auto wrong = refuse_payment(e)) return verdict(*std::move(wrong));
    const auto& giver = accounts_.find(order.from)->second;
    std::int64_t held = 0;
    if (!add(giver.held, order.amount, held))
      return verdict(
          refusal{fault::overflow, fmt::format("what is held of '{}' would leave the range of 64 bits", order.from)});
    e.from_balance = giver.balance; // nothing has moved yet
    e.to_balance = accounts_.find(order.to)->second.balance;
    return verdict(std::nullopt);
  };
  return carry_out(payment_entry("hold", order), order.key, to, check);
}

auto ledger_state::decide(const capture_hold& order, log& to) const -> reply_to<capture_hold> {
  const auto check = [&](entry& e) -> verdict {
    const auto found = running_hold(order.hold);
    if (!found) return verdict(found.error());
    if (const auto wrong = refuse_amount(order.amount, 0)) return verdict(*wrong);
    const auto& h = **found;
    if (order.amount > h.amount)
      return verdict(refusal{fault::hold_exceeded,
                             fmt::format("hold {} is of {}, less than {}", order.hold, h.amount, order.amount)});
    e.from = h.from;
    e.to = h.to;
    e.amount = order.amount == 0 ? h.amount : order.amount;
    if (const auto wrong = refuse_move(e, h.amount)) return verdict(*wrong);
    return verdict(std::nullopt);
  };
  return carry_out(entry{{.what = "capture", .asked = order.amount, .of = order.hold}}, order.key, to, check);
}

auto ledger_state::decide(const release_hold& order, log& to) const -> reply_to<release_hold> {
  const auto check = [&](entry& e) -> verdict {
    const auto found = running_hold(order.hold);
    if (!found) return verdict(found.error());
    const auto& h = **found;
    e.from = h.from;
    e.to = h.to;
    e.amount = h.amount;
    e.currency = accounts_.find(h.from)->second.currency;
    e.from_balance = accounts_.find(h.from)->second.balance;
    e.to_balance = accounts_.find(h.to)->second.balance;
    return verdict(std::nullopt);
  };
  return carry_out(entry{{.what = "release", .of = order.hold}}, order.key, to, check);
}

auto ledger_state::decide(const reverse_transfer& order, log& to) const -> reply_to<reverse_transfer> {
  const auto check = [&](entry& e) -> verdict {
    const auto found = to.log().read(order.transfer);
    if (!found) return found.error();
    const auto before = *found ? ledger_entry::from_text((**found).content) : std::nullopt;
    if (!before || (before->what != "transfer" && before->what != "capture"))
      return verdict(refusal{fault::unknown_transfer, fmt::format("record {} is no transfer", order.transfer)});
    const auto reversals = to.log().tagged(reversal_tag(order.transfer), 0, 1);
    if (!reversals) return reversals.error();
    if (!reversals->empty())
      return verdict(refusal{fault::already_reversed, fmt::format("transfer {} was reversed by record {}",
                                                                  order.transfer, reversals->front().number)});
    e.from = before->to;
    e.to = before->from;
    e.amount = before->amount;
    if (const auto wrong = refuse_move(e, 0)) return verdict(*wrong);
    return verdict(std::nullopt);
  };
  return carry_out(entry{{.what = "reversal", .of = order.transfer}}, order.key, to, check);
}

// -- questions ----------------------------------------------------------------------------------------------

auto ledger_state::decide(const read_account& question, log&) const -> reply_to<read_account> {
  const auto found = accounts_.find(question.account);
  if (found == accounts_.end())
    return answer<account_state>(
        refusal{fault::unknown_account, fmt::format("there is no account '{}'", question.account)});
  const auto& a = found->second;
  return answer<account_state>(
      account_state{question.account, a.currency, a.balance, a.held, a.may_be_negative, a.closed});
}

auto ledger_state::decide(const read_statement& question, log& to) const -> reply_to<read_statement> {
  using lines = std::vector<statement_line>;
  if (accounts_.count(question.account) == 0)
    return answer<lines>(refusal{fault::unknown_account, fmt::format("there is no account '{}'", question.account)});
  if (question.limit < 1 || question.limit > most_lines)
    return answer<lines>(refusal{fault::invalid_order,
                                 fmt::format("a statement has 1 to {} lines, not {}", most_lines, question.limit)});
  const auto records = to.log().tagged(question.account, question.after, question.limit);
  if (!records) return records.error();
  lines made;
  for (const auto& r : *records) {
    const auto e = ledger_entry::from_text(r.content);
    if (!e) return error(errc::parse, fmt::format("record {} of the journal is none of a ledger", r.number));
    const bool gives = e->from == question.account;
    made.push_back({r.number, r.written_at, e->what, gives ? e->to : e->from, gives ? -e->moved() : e->moved(),
                    gives ? e->from_balance : e->to_balance, e->note});
  }
  return answer<lines>(std::move(made));
}

auto ledger_state::decide(const read_totals&, log&) const -> reply_to<read_totals> {
  std::map<std::string, currency_total> all;
  for (const auto& [name, a] : accounts_) {
    auto& t = all[a.currency];
    t.currency = a.currency;
    t.sum = static_cast<std::int64_t>(
        static_cast<std::uint64_t>(t.sum) +
        static_cast<std::uint64_t>(a.balance)); // in the end it is zero, whatever lies between
    ++t.accounts;
    if (!a.may_be_negative && (a.balance < 0 || a.balance < a.held)) ++t.negative;
  }
  std::vector<currency_total> made;
  for (auto& [currency, t] : all) made.push_back(std::move(t));
  return answer<std::vector<currency_total>>(std::move(made));
}

} // namespace greenroom::money
