#include <greenroom/runtime/log.hpp>

#include <array>
#include <exception>
#include <iterator>

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>

namespace greenroom {

namespace {

using line_buffer = fmt::memory_buffer;

struct level_row {
  const char* name;
  spdlog::level::level_enum level;
};

// In the order of log_level.
constexpr std::array<level_row, 6> level_rows{{{"trace", spdlog::level::trace},
                                               {"debug", spdlog::level::debug},
                                               {"info", spdlog::level::info},
                                               {"warn", spdlog::level::warn},
                                               {"error", spdlog::level::err},
                                               {"off", spdlog::level::off}}};

constexpr const level_row& row_of(log_level level) noexcept { return level_rows[static_cast<std::size_t>(level)]; }

thread_local detail::log_origin_fn origin_of_thread = nullptr;

log_origin current_origin() noexcept { return origin_of_thread ? origin_of_thread() : log_origin{}; }

/// What stands at the front of a text: a character in UTF-8, or a byte that begins none.
struct front {
  std::uint32_t code = 0;
  std::size_t length = 0; // 0: no character
};

/// Requires: a byte from 0x80 is at the front. Source: the Unicode standard, table 3-7, well-formed UTF-8 byte sequences.
front front_of(std::string_view text) noexcept {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0xc2 || first > 0xf4) return {};
  const std::size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (text.size() < length) return {};
  std::uint32_t code = first & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if (next < 0x80 || next > 0xbf) return {};
    code = code << 6 | (next & 0x3fu);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  if (overlong || surrogate || code > 0x10ffff) return {};
  return {code, length};
}

/// Says whether a character beyond ASCII is shown as something else than itself: it controls a terminal (U+0080 to U+009F), ends a line (U+2028, U+2029), or
/// turns the order of what follows (U+202A to U+202E, U+2066 to U+2069).
constexpr bool misleads(std::uint32_t code) noexcept {
  return code < 0xa0 || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

void append_byte(line_buffer& line, char c) {
  if (c == '\n') {
    line.append(std::string_view{"\\n"});
  } else if (c == '\r') {
    line.append(std::string_view{"\\r"});
  } else {
    fmt::format_to(std::back_inserter(line), "\\x{:02x}", static_cast<unsigned char>(c));
  }
}

void append_escaped(line_buffer& line, std::string_view text) {
  while (!text.empty()) {
    const char c = text.front();
    const auto byte = static_cast<unsigned char>(c);
    std::size_t length = 1;
    if (byte < 0x80) {
      const bool plain = (byte >= 0x20 && byte != 0x7f) || c == '\t';
      if (plain)
        line.push_back(c);
      else
        append_byte(line, c);
    } else if (const auto one = front_of(text); one.length == 0) {
      append_byte(line, c); // alone it may control a terminal that is not set to UTF-8
    } else {
      length = one.length;
      if (misleads(one.code))
        fmt::format_to(std::back_inserter(line), "\\u{:04x}", one.code);
      else
        line.append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
}

} // namespace

const char* to_string(log_level level) noexcept { return row_of(level).name; }

std::optional<log_level> parse_log_level(std::string_view name) noexcept {
  for (std::size_t i = 0; i < level_rows.size(); ++i) {
    if (name == level_rows[i].name) return static_cast<log_level>(i);
  }
  return std::nullopt;
}

bool logger::enabled(log_level level) const noexcept {
  // spdlog would write a line of level off, since off >= any level.
  return target_ && level != log_level::off && target_->should_log(row_of(level).level);
}

void logger::write(log_level level, std::string_view text) const {
  if (enabled(level)) write_line(level, text, current_origin());
}

void logger::write(log_level level, std::string_view text, std::uint64_t actor_id, std::string_view actor_name) const {
  if (enabled(level)) write_line(level, text, {actor_id, actor_name});
}

void logger::write_formatted(log_level level, fmt::string_view text, fmt::format_args args) const {
  line_buffer formatted;
  try {
    fmt::vformat_to(std::back_inserter(formatted), text, args);
  } catch (const std::exception& thrown) {
    // A log line must not end the actor that writes it.
    formatted.clear();
    fmt::format_to(std::back_inserter(formatted), "cannot format log line: {}: {}", text, thrown.what());
  }
  write_line(level, {formatted.data(), formatted.size()}, current_origin());
}

void logger::write_line(log_level level, std::string_view text, log_origin origin) const {
  line_buffer line;
  if (origin.actor_id == 0) {
    line.append(std::string_view{"[-] "});
  } else {
    fmt::format_to(std::back_inserter(line), "[actor {}", origin.actor_id);
    if (!origin.actor_name.empty()) line.push_back(' ');
    append_escaped(line, origin.actor_name);
    line.append(std::string_view{"] "});
  }
  append_escaped(line, text);
  target_->log(row_of(level).level, spdlog::string_view_t{line.data(), line.size()});
}

logger make_logger(const std::string& name, log_level level) {
  auto made = std::make_shared<spdlog::logger>(name, std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  made->set_level(row_of(level).level);
  made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %n %v");
  return use_logger(std::move(made));
}

logger use_logger(std::shared_ptr<spdlog::logger> host) {
  logger made;
  made.target_ = std::move(host);
  return made;
}

void detail::set_thread_log_origin(log_origin_fn origin) noexcept { origin_of_thread = origin; }

} // namespace greenroom
