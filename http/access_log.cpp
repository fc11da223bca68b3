#include <greenroom/http/access_log.hpp>

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <greenroom/runtime/detail/actor_cell.hpp>

namespace greenroom::http {
namespace {

using line_buffer = fmt::memory_buffer;

constexpr bool is_plain(char c) noexcept { return c > 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '='; }

// A target with a query nearly always holds '=': it stays readable, and is still unmistakable, since it holds no space.
constexpr bool is_plain_in_target(char c) noexcept { return is_plain(c) || c == '='; }

void append_quoted(line_buffer& line, std::string_view text) {
  line.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      line.push_back('\\');
      line.push_back(c);
    } else if (c >= 0x20 && c < 0x7f) {
      line.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(line), "\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  line.push_back('"');
}

template <class Plain>
void append(line_buffer& line, std::string_view name, std::string_view text, Plain plain) {
  line.push_back(' ');
  line.append(name);
  line.push_back('=');
  if (text.empty()) {
    line.push_back('-');
  } else if (text != "-" && std::all_of(text.begin(), text.end(), plain)) {
    line.append(text);
  } else {
    append_quoted(line, text);
  }
}

std::string shown_target(std::string_view target, const access_log_options& how) {
  if (!how.queries) target = target.substr(0, target.find('?'));
  if (target.size() <= how.target) return std::string(target);
  return std::string(target.substr(0, how.target)) + "...";
}

// A handler may give any text as identifier.
constexpr std::size_t most_of_id = 128;

void write_line(line_buffer& line, const answered& what, const access_log_options& how) {
  line.append(std::string_view("http"));
  append(line, "method", what.method, is_plain);
  append(line, "target", shown_target(what.target, how), is_plain_in_target);
  append(line, "route", what.route, is_plain);
  fmt::format_to(std::back_inserter(line), " status={} bytes={} ms={:.3f}", what.answer.status(), what.body_bytes,
                 std::chrono::duration<double, std::milli>(what.took).count());
  if (what.cut_off) line.append(std::string_view(" cut_off=true"));
  append(line, "peer", what.peer, is_plain);
  if (what.trace) {
    append(line, "trace_id", what.trace.trace_id(), is_plain);
    append(line, "span_id", what.trace.span_id(), is_plain);
  }
  append(line, "request_id", what.answer.header("X-Request-Id").value_or("").substr(0, most_of_id), is_plain);
}

class consumer {
public:
  consumer(logger to, access_log_options how) : to_(std::move(to)), how_(how) {
    if (how_.keep_one_in == 0) throw usage_error("http::access_log: the option keep_one_in must be at least 1, not 0");
    if (how_.target < 16 || how_.target > 8'192) {
      throw usage_error(
          fmt::format("http::access_log: the option target must be from 16 to 8,192 bytes, not {}", how_.target));
    }
    if (how_.slow < duration::zero()) throw usage_error("http::access_log: the option slow must not be negative");
  }
  void operator()(const answered& what) const {
    const int status = what.answer.status();
    const auto level = status >= 500 ? how_.server_error : status >= 400 ? how_.client_error : how_.good;
    if (!to_.enabled(level)) return;
    const bool drawn = how_.keep_one_in > 1 && status < 400 && what.took <= how_.slow;
    if (drawn && greenroom::detail::random_below(how_.keep_one_in) != 0) return;
    line_buffer line;
    write_line(line, what, how_);
    if (drawn) fmt::format_to(std::back_inserter(line), " kept=1/{}", how_.keep_one_in);
    to_.write(level, {line.data(), line.size()});
  }

private:
  logger to_;
  access_log_options how_;
};

} // namespace

std::function<void(const answered&)> access_log(logger to, access_log_options how) {
  return consumer(std::move(to), how);
}

std::string access_line(const answered& what, const access_log_options& how) {
  line_buffer line;
  write_line(line, what, how);
  return {line.data(), line.size()};
}

} // namespace greenroom::http
