#include <greenroom/tools/greenroom/ledger_command.hpp>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include <greenroom/actors/journal_copy.hpp>
#include <greenroom/actors/ledger_verify.hpp>
#include <greenroom/runtime/detail/json_literal.hpp>
#include <greenroom/tools/greenroom/arguments.hpp>

using namespace greenroom;
using detail::json_literal;

namespace cli {
namespace {

constexpr int unsound = 1;
constexpr int unreadable = 2;

/// Whether it is a connection to PostgreSQL and no file.
bool is_connection(const std::string& place) {
  if (place.starts_with("postgres://") || place.starts_with("postgresql://")) return true;
  std::error_code ignored;
  return place.find('=') != place.npos && !std::filesystem::exists(place, ignored);
}

result<std::unique_ptr<journal>> open(const std::string& place, const arguments& given) {
  if (!is_connection(place)) return open_sqlite_journal_copy(place);
  postgres_journal_options how;
  how.read_only = true;
  if (const auto schema = given.text("--schema")) how.schema = *schema;
  return open_postgres_journal(place, how);
}

std::string count(std::uint64_t n, const char* one, const char* more) {
  return fmt::format("{} {}", n, n == 1 ? one : more);
}

std::string text_of(const money::ledger_verdict& v, const std::string& name) {
  auto text = fmt::format("{}: {}\n", name, count(v.records, "record", "records"));
  text += fmt::format("  {} opened, {} closed; {}, {}; {}, of which {} captured, {} released, {} open\n",
                      count(v.opened, "account", "accounts"), v.closed, count(v.transfers, "transfer", "transfers"),
                      count(v.reversals, "reversal", "reversals"), count(v.holds, "hold", "holds"), v.captures,
                      v.releases, v.open_holds);
  for (const auto& t : v.totals)
    text += fmt::format("  {}: {}, which add up to {}; {} overdrawn\n", t.currency,
                        count(t.accounts, "account", "accounts"), t.sum, t.negative);
  text += v.snapshot ? fmt::format("  a snapshot of record {}\n", *v.snapshot) : "  no snapshot\n";
  for (const auto& r : v.readers) {
    text += fmt::format("  reader '{}' is done with record {}", r.name, r.number);
    text += r.number <= v.last ? fmt::format(", and has {} to go\n", v.last - r.number) : "\n";
  }
  if (v.sound()) return text + "sound\n";
  text += fmt::format("NOT SOUND: {}\n", count(v.violations, "violation", "violations"));
  for (const auto& one : v.first)
    text += one.record == 0 ? fmt::format("  {}\n", one.text) : fmt::format("  record {}: {}\n", one.record, one.text);
  if (v.first.size() < v.violations)
    text += fmt::format("  ... and {} more; --most shows more of them\n", v.violations - v.first.size());
  return text;
}

template <class Range, class Show>
std::string list_of(const Range& all, Show show) {
  std::string text;
  for (const auto& one : all) text += (text.empty() ? "" : ",") + show(one);
  return "[" + text + "]";
}

std::string json_of(const money::ledger_verdict& v, const std::string& name) {
  auto text = fmt::format(
      R"({{"journal":{},"sound":{},"records":{},"last":{},"opened":{},"closed":{},"transfers":{},"reversals":{},)",
      json_literal(name), v.sound(), v.records, v.last, v.opened, v.closed, v.transfers, v.reversals);
  text += fmt::format(R"("holds":{},"captures":{},"releases":{},"open_holds":{},"snapshot":{},)", v.holds, v.captures,
                      v.releases, v.open_holds, v.snapshot ? std::to_string(*v.snapshot) : "null");
  text += "\"totals\":" + list_of(v.totals, [](const auto& t) {
            return fmt::format(R"({{"currency":{},"sum":{},"accounts":{},"negative":{}}})", json_literal(t.currency),
                               t.sum, t.accounts, t.negative);
          });
  text += ",\"readers\":" + list_of(v.readers, [](const auto& r) {
            return fmt::format(R"({{"name":{},"record":{}}})", json_literal(r.name), r.number);
          });
  text += fmt::format(",\"violation_count\":{},\"violations\":", v.violations);
  return text +
         list_of(v.first,
                 [](const auto& one) {
                   return fmt::format(R"({{"record":{},"text":{}}})", one.record, json_literal(one.text));
                 }) +
         "}\n";
}

int ledger(const arguments& given) {
  const auto& place = given.rest()[1];
  const auto most = given.number("--most", 20, 0, 1'000'000);
  if (!most) return fail_usage(most.error().message());
  const auto log = open(place, given);
  if (!log) return fail(log.error().message(), unreadable);
  const auto verdict = money::verify_ledger(**log, *most);
  if (!verdict) return fail(verdict.error().message(), unreadable);
  // A connection may have a password in it.
  const auto name = is_connection(place)
                        ? "the journal '" + given.text("--schema").value_or(postgres_journal_options().schema) + "'"
                        : place;
  std::fputs((given.has("--json") ? json_of(*verdict, name) : text_of(*verdict, name)).c_str(), stdout);
  std::fflush(stdout);
  return verdict->sound() ? 0 : unsound;
}

constexpr option ledger_options[] = {
    {"--schema", "NAME", "of a journal in PostgreSQL: its schema (default greenroom_journal)"},
    {"--most", "N", "violations to show; all are counted (default 20)"},
    json_option,
};

} // namespace

constinit const command ledger_command{
    "ledger",
    "verify FILE|CONNECTION",
    "checks a ledger from its first record on",
    "Reads the journal of a ledger and checks all of it with books of its own: numbers without a gap; each transfer "
    "from one account to another of the "
    "same currency; the balances that each record says; no account overdrawn that must not be; holds, captures and "
    "reversals; sums of zero; a snapshot "
    "that equals the replay; readers (outboxes) within the journal. FILE is a SQLite database; what is read is a copy, "
    "so a server may have it open, "
    "and nothing of it changes. CONNECTION is that of libpq, and is read in one transaction.\n\n"
    " greenroom ledger verify shop.db\n"
    " greenroom ledger verify 'host=/run/postgresql dbname=shop' --schema shop\n\n"
    "The exit code is 0 for a sound ledger, 1 for one that is not, 2 for one that cannot be read.",
    ledger_options,
    ledger,
};

} // namespace cli
