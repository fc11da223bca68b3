// memory_files: a disk inside the process, for tests: it can be looked at, can fail on demand, and can lose its power. The disk of a
// simulation is one; what its actors reach as actor_system::disk().
//
//   memory_files disk;
//   actor_system sys{options{}, environment{.disk = &disk}};
//   ...
//   disk.cut_power();                                  // what was not synced is gone
//   auto left = disk.read_all("journal");
//
// Paths are names only: every folder exists, and "a/b" and "a/./b" are two files. It promises what files.hpp does, and no more: what
// was appended and not synced, and a removal, is lost at a power cut, since on a real disk it may be.
// Thread safety: any thread; cut_power() and clear() while no other call is under way do what a caller expects.
// Lifetime: outlives the files opened in it and the systems that use it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/files.hpp>
#include <greenroom/runtime/random.hpp>

namespace greenroom::testkit {

/// A call that a disk may refuse.
enum class disk_call : std::uint8_t {
  read,  ///< read_all(), exists()
  write, ///< append_file::write(), write_atomically(), remove()
  sync   ///< append_file::sync(), open_append()
};

/// A disk in memory. Thread safety: any thread.
class GREENROOM_EXPORT memory_files final : public files {
public:
  memory_files();
  ~memory_files() override;

  result<std::string> read_all(const std::filesystem::path& path) override;
  result<void> write_atomically(const std::filesystem::path& path, std::string_view content) override;
  result<std::unique_ptr<append_file>> open_append(const std::filesystem::path& path) override;
  result<bool> exists(const std::filesystem::path& path) override;
  result<void> remove(const std::filesystem::path& path) override;

  /// Loses what a power failure may take at worst: everything appended since the last sync of its file. Files removed stay away.
  /// Calls on files that are open fail with io from now on: they must be opened again.
  void cut_power();
  /// The same, but as much as `random` says is left of what was not synced, so that the last record of a journal may be torn; and
  /// files that were removed may be back, unless something in their folder was synced later.
  void cut_power(random_source& random);
  /// Removes everything; files that are open fail from now on. For a test that starts again.
  void clear();

  /// Has each call ask `fails` first, which may cut the power: true, and the call fails with io, a write after half of its bytes.
  /// None, the default: nothing fails. Requires: `fails` makes no other call to this disk.
  void fail_when(std::function<bool(disk_call, const std::filesystem::path&)> fails);

private:
  class device;
  std::shared_ptr<device> device_;
};

/// Returns the disk of the simulation that the calling actor runs in. Errors: usage_error outside of an actor, or if its system's
/// disk is no memory_files.
GREENROOM_EXPORT memory_files& disk_here();

} // namespace greenroom::testkit
