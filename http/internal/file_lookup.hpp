// From a path that a stranger sent to the file that answers it.
// Waits: find_file() blocks the thread; in an actor use it through blocking().
// Thread safety: functions any thread. Lifetime: what they return owns what it holds.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <greenroom/http/internal/served_file.hpp>
#include <greenroom/http/static_files.hpp>

namespace greenroom::http::internal {

struct file_source {
  std::string directory;
  static_file_options how;
  resolver by;
};

/// Says whether the path below a directory is plain: no segment of it can lead up, is hidden (unless that is wanted), or is another
/// spelling of a plain one. The last segment may be empty: a directory.
bool is_plain_path(std::string_view path, bool hidden) noexcept;

/// What a client has asked for.
struct file_wish {
  std::string path;   ///< plain
  bool gzip = false;  ///< a file compressed by it is welcome
  bool bytes = false; ///< the content is wanted at once if it has one part at most
};

struct file_found {
  enum class outcome : std::uint8_t {
    file,
    directory, ///< one that has an index, but was named without its last slash
    nothing,
    denied, ///< the system does not let us read it
    busy,   ///< no descriptor or no memory is left, or the file is being written all the time
    failed, ///< `why` says how
  };
  outcome is = outcome::nothing;
  std::optional<served_file> file{};
  std::string name{};       ///< by which its type is known
  bool compressed = false;  ///< it is the compressed sibling
  bool has_sibling = false; ///< there is one, taken or not, so that the answer depends on what the client accepts
  std::optional<std::string> bytes{}; ///< all of them, if they were wanted
  std::chrono::sys_seconds now{};     ///< by the clock that stamps files
  std::string why{};
};

file_found find_file(const file_source& in, const file_wish& wish);

} // namespace greenroom::http::internal
