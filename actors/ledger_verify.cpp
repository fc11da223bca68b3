#include <greenroom/actors/ledger_verify.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <greenroom/actors/internal/ledger_entry.hpp>
#include <greenroom/actors/ledger_state.hpp>

namespace greenroom::money {

using internal::ledger_entry;

namespace {

constexpr std::size_t most_shown = 80; // of a record, or of a line of a snapshot. Units: bytes

struct account {
  std::string currency;
  bool may_be_negative = false;
  bool closed = false;
  std::int64_t sum = 0;  // of all that was moved
  std::int64_t said = 0; // by the last record that concerns it
  std::int64_t held = 0;
};

struct open_hold {
  std::string from, to;
  std::int64_t amount = 0;
};

std::string shown(std::string_view text) {
  return text.size() <= most_shown ? std::string(text) : std::string(text.substr(0, most_shown)) + "...";
}

/// Reads the records one after the other and keeps books of its own.
class auditor {
public:
  auditor(journal& log, std::size_t most) : log_(log), most_(most) {}

  result<ledger_verdict> audit();

private:
  void check(const journal_record& r);
  void check_number(const journal_record& r);
  void check_entry(const ledger_entry& e);
  void open(const ledger_entry& e);
  void close(const ledger_entry& e);
  void hold(const ledger_entry& e);
  void end_hold(const ledger_entry& e);
  result<void> find_reversed(const ledger_entry& e);
  bool check_parties(const ledger_entry& e);
  void check_funds(const ledger_entry& e, const account& giver);
  void move(const ledger_entry& e);
  void note_balance(const std::string& name, account& a, std::int64_t said, std::int64_t change);
  void replay(const journal_record& r, bool seems_good);
  void compare_snapshot();
  void check_end();
  void count(std::string_view what);

  template <class... Args>
  void wrong(fmt::format_string<Args...> text, Args&&... args) {
    note(at_, fmt::format(text, std::forward<Args>(args)...));
  }
  void note(std::uint64_t record, std::string text) {
    if (++found_.violations <= most_) found_.first.push_back({record, std::move(text)});
  }
  account* find(const std::string& name) {
    const auto a = accounts_.find(name);
    return a == accounts_.end() ? nullptr : &a->second;
  }

