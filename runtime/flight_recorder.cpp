#include <greenroom/runtime/flight_recorder.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <greenroom/runtime/detail/json_literal.hpp>

namespace greenroom {
namespace {

using detail::json_literal;

const char* name_of(flight_kind kind) {
  switch (kind) {
  case flight_kind::took: return "took";
  case flight_kind::spawned: return "spawned";
  case flight_kind::ended: return "ended";
  case flight_kind::logged: return "logged";
  case flight_kind::none: break;
  }
  return "none";
}

std::string who(const flight_event& e) {
  if (e.actor == 0) return "-";
  return e.name.empty() ? fmt::format("actor {}", e.actor) : fmt::format("actor {} '{}'", e.actor, e.name);
}

std::string what(const flight_event& e) {
  switch (e.what) {
  case flight_kind::took: {
    auto text = fmt::format("took {} from mailbox {}", e.type, e.mailbox);
    if (e.times != 1) text += fmt::format(", {} times", e.times);
    return e.text.empty() ? text : text + ": " + e.text;
  }
  case flight_kind::spawned: return e.by == 0 ? "spawned" : fmt::format("spawned by actor {}", e.by);
  case flight_kind::ended: return "ended: " + e.text;
  case flight_kind::logged:
    return fmt::format("{}: {}{}", to_string(e.level), e.text,
                       e.trace_id.empty() ? "" : " (trace_id=" + e.trace_id + ")");
  case flight_kind::none: break;
  }
  return "none";
}

std::string brief(const flight_event& e, std::chrono::milliseconds now) {
  const auto ago = fmt::format("{} ms ago", std::max<std::int64_t>((now - e.at).count(), 0));
  switch (e.what) {
  case flight_kind::took: {
    const auto times = e.times == 1 ? std::string() : fmt::format(" {} times", e.times);
    return fmt::format("took {}{}{} {}", e.type, times, e.text.empty() ? "" : " (" + e.text + ")", ago);
  }
  case flight_kind::logged: return fmt::format("logged \"{}\" {}", e.text, ago);
  case flight_kind::spawned: return "was spawned " + ago;
  default: return "ended " + ago;
  }
}

std::string json_of(const flight_event& e) {
  auto text = fmt::format(R"({{"at_ms":{},"what":"{}","actor":{},"name":{})", e.at.count(), name_of(e.what), e.actor,
                          json_literal(e.name));
  if (e.what == flight_kind::took)
    text += fmt::format(R"(,"times":{},"type":{},"mailbox":{})", e.times, json_literal(e.type), e.mailbox);
  if (e.what == flight_kind::spawned) text += fmt::format(R"(,"by":{})", e.by);
  if (e.what == flight_kind::logged) text += fmt::format(R"(,"level":"{}")", to_string(e.level));
  if (!e.trace_id.empty()) text += ",\"trace_id\":" + json_literal(e.trace_id);
  if (!e.text.empty()) text += ",\"text\":" + json_literal(e.text);
  return text + "}";
}

} // namespace

std::string flight_log::to_string() const {
  std::string text;
  for (const auto& e : events) text += fmt::format("{:>10} ms  {} {}\n", e.at.count(), who(e), what(e));
  if (actor) {
    text += fmt::format("{:>10} ms  actor {} '{}', spawned at {}, waits for {} since {} ms\n", now.count(), actor->id,
                        actor->name, actor->spawned_at, actor->waits_for, actor->waits_since.count());
  }
  return text.empty() ? "no events\n" : text;
}

std::string flight_log::in_brief() const {
  std::string text;
  for (const auto& e : events) text += (text.empty() ? "" : "; ") + brief(e, now);
  return text;
}

std::string flight_log::to_json() const {
  auto text = fmt::format(R"({{"now_ms":{},"actor":)", now.count());
  if (actor) {
    text += fmt::format(R"({{"id":{},"name":{},"spawned_at":{},"waits_for":{},"waits_ms":{}}})", actor->id,
                        json_literal(actor->name), json_literal(actor->spawned_at), json_literal(actor->waits_for),
                        actor->waits_since.count());
  } else {
    text += "null";
  }
  text += ",\"events\":[";
  for (std::size_t i = 0; i < events.size(); ++i) text += (i == 0 ? "" : ",") + json_of(events[i]);
  return text + "]}\n";
}

} // namespace greenroom
