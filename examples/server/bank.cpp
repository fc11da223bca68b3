#include "bank.hpp"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <greenroom/http/json.hpp>
#include <greenroom/http/rate_limit.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

// Beside the types: describe() is found by their namespace.
namespace greenroom::money {

void describe(http::schema<open_account>& s) {
  s.field("key", &open_account::key);
  s.field("account", &open_account::account);
  s.field("currency", &open_account::currency).says("as EUR");
  s.field("may_be_negative", &open_account::may_be_negative).optional().says("stands for the world outside");
}
void describe(http::schema<transfer>& s) {
  s.field("key", &transfer::key).says("of your choice; the same again is the same order");
  s.field("from", &transfer::from);
  s.field("to", &transfer::to);
  s.field("amount", &transfer::amount).says("in minor units, as cents");
  s.field("note", &transfer::note).optional();
}
void describe(http::schema<hold>& s) {
  s.field("key", &hold::key);
  s.field("from", &hold::from);
  s.field("to", &hold::to);
  s.field("amount", &hold::amount);
  s.field("note", &hold::note).optional();
}
void describe(http::schema<capture_hold>& s) {
  s.field("key", &capture_hold::key);
  s.field("hold", &capture_hold::hold);
  s.field("amount", &capture_hold::amount).optional().says("all of it, if left out");
}
void describe(http::schema<release_hold>& s) {
  s.field("key", &release_hold::key);
  s.field("hold", &release_hold::hold);
}
void describe(http::schema<reverse_transfer>& s) {
  s.field("key", &reverse_transfer::key);
  s.field("transfer", &reverse_transfer::transfer);
}
void describe(http::schema<receipt>& s) {
  s.field("number", &receipt::number);
  s.field("repeated", &receipt::repeated);
  s.field("moved", &receipt::moved);
}
void describe(http::schema<account_state>& s) {
  s.field("account", &account_state::account);
  s.field("currency", &account_state::currency);
  s.field("balance", &account_state::balance);
  s.field("held", &account_state::held);
  s.field("may_be_negative", &account_state::may_be_negative);
  s.field("closed", &account_state::closed);
}
void describe(http::schema<statement_line>& s) {
  s.field("number", &statement_line::number);
  s.field("written_at", &statement_line::written_at).says("milliseconds since 1970, UTC");
  s.field("what", &statement_line::what);
  s.field("other", &statement_line::other);
  s.field("change", &statement_line::change);
  s.field("balance", &statement_line::balance);
  s.field("note", &statement_line::note);
}
void describe(http::schema<currency_total>& s) {
  s.field("currency", &currency_total::currency);
  s.field("sum", &currency_total::sum).says("zero, always");
  s.field("accounts", &currency_total::accounts);
  s.field("negative", &currency_total::negative).says("accounts that are below zero and must not be: none");
}

} // namespace greenroom::money

namespace {

errc code_of(money::fault why) {
  switch (why) {
  case money::fault::unknown_account:
  case money::fault::unknown_transfer:
  case money::fault::unknown_hold: return errc::not_found;
  case money::fault::key_reused:
  case money::fault::account_exists:
  case money::fault::already_reversed: return errc::already_exists;
  case money::fault::unavailable: return errc::stopped; // 503: send it again
  default: return errc::invalid_argument;
  }
}

template <class T>
result<T> answer_of(const money::answer<T>& from) {
  if (from) return *from;
  return error(code_of(from.error().why), std::string(to_string(from.error().why)) + ": " + from.error().text);
}

template <class M>
task<result<money::receipt>> carry_out(M order, money::ledger books) {
  const auto done = co_await books.tell(std::move(order));
  co_return answer_of(done);
}

task<result<money::account_state>> show_account(http::request r, money::ledger books) {
  const money::read_account question{std::string(r.parameter("name"))};
  const auto found = co_await books.tell(question);
  co_return answer_of(found);
}

/// GET /accounts/NAME/statement?after=0
task<result<std::vector<money::statement_line>>> show_statement(http::request r, money::ledger books) {
  money::read_statement question{std::string(r.parameter("name"))};
  const auto after =
      r.query_number("after", question.after, std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max());
  if (!after) co_return after.error();
  question.after = *after;
  const auto found = co_await books.tell(question);
  co_return answer_of(found);
}

task<result<std::vector<money::currency_total>>> show_totals(money::ledger books) {
  const auto found = co_await books.tell(money::read_totals{});
  co_return answer_of(found);
}

task<result<void>> see_it_works(money::ledger books) {
  const auto read = co_await books.tell(money::read_totals{}, 60s); // a long journal is replayed first
  if (!read) co_return error(errc::io, "the bank cannot open its books: " + read.error().text + "; the log says why");
  co_return result<void>();
}

} // namespace

result<money::ledger> open_books(actor_system& sys, const std::filesystem::path& file) {
  money::ledger books(sys, {.file = file.empty() ? ":memory:" : file});
  if (const auto works = sys.run(see_it_works, books); !works) return works.error();
  return books;
}

http::routes bank_routes(const money::ledger& books) {
  http::routes bank;
  bank.use(http::rate_limit({.requests = 60'000, .period = 1min, .burst = 5'000}));
  bank.post("/accounts", http::json_handler(carry_out<money::open_account>, books))
      .get("/accounts/{name}", http::json_handler(show_account, books))
      .get("/accounts/{name}/statement", http::json_handler(show_statement, books))
      .post("/transfers", http::json_handler(carry_out<money::transfer>, books))
      .post("/reversals", http::json_handler(carry_out<money::reverse_transfer>, books))
      .post("/holds", http::json_handler(carry_out<money::hold>, books))
      .post("/captures", http::json_handler(carry_out<money::capture_hold>, books))
      .post("/releases", http::json_handler(carry_out<money::release_hold>, books))
      .get("/totals", http::json_handler(show_totals, books));
  return bank;
}
