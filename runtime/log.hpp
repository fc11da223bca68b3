/// Log lines through spdlog; each says which actor it is about:
/// "[actor 17 pricing] text", or "[-] text" outside actors; of an actor that works for a trace (see trace.hpp)
/// "[actor 17 pricing trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7 request_id=order-17] text",
/// without the last where there is none: `grep trace_id=4bf9...` finds all that one request has caused.
/// A logger writes to a sink of its own (make_logger) or to the host's spdlog logger (use_logger);
/// no global state of spdlog is read or changed.
/// Thread safety: any thread, if the injected spdlog logger has thread-safe sinks ("_mt").
/// Lifetime: copies share one spdlog logger; the last copy destroys it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include <greenroom/runtime/detail/export.hpp>

namespace spdlog {
class logger;
}

namespace greenroom {

/// How important a line is. A logger drops what is below its level; `off` drops all.
enum class log_level : std::uint8_t { trace, debug, info, warn, error, off };

/// Returns the level's name as spelled in the enum, which options and log lines use.
GREENROOM_EXPORT const char* to_string(log_level level) noexcept;

/// Returns the level of that name, or nothing.
GREENROOM_EXPORT std::optional<log_level> parse_log_level(std::string_view name) noexcept;

class logger;

namespace detail {
struct line_keeper;
/// Returns a logger that writes as `to` does, and tells the keeper.
GREENROOM_EXPORT logger keep_lines(logger to, std::shared_ptr<line_keeper> keeper);
} // namespace detail

/// Which actor a line is about, and for which trace it works. The id 0 means none.
struct log_origin {
  std::uint64_t actor_id = 0;       ///< 0: none
  std::string_view actor_name = {}; ///< "" if it has none
  std::string_view trace_id = {};   ///< "" where there is no trace
  std::string_view span_id = {};    ///< the same
  std::string_view request_id = {}; ///< "" where there is no request
};

/// Writes log lines. Default-constructed it drops everything.
/// Control characters (but a tab), line ends of Unicode, and what turns the direction of a text are escaped, as `\n`, `\x1b` or `\u009b`, and so is each
/// byte that is no UTF-8, so that no text from outside can forge a line or command a terminal.
/// Thread safety: see the file comment.
/// Cost: cheap to copy; a dropped line costs a call and one atomic load, its text is not formatted.
class GREENROOM_EXPORT logger {
public:
  logger() noexcept = default;

  /// Says whether a line of this level would be written.
  bool enabled(log_level level) const noexcept;

  /// Writes `text` as it is, about the actor that runs on this thread.
  /// Waits: blocks the thread for as long as the sinks do.
  /// Errors: sinks report theirs through spdlog.
  void write(log_level level, std::string_view text) const;

  /// The same, about the given actor.
  void write(log_level level, std::string_view text, std::uint64_t actor_id, std::string_view actor_name = {}) const;
  void write(log_level level, std::string_view text, const log_origin& about) const;

  /// Writes a line formatted by fmt, about the actor that runs on this thread. The text is checked
  /// when compiled; if a formatter throws, the line says so instead.
  template <class... Args>
  void trace(fmt::format_string<Args...> text, Args&&... args) const {
    format(log_level::trace, text, std::forward<Args>(args)...);
  }
  /// The same, at the level debug.
  template <class... Args>
  void debug(fmt::format_string<Args...> text, Args&&... args) const {
    format(log_level::debug, text, std::forward<Args>(args)...);
  }
  /// The same, at the level info.
  template <class... Args>
  void info(fmt::format_string<Args...> text, Args&&... args) const {
    format(log_level::info, text, std::forward<Args>(args)...);
  }
  /// The same, at the level warn.
  template <class... Args>
  void warn(fmt::format_string<Args...> text, Args&&... args) const {
    format(log_level::warn, text, std::forward<Args>(args)...);
  }
  /// The same, at the level error.
  template <class... Args>
  void error(fmt::format_string<Args...> text, Args&&... args) const {
    format(log_level::error, text, std::forward<Args>(args)...);
  }

private:
  friend GREENROOM_EXPORT logger use_logger(std::shared_ptr<spdlog::logger> host);
  friend GREENROOM_EXPORT logger detail::keep_lines(logger to, std::shared_ptr<detail::line_keeper> keeper);

  template <class... Args>
  void format(log_level level, fmt::string_view text, Args&&... args) const {
    if (enabled(level)) write_formatted(level, text, fmt::make_format_args(args...));
  }
  void write_formatted(log_level level, fmt::string_view text, fmt::format_args args) const;
  void write_line(log_level level, std::string_view text, log_origin origin) const;

  std::shared_ptr<spdlog::logger> target_;      // null: drops everything
  std::shared_ptr<detail::line_keeper> keeper_; // null: there is none
};

/// Makes a logger that writes to stderr, coloured on a terminal; `name` stands in each line.
GREENROOM_EXPORT logger make_logger(const std::string& name, log_level level);

/// Makes a logger that writes to one of the host, with the host's level, pattern and sinks; a null
/// pointer gives a logger that drops everything.
GREENROOM_EXPORT logger use_logger(std::shared_ptr<spdlog::logger> host);

namespace detail {

/// Is told each line that a logger writes.
struct line_keeper {
  virtual ~line_keeper();
  /// `text` is escaped, as it is written.
  virtual void keep(log_level level, std::string_view text, log_origin origin) noexcept = 0;
};

/// Tells which actor runs on the calling thread.
using log_origin_fn = log_origin (*)() noexcept;

/// Sets where loggers on this thread learn the actor from; each worker does so once. Null: no
/// actors here.
GREENROOM_EXPORT void set_thread_log_origin(log_origin_fn origin) noexcept;

} // namespace detail

} // namespace greenroom
