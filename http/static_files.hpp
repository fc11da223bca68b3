// static_files: serves the files of a directory.
//
//   front.get("/files/{path...}", http::static_files("/srv/www"));
//
// Nothing outside of the directory is reached, whatever the path and whatever symbolic links stand there; only regular files are served, with
// conditional requests, ranges, and compressed siblings ("app.js.gz" beside "app.js"). Files are read on blocking threads, a part at a
// time, as fast as the client takes it.
// Thread safety: as a value; calls come from any worker. Lifetime: owns what it needs; the directory is opened anew for each request, so
// that a symbolic link to it may be turned to a new one.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <greenroom/http/message.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom::http {

namespace internal {
struct file_source;
}

/// What of a directory is served, and how. Thread safety: as a value.
struct static_file_options {
  /// The name of the route's parameter that holds the path below the directory.
  std::string parameter = "path";
  /// What a directory shows; a path without its last slash is redirected to the one with it, "/files" itself too unless another route takes it. "":
  /// directories are not found.
  std::string index = "index.html";
  /// The field Cache-Control; "": none, and caches guess. The default has them ask each time, which costs a 304. Where names change
  /// with their content: "public, max-age=31536000, immutable".
  std::string cache_control = "no-cache";
  /// Serves files and directories whose name begins with a dot. They are mostly not meant for others: ".git", ".env", ".htpasswd".
  bool hidden = false;
  /// Sends "name.gz" for "name" to clients that accept gzip, where it stands there and is no older.
  bool precompressed = true;
  /// So much is read at once and held for a client, from 4,096 to 1,048,576. Less is more switches of threads. Units: bytes.
  std::size_t part = 131'072;
};

/// A handler that serves a directory.
///
/// Of a path that is not plain nothing is found: one with a segment that is empty or begins with a dot, a backslash, a control character, an encoded
/// slash, or bytes that are no UTF-8. It is decoded once, by the router. A symbolic link must be relative and lead to a place in the
/// directory; with a Linux before 5.6, or where a sandbox forbids its openat2(), none is followed at all.
///
/// The entity tag is made of size and time of modification. It is strong, so that a broken download can go on where it was, once the file
/// is older than two seconds; until then it is weak, since two writes within one tick of the file system's clock look the same. A file
/// that changes while it is sent, by size or time, is cut off: the client sees that it has not all, and never gets a mixture. So replace files by
/// renaming new ones over them, rather than by writing into them: then those under way are finished.
///
/// Answers 404; 403 where the system denies reading; 503 when there are no descriptors left, or a file is being written all the time; 500 for other faults,
/// which are in the log.
class GREENROOM_EXPORT static_files {
public:
  /// Waits: blocks the thread while it looks whether the directory is there. Errors: usage_error if it is not, and for an option out of range.
  explicit static_files(std::string directory, static_file_options how = {});

  /// Answers one request.
  task<response> operator()(request r) const;

  /// For the server: a route "/files/{path...}" takes "/files" too.
  static constexpr bool takes_bare_path = true;

private:
  std::shared_ptr<const internal::file_source> from_;
};

} // namespace greenroom::http