  journal& log_;
  const std::size_t most_;
  ledger_verdict found_;
  std::uint64_t at_ = 0; // the record in hand
  bool has_gap_ = false;
  std::map<std::string, account, std::less<>> accounts_;
  std::map<std::uint64_t, open_hold> holds_;
  std::set<std::uint64_t> reversed_;
  std::optional<error> unread_; // while a record was looked for that another is about
  ledger_state state_;          // as the ledger itself makes it
  bool replays_ = true;         // up to here
  std::optional<journal_snapshot> snapshot_;
};

void auditor::count(std::string_view what) {
  for (const auto& [name, counter] :
       {std::pair("open", &found_.opened), std::pair("close", &found_.closed), std::pair("transfer", &found_.transfers),
        std::pair("reversal", &found_.reversals), std::pair("hold", &found_.holds),
        std::pair("capture", &found_.captures), std::pair("release", &found_.releases)}) {
    if (what == name) ++*counter;
  }
}

// -- one record -----------------------------------------------------------------------------------------------------------

void auditor::check_number(const journal_record& r) {
  const auto wanted = found_.last + 1;
  has_gap_ |= r.number != wanted;
  if (r.number == wanted + 1) note(r.number, fmt::format("the record {} before it is missing", wanted));
  if (r.number > wanted + 1)
    note(r.number, fmt::format("the records {} to {} before it are missing", wanted, r.number - 1));
  if (r.number < wanted) note(r.number, fmt::format("it stands behind record {}", found_.last));
}

void auditor::check(const journal_record& r) {
  check_number(r);
  at_ = found_.last = r.number;
  ++found_.records;
  const auto before = found_.violations;
  const auto e = ledger_entry::from_text(r.content);
  if (!e) {
    wrong("it is none that a ledger writes: '{}'", shown(r.content));
  } else {
    if (r.key.empty()) wrong("it has no key, so its order would be done again if it came again");
    if (r.tags != e->tags())
      wrong("it is found by '{}', and concerns '{}'", fmt::join(r.tags, "', '"), fmt::join(e->tags(), "', '"));
    count(e->what);
    check_entry(*e);
  }
  replay(r, found_.violations == before);
  if (snapshot_ && snapshot_->number == r.number) compare_snapshot();
}

void auditor::check_entry(const ledger_entry& e) {
  if (e.what == "open") return open(e);
  if (e.what == "close") return close(e);
  if (e.what == "hold") return hold(e);
  if (e.what == "transfer") return move(e);
  if (e.what == "capture" || e.what == "release") return end_hold(e);
  if (e.what != "reversal") return wrong("a ledger knows no '{}'", shown(e.what));
  if (const auto read = find_reversed(e); !read) unread_ = read.error();
  move(e);
}

void auditor::open(const ledger_entry& e) {
  account a;
  a.currency = e.currency;
  a.may_be_negative = e.may_be_negative;
  if (!accounts_.try_emplace(e.from, std::move(a)).second)
    wrong("it opens the account '{}', which is there already", e.from);
}

void auditor::close(const ledger_entry& e) {
  auto* const a = find(e.from);
  if (a == nullptr) return wrong("it closes the account '{}', which nobody has opened", e.from);
  if (a->closed) wrong("it closes the account '{}' once more", e.from);
  if (a->said != 0) wrong("it closes the account '{}', which has a balance of {} {}", e.from, a->said, a->currency);
  const bool awaited = std::any_of(holds_.begin(), holds_.end(), [&e](const auto& h) { return h.second.to == e.from; });
  if (a->held != 0 || awaited) wrong("it closes the account '{}', of which or for which something is held", e.from);
  a->closed = true;
}

/// Returns whether both accounts are there.
bool auditor::check_parties(const ledger_entry& e) {
  for (const auto& name : {e.from, e.to}) {
    const auto* const a = find(name);
    if (a == nullptr) {
      wrong("the account '{}' was never opened", name);
    } else if (a->closed) {
      wrong("the account '{}' is closed", name);
    } else if (a->currency != e.currency) {
      wrong("it is in {}, and the account '{}' has {}", shown(e.currency), name, a->currency);
    }
  }
  if (e.from == e.to) wrong("'{}' gives to itself", e.from);
  if (e.amount < 1) wrong("its amount is {}", e.amount);
  return find(e.from) != nullptr && find(e.to) != nullptr;
}

void auditor::check_funds(const ledger_entry& e, const account& giver) {
  std::int64_t available = 0;
  const bool in_range = !__builtin_sub_overflow(giver.said, giver.held, &available);
  if (!giver.may_be_negative && (!in_range || available < 0))
    wrong("'{}' is overdrawn by it: it has a balance of {} {}, {} of it held, and must not be negative", e.from,
          giver.said, giver.currency, giver.held);
}

void auditor::hold(const ledger_entry& e) {
  const bool there = check_parties(e);
  if (!holds_.try_emplace(at_, open_hold{e.from, e.to, e.amount}).second || !there) return;
  auto& giver = *find(e.from);
  if (__builtin_add_overflow(giver.held, e.amount, &giver.held))
    wrong("what is held of '{}' leaves the range of 64 bits", e.from);
  note_balance(e.from, giver, e.from_balance, 0);
  note_balance(e.to, *find(e.to), e.to_balance, 0);
  check_funds(e, giver);
}

void auditor::end_hold(const ledger_entry& e) {
  const auto h = holds_.find(e.of);
  if (h == holds_.end()) {
    wrong("it ends hold {}, which is not there, or has ended", e.of);
  } else {
    if (h->second.from != e.from || h->second.to != e.to)
      wrong("it is from '{}' to '{}', and hold {} is from '{}' to '{}'", e.from, e.to, e.of, h->second.from,
            h->second.to);
    if (e.amount > h->second.amount || (e.what == "release" && e.amount != h->second.amount))
      wrong("its amount is {}, and that of hold {} is {}", e.amount, e.of, h->second.amount);
    if (auto* const giver = find(h->second.from)) giver->held -= h->second.amount;
    holds_.erase(h);
  }
  if (e.what == "capture") return move(e);
  if (!check_parties(e)) return;
  note_balance(e.from, *find(e.from), e.from_balance, 0);
  note_balance(e.to, *find(e.to), e.to_balance, 0);
}

result<void> auditor::find_reversed(const ledger_entry& e) {
  if (!reversed_.insert(e.of).second) wrong("it reverses transfer {} once more", e.of);
  const auto found = log_.read(e.of);
  if (!found) return found.error();
  const auto of = *found ? ledger_entry::from_text((**found).content) : std::nullopt;
  if (!of || e.of >= at_ || (of->what != "transfer" && of->what != "capture")) {
    wrong("it reverses record {}, which is no transfer before it", e.of);
  } else if (of->from != e.to || of->to != e.from || of->amount != e.amount) {
    wrong("it moves {} from '{}' to '{}', and transfer {} moved {} from '{}' to '{}'", e.amount, e.from, e.to, e.of,
          of->amount, of->from, of->to);
  }
  return {};
}

void auditor::move(const ledger_entry& e) {
  if (!check_parties(e)) return;
  auto& giver = *find(e.from);
  note_balance(e.from, giver, e.from_balance, -e.amount);
  note_balance(e.to, *find(e.to), e.to_balance, e.amount);
  check_funds(e, giver);
}

/// A balance that follows neither from all amounts nor from the one said last is wrong; one that follows from either was told of where they parted.
void auditor::note_balance(const std::string& name, account& a, std::int64_t said, std::int64_t change) {
  std::int64_t by_last = 0;
  const bool in_range =
      !__builtin_add_overflow(a.said, change, &by_last) && !__builtin_add_overflow(a.sum, change, &a.sum);
  if (!in_range) {
    wrong("the balance of '{}' leaves the range of 64 bits", name);
  } else if (said != a.sum && said != by_last) {
    wrong("it says that '{}' has {} {} behind it, and {} is right", name, said, a.currency, by_last);
  }
  a.said = said;
}

// -- the ledger's own state -------------------------------------------------------------------------------------------------

void auditor::replay(const journal_record& r, bool seems_good) {
  if (!replays_ || state_.apply(r)) return;
  replays_ = false;
  if (seems_good) wrong("the ledger cannot go on with it: no server can start from this journal");
}

void auditor::compare_snapshot() {
  if (!replays_) return; // there is nothing to compare it with, and that was told
  const auto right = state_.save();
  if (snapshot_->content == right) return;
  const auto [a, b] = std::mismatch(right.begin(), right.end(), snapshot_->content.begin(), snapshot_->content.end());
  const auto line_at = [](std::string_view text, std::size_t at) {
    const auto begin = text.substr(0, at).rfind('\n') + 1; // npos + 1 is 0
    return shown(text.substr(begin, text.find('\n', begin) - begin));
  };
  const auto at = static_cast<std::size_t>(a - right.begin());
  note(at_, fmt::format("the snapshot of it is not what the records give: it says '{}' where '{}' is right",
                        line_at(snapshot_->content, at), line_at(right, at)));
}

// -- the whole ----------------------------------------------------------------------------------------------------------------

void auditor::check_end() {
  std::map<std::string, currency_total> totals;
  __extension__ using wide = __int128;
  std::map<std::string, wide> sums;
  for (const auto& [name, a] : accounts_) {
    auto& t = totals[a.currency];
    t.currency = a.currency;
    ++t.accounts;
    sums[a.currency] += a.said;
    if (!a.may_be_negative && (a.said < 0 || a.said < a.held)) ++t.negative;
    if (a.sum != a.said)
      note(0, fmt::format("the amounts of '{}' add up to {} {}, and its last record says {}", name, a.sum, a.currency,
                          a.said));
  }
  for (auto& [currency, t] : totals) {
    t.sum = static_cast<std::int64_t>(sums[currency]);
    if (sums[currency] != 0) note(0, fmt::format("all accounts of {} add up to {}, and not to zero", currency, t.sum));
    found_.totals.push_back(std::move(t));
  }
  found_.open_holds = holds_.size();
  if (snapshot_ && snapshot_->number > found_.last)
    note(0, fmt::format("the snapshot is of record {}, and the last one is {}", snapshot_->number, found_.last));
  for (const auto& r : found_.readers) {
    if (r.number > found_.last)
      note(0, fmt::format("the reader '{}' is done with record {}, and the last one is {}", r.name, r.number,
                          found_.last));
  }
}

result<ledger_verdict> auditor::audit() {
  auto snapshot = log_.snapshot();
  if (!snapshot) return snapshot.error();
  snapshot_ = *std::move(snapshot);
  if (snapshot_) {
    found_.snapshot = snapshot_->number;
    if (snapshot_->number == 0) compare_snapshot();
  }
  auto readers = log_.readers();
  if (!readers) return readers.error();
  found_.readers = *std::move(readers);
  const auto read = log_.replay(0, [this](const journal_record& r) -> result<void> {
    check(r);
    if (unread_) return *unread_;
    return {};
  });
  if (!read) return read.error();
  check_end();
  if (const auto undamaged = log_.verify(); !undamaged && !has_gap_) note(0, std::string(undamaged.error().message()));
  return std::move(found_);
}

} // namespace

result<ledger_verdict> verify_ledger(journal& log, std::size_t most) { return auditor(log, most).audit(); }

} // namespace greenroom::money
