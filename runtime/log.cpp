#include <greenroom/runtime/log.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <iterator>

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <greenroom/runtime/detail/utf8.hpp>

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

/// Returns the number of a character. Requires: it is one, beyond ASCII.
std::uint32_t code_of(std::string_view character) noexcept {
  std::uint32_t code = static_cast<unsigned char>(character[0]) & (0xffu >> (character.size() + 1));
  for (const char c : character.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3fu);
  return code;
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
    const auto length = detail::utf8_length(text);
    if (length == 1) {
      const bool plain = (byte >= 0x20 && byte != 0x7f) || c == '\t';
      if (plain)
        line.push_back(c);
      else
        append_byte(line, c);
    } else if (length == 0) {
      append_byte(line, c); // alone it may control a terminal that is not set to UTF-8
    } else if (const auto code = code_of(text.substr(0, length)); misleads(code)) {
      fmt::format_to(std::back_inserter(line), "\\u{:04x}", code);
    } else {
      line.append(text.substr(0, length));
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

void append_id(line_buffer& line, std::string_view name, std::string_view id) {
  if (id.empty()) return;
  line.append(name);
  append_escaped(line, id);
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

void logger::write(log_level level, std::string_view text, const log_origin& about) const {
  if (enabled(level)) write_line(level, text, about);
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
    append_id(line, " trace_id=", origin.trace_id);
    append_id(line, " span_id=", origin.span_id);
    append_id(line, " request_id=", origin.request_id);
    line.append(std::string_view{"] "});
  }
  const auto begin = line.size();
  append_escaped(line, text);
  if (keeper_) keeper_->keep(level, {line.data() + begin, line.size() - begin}, origin);
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

detail::line_keeper::~line_keeper() = default;

logger detail::keep_lines(logger to, std::shared_ptr<line_keeper> keeper) {
  to.keeper_ = std::move(keeper);
  return to;
}

void detail::set_thread_log_origin(log_origin_fn origin) noexcept { origin_of_thread = origin; }

} // namespace greenroom
