/// File calls behind an interface, so that a simulation can replace the disk, fail it and cut its
/// power. For small whole files (options, snapshots) and append-only ones (journals); it is no
/// general file library.
/// Waits: every call blocks the calling thread; in an actor use them through blocking().
/// Thread safety: `files` any thread; an `append_file` owner only.
/// Lifetime: an append_file must not outlive its `files`; real_files() lives as long as the
/// process.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

/// A file open for appending; closed by its destructor, which does not sync.
/// Thread safety: owner only.
class GREENROOM_EXPORT append_file {
public:
  append_file(const append_file&) = delete;
  append_file& operator=(const append_file&) = delete;
  virtual ~append_file();

  /// Appends all of `bytes`. Durable only after sync().
  /// Waits: blocks the thread.
  /// Errors: io; a part may then stand in the file. After a failed write or sync every later call
  /// fails, since what is on the disk is unknown: repair the tail and open the file again.
  virtual result<void> write(std::string_view bytes) = 0;

  /// Returns when all that was written would survive a power failure.
  /// Waits: blocks the thread for a disk flush, which takes milliseconds.
  /// Errors: io, and then as for write().
  virtual result<void> sync() = 0;

protected:
  append_file() = default;
};

/// The file calls that the framework makes. Messages name the path and the system's reason.
/// Thread safety: any thread; two writers of one path at once leave the content of one of them.
class GREENROOM_EXPORT files {
public:
  files(const files&) = delete;
  files& operator=(const files&) = delete;
  virtual ~files();

  /// Returns the whole content of a file.
  /// Waits: blocks the thread.
  /// Errors: not_found; io for anything else.
  virtual result<std::string> read_all(const std::filesystem::path& path) = 0;

  /// Replaces the content of a file: readers, and whoever reads after a crash, see the old content
  /// or the new one, never a mix. Keeps the permissions of a file it replaces; a symbolic link is
  /// itself replaced.
  /// Waits: blocks the thread for two disk flushes.
  /// Errors: not_found when the folder does not exist; io for anything else. The old content is
  /// then untouched, unless the message says that the new one is in place.
  virtual result<void> write_atomically(const std::filesystem::path& path, std::string_view content) = 0;

  /// Opens a file for appending and creates it, durably, if it does not exist. Never returns a null
  /// pointer.
  /// Waits: blocks the thread for a disk flush.
  /// Errors: not_found when the folder does not exist; io for anything else.
  virtual result<std::unique_ptr<append_file>> open_append(const std::filesystem::path& path) = 0;

  /// Says whether something stands at `path`; symbolic links are followed.
  /// Errors: io when that cannot be found out.
  virtual result<bool> exists(const std::filesystem::path& path) = 0;

  /// Removes a file. The removal survives a power failure only after some later sync of its
  /// directory.
  /// Errors: not_found; io for anything else, a directory included.
  virtual result<void> remove(const std::filesystem::path& path) = 0;

protected:
  files() = default;
};

/// Returns the files of the machine.
GREENROOM_EXPORT files& real_files() noexcept;

} // namespace greenroom
