#include <greenroom/http/internal/response_writer.hpp>

#include <array>
#include <charconv>
#include <cstring>
#include <ctime>
#include <string_view>

namespace greenroom::http::internal {
namespace {

using greenroom::detail::pooled_string;

void append_number(pooled_string& out, std::size_t n) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), n).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

/// "Date: Sun, 06 Nov 1994 08:49:37 GMT" and a line end, behind the most frequent status line; made once a second. Source: RFC 9110 section
/// 5.6.7, IMF-fixdate.
struct date_line {
  static constexpr std::string_view ok = "HTTP/1.1 200 OK\r\n";
  static constexpr std::size_t length = ok.size() + 37;
  std::time_t second = -1;
  std::array<char, length> text{};

  std::string_view behind_ok() const noexcept { return {text.data(), length}; }
  std::string_view alone() const noexcept { return behind_ok().substr(ok.size()); }

  void set(std::time_t now) noexcept {
    static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm t{};
    ::gmtime_r(&now, &t);
    auto* at = text.data();
    const auto put = [&at](const char* s, std::size_t n) { at = static_cast<char*>(std::memcpy(at, s, n)) + n; };
    const auto put_two = [&at](int n) {
      *at++ = static_cast<char>('0' + n / 10 % 10);
      *at++ = static_cast<char>('0' + n % 10);
    };
    put(ok.data(), ok.size()), put("Date: ", 6), put(days[t.tm_wday], 3), put(", ", 2), put_two(t.tm_mday), put(" ", 1);
    put(months[t.tm_mon], 3), put(" ", 1), put_two((t.tm_year + 1900) / 100), put_two(t.tm_year + 1900), put(" ", 1);
    put_two(t.tm_hour), put(":", 1), put_two(t.tm_min), put(":", 1), put_two(t.tm_sec), put(" GMT\r\n", 6);
    second = now;
  }
};

thread_local date_line date;

void append_status_and_date(pooled_string& out, int status, std::chrono::sys_seconds now) {
  const auto second = std::chrono::system_clock::to_time_t(now);
  if (second != date.second) date.set(second);
  if (status == 200) { // most of them
    out += date.behind_ok();
    return;
  }
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::size_t>(status));
  out += ' ';
  out += reason_phrase(status);
  out += "\r\n";
  out += date.alone();
}

void append_length(pooled_string& out, std::size_t n) {
  static constexpr std::string_view name = "Content-Length: ";
  std::array<char, name.size() + 20 + 2> line; // one append: each looks for room
  std::memcpy(line.data(), name.data(), name.size());
  auto* const end = std::to_chars(line.data() + name.size(), line.data() + line.size(), n).ptr;
  std::memcpy(end, "\r\n", 2);
  out.append(line.data(), static_cast<std::size_t>(end + 2 - line.data()));
}

void append_framing(pooled_string& out, const response& answer, answer_form form) {
  const auto status = answer.status();
  // Source: RFC 9110 section 15.3.6: 205 has content for nobody, but says so; 101, 204 and 304 end with their header section.
  if (status == 205) return append_length(out, 0);
  if (status == 101 || !may_have_body(status)) return;
  if (answer.continuation() == nullptr) return append_length(out, answer.body().size());
  if (const auto length = answer.announced_length()) return append_length(out, *length);
  if (form.chunked) out += "Transfer-Encoding: chunked\r\n"; // else the end of the connection is that of the body
}

} // namespace

// Source: RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5.
bool may_have_body(int status) noexcept { return status != 204 && status != 205 && status != 304; }

void write_response(pooled_string& out, const response& answer, answer_form form, std::chrono::sys_seconds now) {
  const bool whole = answer.continuation() == nullptr && may_have_body(answer.status());
  out.reserve(out.size() + 160 + answer.header_lines().size() +
              (whole && !form.without_body ? answer.body().size() : 0));
  append_status_and_date(out, answer.status(), now);
  out += answer.header_lines();
  append_framing(out, answer, form);
  if (answer.status() == 101) {
    out += "Connection: Upgrade\r\n";
  } else if (answer.status() == 426) { // its Upgrade goes with the same: RFC 9110 section 7.8
    out += form.close ? "Connection: close, Upgrade\r\n" : "Connection: Upgrade\r\n";
  } else if (form.close) {
    out += "Connection: close\r\n";
  } else if (form.old_keep_alive) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  if (whole && !form.without_body) out += answer.body();
}

void append_chunk(pooled_string& out, std::string_view part) {
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), part.size(), 16).ptr;
  out.reserve(out.size() + part.size() + 20);
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data())).append("\r\n").append(part).append("\r\n");
}

} // namespace greenroom::http::internal
