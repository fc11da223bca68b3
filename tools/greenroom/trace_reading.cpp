#include <greenroom/tools/greenroom/trace_reading.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <greenroom/http/json.hpp>
#include <greenroom/runtime/detail/json_literal.hpp>
#include <greenroom/tools/greenroom/plain_text.hpp>

namespace trace_reading {

using namespace greenroom;
using detail::json_literal;
using std::chrono::milliseconds;

namespace {

constexpr std::array kinds{std::pair(std::string_view("took"), flight_kind::took),
                           std::pair(std::string_view("spawned"), flight_kind::spawned),
                           std::pair(std::string_view("ended"), flight_kind::ended),
                           std::pair(std::string_view("logged"), flight_kind::logged)};
constexpr std::array levels{log_level::trace, log_level::debug, log_level::info, log_level::warn, log_level::error};

// As they stand in JSON; what is missing has its default.
struct event_text {
  std::uint64_t at_ms = 0;
  std::string what;
  std::uint64_t actor = 0;
  std::string name;
  std::uint64_t times = 1;
  std::string type;
  std::uint64_t mailbox = 0;
  std::uint64_t by = 0;
  std::string level = "info";
  std::string text;
  std::string trace_id;
};
void describe(http::schema<event_text>& s) {
  s.ignore_unknown();
  s.field("at_ms", &event_text::at_ms);
  s.field("what", &event_text::what);
  s.field("actor", &event_text::actor);
  s.field("name", &event_text::name).optional();
  s.field("times", &event_text::times).optional();
  s.field("type", &event_text::type).optional();
  s.field("mailbox", &event_text::mailbox).optional();
  s.field("by", &event_text::by).optional();
  s.field("level", &event_text::level).optional();
  s.field("text", &event_text::text).optional();
  s.field("trace_id", &event_text::trace_id).optional();
}

struct actor_text {
  std::uint64_t id = 0;
  std::string name;
  std::string spawned_at;
  std::string waits_for;
  std::uint64_t waits_ms = 0;
};
void describe(http::schema<actor_text>& s) {
  s.ignore_unknown();
  s.field("id", &actor_text::id);
  s.field("name", &actor_text::name).optional();
  s.field("spawned_at", &actor_text::spawned_at).optional();
  s.field("waits_for", &actor_text::waits_for).optional();
  s.field("waits_ms", &actor_text::waits_ms).optional();
}

struct dump_text {
  std::uint64_t now_ms = 0;
  std::optional<actor_text> actor;
  std::vector<event_text> events;
};
void describe(http::schema<dump_text>& s) {
  s.ignore_unknown();
  s.field("now_ms", &dump_text::now_ms);
  s.field("actor", &dump_text::actor);
  s.field("events", &dump_text::events);
}

milliseconds as_time(std::uint64_t ms) {
  return milliseconds(static_cast<std::int64_t>(std::min<std::uint64_t>(ms, std::uint64_t{1} << 52)));
}

std::string plain(std::string text) {
  cli::make_plain(text);
  return text;
}

/// Nothing for a kind that this version does not know.
std::optional<flight_event> event_of(event_text& e) {
  const auto kind = kind_of(e.what);
  if (!kind) return std::nullopt;
  flight_event made;
  made.at = as_time(e.at_ms);
  made.what = *kind;
  made.actor = e.actor;
  made.name = plain(std::move(e.name));
  made.times = e.times;
  made.type = plain(std::move(e.type));
  made.mailbox = e.mailbox;
  made.by = e.by;
  made.text = plain(std::move(e.text));
  made.trace_id = plain(std::move(e.trace_id));
  for (const auto level : levels) {
    if (e.level == to_string(level)) made.level = level;
  }
  return made;
}

bool fits(const flight_event& e, const filter& by, milliseconds now) {
  if (by.actor && e.actor != *by.actor) return false;
  if (!by.name.empty() && e.name.find(by.name) == e.name.npos) return false;
  if (by.kind && e.what != *by.kind) return false;
  if (!by.trace_id.empty() && !e.trace_id.starts_with(by.trace_id)) return false;
  return e.at >= by.from && e.at <= by.to && (!by.since || e.at >= now - *by.since);
}

/// All of an event but the number of its mailbox, which each dump counts anew.
std::string identity(const flight_event& e) {
  return fmt::format("{}|{}|{}|{}|{}|{}|{}|{}", e.at.count(), static_cast<int>(e.what), e.actor, e.times, e.type, e.by,
                     e.trace_id, e.text);
}

} // namespace

result<flight_log> parse(std::string_view json) {
  auto read = http::from_json<dump_text>(json);
  if (!read) return read.error();
  flight_log log;
  log.now = as_time(read->now_ms);
  for (auto& e : read->events) {
    if (auto made = event_of(e)) log.events.push_back(*std::move(made));
  }
  if (read->actor) {
    actor_info info;
    info.id = read->actor->id;
    info.name = plain(read->actor->name);
    info.spawned_at = plain(read->actor->spawned_at);
    info.waits_for = plain(read->actor->waits_for);
    info.waits_since = as_time(read->actor->waits_ms);
    log.actor = std::move(info);
  }
  return log;
}

flight_log filtered(flight_log all, const filter& by) {
  std::erase_if(all.events, [&](const auto& e) { return !fits(e, by, all.now); });
  if (all.events.size() > by.last)
    all.events.erase(all.events.begin(), all.events.end() - static_cast<std::ptrdiff_t>(by.last));
  return all;
}

std::optional<flight_kind> kind_of(std::string_view name) {
  for (const auto& [known, kind] : kinds) {
    if (name == known) return kind;
  }
  return std::nullopt;
}

flight_log new_since(const flight_log& before, flight_log now) {
  std::map<std::string, std::size_t> known;
  for (const auto& e : before.events) ++known[identity(e)];
  std::erase_if(now.events, [&known](const auto& e) {
    const auto found = known.find(identity(e));
    if (found == known.end() || found->second == 0) return false;
    --found->second;
    return true;
  });
  return now;
}

// -- for Chrome -----------------------------------------------------------------------------------------------------------

namespace {

struct life {
  std::string name;
  milliseconds from = milliseconds::max();
  milliseconds to{0};
  bool has_ended = false;
  std::uint64_t by = 0;
};

std::map<std::uint64_t, life> lives_of(const flight_log& log) {
  std::map<std::uint64_t, life> all;
  for (const auto& e : log.events) {
    auto& l = all[e.actor];
    if (l.name.empty()) l.name = e.name;
    l.from = std::min(l.from, e.at);
    if (!l.has_ended) l.to = e.what == flight_kind::ended ? e.at : log.now;
    l.has_ended |= e.what == flight_kind::ended;
    if (e.what == flight_kind::spawned) l.by = e.by;
  }
  return all;
}

std::string title_of(const flight_event& e) {
  switch (e.what) {
  case flight_kind::took: return "took " + e.type;
  case flight_kind::logged: return fmt::format("{}: {}", to_string(e.level), e.text);
  case flight_kind::spawned: return "spawned";
  default: return "ended: " + e.text;
  }
}

std::string details_of(const flight_event& e) {
  if (e.what == flight_kind::took)
    return fmt::format(R"({{"times":{},"mailbox":{},"text":{}}})", e.times, e.mailbox, json_literal(e.text));
  if (e.what == flight_kind::spawned) return fmt::format(R"({{"by":{}}})", e.by);
  if (!e.trace_id.empty()) return fmt::format(R"({{"trace_id":{}}})", json_literal(e.trace_id));
  return "{}";
}

} // namespace

std::string chrome_of(const flight_log& log) {
  constexpr int us = 1'000; // in a millisecond
  std::string text = "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n"
                     R"({"name":"process_name","ph":"M","pid":1,"tid":0,"args":{"name":"greenroom"}})";
  for (const auto& [id, l] : lives_of(log)) {
    const auto name =
        id == 0 ? std::string("outside of actors") : fmt::format("{} ({})", l.name.empty() ? "actor" : l.name, id);
    text += fmt::format(",\n"
                        R"({{"name":"thread_name","ph":"M","pid":1,"tid":{},"args":{{"name":{}}}}})",
                        id, json_literal(name));
    if (id == 0) continue;
    text += fmt::format(
        ",\n"
        R"({{"name":{},"cat":"life","ph":"X","pid":1,"tid":{},"ts":{},"dur":{},"args":{{"by":{},"ended":{}}}}})",
        json_literal(name), id, l.from.count() * us, std::max<std::int64_t>((l.to - l.from).count(), 0) * us, l.by,
        l.has_ended);
  }
  for (const auto& e : log.events) {
    text +=
        fmt::format(",\n"
                    R"({{"name":{},"cat":"{}","ph":"i","s":"t","pid":1,"tid":{},"ts":{},"args":{}}})",
                    json_literal(title_of(e)),
                    std::find_if(kinds.begin(), kinds.end(), [&e](const auto& k) { return k.second == e.what; })->first,
                    e.actor, e.at.count() * us, details_of(e));
  }
  return text + "\n]}\n";
}

} // namespace trace_reading
