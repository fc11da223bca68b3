#include <greenroom/runtime/files.hpp>

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <greenroom/runtime/detail/unique_fd.hpp>
#include <greenroom/runtime/random.hpp>

namespace greenroom {

append_file::~append_file() = default;
files::~files() = default;

namespace {

using std::filesystem::path;

/// The error of the system call that just failed; call it before anything can change errno.
error system_error(std::string_view what, const path& on) {
  const int number = errno;
  return error{number == ENOENT ? errc::not_found : errc::io,
               fmt::format("{}: {}: {}", what, on.native(), std::generic_category().message(number))};
}

/// Repeats a system call for as long as a signal interrupts it.
template <class Call>
auto uninterrupted(Call call) {
  for (;;) {
    const auto returned = call();
    if (returned != -1 || errno != EINTR) return returned;
  }
}

detail::unique_fd open_file(const path& at, int flags) {
  return detail::unique_fd{uninterrupted([&] { return ::open(at.c_str(), flags | O_CLOEXEC, 0666); })};
}

/// Writes all of `bytes`; false with errno set if that fails.
bool write_fully(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = uninterrupted([&] { return ::write(to, bytes.data(), bytes.size()); });
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

/// Makes the directory entry of `entry` durable.
result<void> sync_directory(const path& entry) {
  const path directory = entry.has_parent_path() ? entry.parent_path() : path{"."};
  const detail::unique_fd opened = open_file(directory, O_RDONLY | O_DIRECTORY);
  if (!opened) return system_error("cannot open directory to sync it", directory);
  // EINVAL: the file system has no such notion, so there is nothing to be made durable.
  if (uninterrupted([&] { return ::fsync(opened.get()); }) != 0 && errno != EINVAL) {
    return system_error("cannot sync directory", directory);
  }
  return {};
}

/// A new file beside its target; removed again unless it was renamed.
class temporary_file {
public:
  explicit temporary_file(const path& target)
      : at_{target.native() + fmt::format(".{:016x}.tmp", random_seed())},
        opened_{open_file(at_, O_WRONLY | O_CREAT | O_EXCL)} {}
  ~temporary_file() {
    if (opened_ && !renamed_) ::unlink(at_.c_str());
  }
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;

  result<void> fill(std::string_view content, const path& target) {
    if (!opened_) return system_error("cannot create temporary file", at_);
    struct stat replaced {};
    if (::stat(target.c_str(), &replaced) == 0 && ::fchmod(opened_.get(), replaced.st_mode & 07777) != 0) {
      return system_error("cannot set permissions of temporary file", at_);
    }
    if (!write_fully(opened_.get(), content)) return system_error("cannot write temporary file", at_);
    if (uninterrupted([&] { return ::fsync(opened_.get()); }) != 0)
      return system_error("cannot sync temporary file", at_);
    return {};
  }

  result<void> rename_to(const path& target) {
    if (::rename(at_.c_str(), target.c_str()) != 0) return system_error("cannot replace", target);
    renamed_ = true;
    return {};
  }

private:
  path at_;
  detail::unique_fd opened_;
  bool renamed_ = false;
};

class machine_append_file final : public append_file {
public:
  machine_append_file(path at, detail::unique_fd opened) noexcept : at_{std::move(at)}, opened_{std::move(opened)} {}

  result<void> write(std::string_view bytes) override {
    return attempt("cannot append", [&] { return write_fully(opened_.get(), bytes); });
  }

  result<void> sync() override {
    return attempt("cannot sync", [&] { return uninterrupted([&] { return ::fdatasync(opened_.get()); }) == 0; });
  }

private:
  // Linux reports a failed flush once and drops the pages: a later sync that succeeds proves
  // nothing.
  template <class Call>
  result<void> attempt(std::string_view what, Call call) {
    if (broken_) {
      return error{errc::io,
                   fmt::format("{}: {}: an earlier write or sync failed: open the file again", what, at_.native())};
    }
    if (call()) return {};
    broken_ = true;
    return system_error(what, at_);
  }

  path at_;
  detail::unique_fd opened_;
  bool broken_ = false; // never goes back to false
};

class machine_files final : public files {
public:
  result<std::string> read_all(const path& at) override {
    const detail::unique_fd opened = open_file(at, O_RDONLY);
    if (!opened) return system_error("cannot open", at);
    struct stat known {};
    if (::fstat(opened.get(), &known) != 0) return system_error("cannot read", at);
    // The size is a hint only: files in /proc say 0, others grow while they are read.
    std::string content;
    std::size_t filled = 0;
    for (std::size_t room = static_cast<std::size_t>(known.st_size) + 1;; room = 64 * 1024) {
      content.resize(filled + room);
      const ssize_t count =
          uninterrupted([&] { return ::read(opened.get(), content.data() + filled, content.size() - filled); });
      if (count < 0) return system_error("cannot read", at);
      filled += static_cast<std::size_t>(count);
      content.resize(filled);
      if (count == 0) return content;
    }
  }

  result<void> write_atomically(const path& at, std::string_view content) override {
    temporary_file fresh{at};
    if (auto filled = fresh.fill(content, at); !filled) return filled;
    if (auto renamed = fresh.rename_to(at); !renamed) return renamed;
    const auto synced = sync_directory(at);
    if (synced) return {};
    return error{errc::io, fmt::format("{}: the new content of {} is in place but may not survive a power failure",
                                       synced.error().message(), at.native())};
  }

  result<std::unique_ptr<append_file>> open_append(const path& at) override {
    detail::unique_fd opened = open_file(at, O_WRONLY | O_APPEND | O_CREAT);
    if (!opened) return system_error("cannot open for appending", at);
    // Also when the file existed: whoever created it may have crashed before this.
    if (auto synced = sync_directory(at); !synced) return synced.error();
    return std::make_unique<machine_append_file>(at, std::move(opened));
  }

  result<bool> exists(const path& at) override {
    struct stat known {};
    if (::stat(at.c_str(), &known) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return system_error("cannot look for", at);
  }

  result<void> remove(const path& at) override {
    if (::unlink(at.c_str()) != 0) return system_error("cannot remove", at);
    return {};
  }
};

} // namespace

files& real_files() noexcept {
  static machine_files instance;
  return instance;
}

} // namespace greenroom
