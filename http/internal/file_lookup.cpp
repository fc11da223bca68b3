#include <greenroom/http/internal/file_lookup.hpp>

#include <cerrno>
#include <ctime>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include <greenroom/http/file_name.hpp>
#include <greenroom/http/internal/content_coding.hpp>
#include <greenroom/http/internal/mime_types.hpp>

namespace greenroom::http::internal {
namespace {

using outcome = file_found::outcome;

file_found fault(int code, const std::string& what) {
  switch (code) {
  case EACCES:
  case EPERM: return {.is = outcome::denied};
  case EMFILE:
  case ENFILE:
  case ENOMEM: return {.is = outcome::busy};
  case ENOENT:
  case ENOTDIR:
  case EISDIR:
  case ENAMETOOLONG:
  case ELOOP: // these two: a symbolic link that is not followed
  case EXDEV:
  case ENXIO: // a socket, or a pipe or device with nobody there
  case ENODEV: return {.is = outcome::nothing};
  default:
    return {.is = outcome::failed,
            .why = fmt::format("cannot serve a file: '{}': {}", what,
                               std::error_code(code, std::system_category()).message())};
  }
}

std::optional<served_file> open_file(const descriptor& directory, const std::string& path, resolver by) {
  auto open = open_beneath(directory, path, by);
  if (!open) return std::nullopt;
  return served_file::of(std::move(open));
}

bool is_older(const served_file& a, const served_file& b) noexcept {
  const auto& x = a.modified();
  const auto& y = b.modified();
  return x.tv_sec != y.tv_sec ? x.tv_sec < y.tv_sec : x.tv_nsec < y.tv_nsec;
}

/// Takes the compressed sibling in place of the file, if it is there and wanted.
void look_for_sibling(file_found& found, const descriptor& directory, const std::string& path, const file_source& in,
                      bool wanted) {
  if (!in.how.precompressed || !worth_compressing(content_type_of_file(path))) return;
  auto sibling = open_file(directory, path + ".gz", in.by);
  if (!sibling || is_older(*sibling, *found.file)) return;
  found.has_sibling = true;
  if (!wanted) return;
  found.compressed = true;
  found.file = std::move(sibling);
}

/// Reads all of a small file; anew when it changes meanwhile.
void read_bytes(file_found& found, const descriptor& directory, const std::string& path, const file_source& in) {
  for (int tries = 0; tries < 3; ++tries) {
    if (found.file->size() > in.how.part) return; // it goes in parts
    auto bytes = found.file->read(0, static_cast<std::size_t>(found.file->size()));
    if (bytes) {
      found.bytes = *std::move(bytes);
      return;
    }
    if (!bytes.error().is(errc::closed)) {
      found.is = outcome::failed;
      found.why = fmt::format("{}: '{}/{}'", bytes.error().message(), in.directory, path);
      return;
    }
    auto again = open_file(directory, path, in.by);
    if (!again) break;
    found.file = std::move(again);
  }
  found.is = outcome::busy;
}

std::chrono::sys_seconds now_of_files() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &t); // what the kernel stamps files with
  return std::chrono::sys_seconds(std::chrono::seconds(t.tv_sec));
}

} // namespace

bool is_plain_path(std::string_view path, bool hidden) noexcept {
  for (;;) {
    const auto slash = path.find('/');
    const auto segment = path.substr(0, slash);
    const bool last = slash == path.npos;
    if (segment.empty()) return last;
    if (!safe_file_name(segment) || (!hidden && segment.front() == '.')) return false;
    if (last) return true;
    path.remove_prefix(slash + 1);
  }
}

file_found find_file(const file_source& in, const file_wish& wish) {
  const auto directory = open_directory(in.directory);
  if (!directory) {
    const int code = errno; // that it is gone is a fault of the operation, not of the request
    return code == ENOENT || code == ENOTDIR
               ? file_found{.is = outcome::failed,
                            .why = "cannot serve files: there is no directory '" + in.directory + "'"}
               : fault(code, in.directory);
  }
  auto path = wish.path;
  const bool names_directory = path.empty() || path.back() == '/';
  if (names_directory) {
    if (in.how.index.empty()) return {};
    path += in.how.index;
  }
  file_found found;
  found.now = now_of_files(); // before the file is looked at, so that no later write seems old
  found.file = open_file(directory, path, in.by);
  if (!found.file) {
    const int code = errno;
    if (code != EISDIR || names_directory || in.how.index.empty()) return fault(code, in.directory + '/' + path);
    const auto index = open_file(directory, path + '/' + in.how.index, in.by);
    return {.is = index ? outcome::directory : outcome::nothing};
  }
  found.is = outcome::file;
  found.name = path;
  look_for_sibling(found, directory, path, in, wish.gzip);
  if (wish.bytes) read_bytes(found, directory, found.compressed ? path + ".gz" : path, in);
  return found;
}

} // namespace greenroom::http::internal
