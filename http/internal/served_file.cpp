#include <greenroom/http/internal/served_file.hpp>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#if __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#endif

namespace greenroom::http::internal {
namespace {

// Not to wait for who writes into a pipe, nor to get a terminal; for a regular file both say nothing.
constexpr int reading = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

#if defined(SYS_openat2) && defined(RESOLVE_BENEATH)
int open_by_kernel(int directory, const char* path) noexcept {
  open_how how{};
  how.flags = reading;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  for (int tries = 0;; ++tries) {
    const auto fd = static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how));
    // EAGAIN: something was renamed meanwhile, and the kernel could not be sure. It says so in man 2 openat2.
    if (fd >= 0 || (errno != EINTR && errno != EAGAIN) || tries == 100) return fd;
  }
}
#else
int open_by_kernel(int, const char*) noexcept {
  errno = ENOSYS;
  return -1;
}
#endif

descriptor walk(const descriptor& directory, std::string_view path) {
  descriptor at;
  for (;;) {
    const auto slash = path.find('/');
    const std::string segment(path.substr(0, slash));
    const int from = at ? at.get() : directory.get();
    if (slash == path.npos)
      return descriptor(::openat(from, segment.empty() ? "." : segment.c_str(), reading | O_NOFOLLOW));
    at = descriptor(::openat(from, segment.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!at) return at;
    path.remove_prefix(slash + 1);
  }
}

bool same_time(const timespec& a, const timespec& b) noexcept { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

error fault(int code) {
  return error(errc::io, "cannot read a file: " + std::error_code(code, std::system_category()).message());
}

} // namespace

resolver best_resolver() noexcept {
  static const bool kernel = [] { return bool(descriptor(open_by_kernel(AT_FDCWD, "."))); }();
  return kernel ? resolver::kernel : resolver::walk;
}

descriptor open_directory(const std::string& path) noexcept {
  return descriptor(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

descriptor open_beneath(const descriptor& directory, const std::string& path, resolver how) {
  if (how == resolver::walk) return walk(directory, path);
  return descriptor(open_by_kernel(directory.get(), path.empty() ? "." : path.c_str()));
}

std::optional<served_file> served_file::of(descriptor open) noexcept {
  struct stat now {};
  if (::fstat(open.get(), &now) != 0) return std::nullopt;
  if (!S_ISREG(now.st_mode)) {
    errno = S_ISDIR(now.st_mode) ? EISDIR : ENOENT;
    return std::nullopt;
  }
  return served_file(std::move(open), now);
}

result<std::string> served_file::read(std::uint64_t from, std::size_t size) const {
  std::string bytes(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const auto n = ::pread(open_.get(), bytes.data() + got, size - got, static_cast<off_t>(from + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fault(errno);
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  // Behind the reading: what was changed before or while it went on shows now. Not by the time of its status, which a rename changes too.
  struct stat now {};
  if (::fstat(open_.get(), &now) != 0) return fault(errno);
  if (got < size || now.st_size != then_.st_size || !same_time(now.st_mtim, then_.st_mtim))
    return error(errc::closed, "cannot go on reading a file: it has changed since it was opened");
  return bytes;
}

} // namespace greenroom::http::internal
