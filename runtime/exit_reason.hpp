// exit_reason: how an actor ended. Failures of an actor do not spread as exceptions; they arrive as this value where somebody
// joins, monitors or supervises it.
// Thread safety: as any value. Lifetime: owns its error.
#pragma once

#include <string>
#include <utility>

#include <greenroom/runtime/error.hpp>

namespace greenroom {

/// The four ways in which an actor ends.
enum class exit_kind : std::uint8_t {
  normal,    ///< its function returned
  failed,    ///< an exception left its function
  cancelled, ///< it unwound after a cancellation, a deadline or a stop
  killed     ///< its frames were destroyed
};

/// How an actor ended, and why. Thread safety: as a value.
class exit_reason {
public:
  exit_reason() noexcept = default;
  /// Default-constructed: normal.
  exit_reason(exit_kind kind, error why) noexcept : kind_(kind), why_(std::move(why)) {}

  /// Returns which of the four it was.
  exit_kind kind() const noexcept { return kind_; }
  /// Returns whether the actor's function has returned.
  bool normal() const noexcept { return kind_ == exit_kind::normal; }
  /// Returns what went wrong, or what cancelled it. Requires: not normal().
  const error& why() const noexcept { return why_; }

  /// Returns "normal", or the kind and the error's message: "failed: division by zero".
  std::string to_string() const {
    static constexpr const char* names[] = {"normal", "failed", "cancelled", "killed"};
    std::string text = names[static_cast<std::size_t>(kind_)];
    if (!normal()) text.append(": ").append(why_.message());
    return text;
  }

private:
  exit_kind kind_ = exit_kind::normal;
  error why_ = errc::cancelled;
};

} // namespace greenroom
