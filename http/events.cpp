#include <greenroom/http/events.hpp>

#include <fmt/format.h>

#include <greenroom/runtime/error.hpp>

namespace greenroom::http {
namespace {

/// Appends each line behind its label. All three ends of a line are ends for the client, so all three are cut at.
void append_lines(std::string& to, std::string_view label, std::string_view text) {
  for (;;) {
    const auto end = text.find_first_of("\r\n");
    to.append(label).append(text.substr(0, end)).append("\n");
    if (end == text.npos) return;
    text.remove_prefix(text.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
  }
}

std::optional<error> check_line(std::string_view what, std::string_view text) {
  using namespace std::string_view_literals;
  if (text.find_first_of("\r\n\0"sv) == text.npos) return std::nullopt;
  return error(
      errc::invalid_argument,
      fmt::format("cannot send an event: its {} holds a line end or NUL, which may only stand in its data", what));
}

} // namespace

result<std::string> event_text(const event& e) {
  if (auto why = check_line("name", e.name)) return *std::move(why);
  if (auto why = check_line("id", e.id)) return *std::move(why);
  if (e.retry && e.retry->count() < 0)
    return error(errc::invalid_argument,
                 fmt::format("cannot send an event: its time of retry is {} ms, which is negative", e.retry->count()));
  std::string text;
  text.reserve(e.data.size() + e.name.size() + e.id.size() + 48);
  if (!e.id.empty()) append_lines(text, "id: ", e.id);
  if (!e.name.empty()) append_lines(text, "event: ", e.name);
  if (e.retry) text += fmt::format("retry: {}\n", e.retry->count());
  append_lines(text, "data: ", e.data); // also an empty one: an event without data is dropped
  text += '\n';
  return text;
}

std::string event_comment(std::string_view text) {
  std::string line;
  append_lines(line, text.empty() ? ":" : ": ", text);
  line += '\n';
  return line;
}

std::string_view last_event_id(const request& r) noexcept { return r.header("Last-Event-ID").value_or(""); }

task<result<void>> event_writer::send(event e) {
  auto text = event_text(e);
  if (!text) co_return text.error();
  co_return co_await to_.write(*std::move(text));
}

task<result<void>> event_writer::comment(std::string text) { co_return co_await to_.write(event_comment(text)); }

response detail::event_head() {
  response head(200, "text/event-stream", {});
  head.header("Cache-Control", "no-store");
  head.header("X-Accel-Buffering", "no"); // nginx would gather events until 4 or 8 KiB are full; others ignore it
  return head;
}

} // namespace greenroom::http
