// Files that strangers name: opens them within a directory and nowhere else, and reads them as what they were when they were opened.
// Waits: all of it blocks the thread; in an actor use it through blocking().
// Thread safety: functions any thread; a served_file one thread at a time. Lifetime: a served_file owns its descriptor.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <greenroom/runtime/detail/unique_fd.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http::internal {

using descriptor = greenroom::detail::unique_fd;

/// How paths are resolved within a directory.
enum class resolver : std::uint8_t {
  kernel, ///< by openat2(): symbolic links are followed as long as they stay below the directory
  walk    ///< segment by segment, without any symbolic link
};
/// Returns what this system can do. Cost: a system call, the first time.
resolver best_resolver() noexcept;

/// Opens a directory for open_beneath(). Errors: errno.
descriptor open_directory(const std::string& path) noexcept;
/// Opens what stands at `path` below `directory` for reading; does not wait for the other end of a pipe. `path` has no empty segments, "" is the
/// directory itself. Errors: an empty descriptor, and errno: also EXDEV or ELOOP for what leads outside.
descriptor open_beneath(const descriptor& directory, const std::string& path, resolver how);

/// A regular file that is open, and what was known of it then.
class served_file {
public:
  /// Errors: nothing, and errno, if it is no regular file (EISDIR for a directory).
  static std::optional<served_file> of(descriptor open) noexcept;

  std::uint64_t size() const noexcept { return static_cast<std::uint64_t>(then_.st_size); }
  const timespec& modified() const noexcept { return then_.st_mtim; }

  /// Returns the bytes from there on, exactly so many. Errors: io; closed when the file has changed since it was opened.
  result<std::string> read(std::uint64_t from, std::size_t size) const;

private:
  served_file(descriptor open, const struct stat& then) noexcept : open_(std::move(open)), then_(then) {}

  descriptor open_;
  struct stat then_;
};

} // namespace greenroom::http::internal
