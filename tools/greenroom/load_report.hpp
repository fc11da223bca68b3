// load_report: what a load has found, for people and for programs, and what is to be said against its figures.
// Thread safety: as values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/tools/greenroom/load_run.hpp>

namespace load {

struct load_report {
  std::string method;
  std::string url;
  load_shape shape;
  std::size_t connections = 0;
  std::size_t threads = 1;
  bool interrupted = false; ///< the user ended it
  load_tally found;

  /// Returns how many requests were due in a second.
  double asked_rate() const noexcept;
  /// Returns how many were answered in a second, within the time that is measured.
  double answered_rate() const noexcept;
  /// Returns how many were answered with an error: 400 and above.
  std::uint64_t refused() const noexcept;
  /// "97 x 200, 3 x 503"
  std::string answers() const;
  /// Says whether the connections waited for the generator and not for the server.
  bool was_own_limit() const noexcept;
  /// Says whether the generator noticed in time what was due, so that the figures are the server's and not its own.
  bool kept_up() const noexcept;
  /// Returns sentences about what makes the figures less than they seem; none if nothing does.
  std::vector<std::string> warnings() const;

  std::string to_text() const;
  /// Returns one JSON object, with a line feed.
  std::string to_json() const;
};

/// "412 us", "1.23 ms", "2.10 s": three digits.
std::string show_time(std::chrono::nanoseconds time);

} // namespace load
