// What the tests of served files share: a directory of their own, and a server over it.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

#include <greenroom/http/static_files.hpp>
#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::http::test {

struct temporary_directory {
  temporary_directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "greenroom_static_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "no temporary directory: " << pattern;
    path = pattern;
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::filesystem::path path;
};

/// A directory "www" to be served, beside which stands what must not be.
struct file_rig {
  explicit file_rig(static_file_options how = {}) {
    std::filesystem::create_directory(root());
    write("../secret.txt", "secret");
    r.front.get("/files/{path...}", static_files(root(), std::move(how)));
    r.start();
  }

  std::filesystem::path root() const { return place.path / "www"; }
  /// Writes a file that was last changed at a second long ago.
  void write(const std::filesystem::path& name, std::string_view content, std::time_t modified = 1'000'000'000) {
    const auto path = root() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
    set_time(name, modified);
  }
  void set_time(const std::filesystem::path& name, std::time_t modified, long nanoseconds = 500) {
    const timespec times[2] = {{modified, nanoseconds}, {modified, nanoseconds}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (root() / name).c_str(), times, 0), 0);
  }
  reply ask(std::string_view path, std::string_view more = "") { return r.ask(get(path, more)); }
  reply ask_head(std::string_view path, std::string_view more = "") {
    auto c = r.connect();
    r.say(c, "HEAD " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(more) + "\r\n");
    return r.hear(c, true);
  }

  temporary_directory place;
  rig r;
};

/// Bytes that say where they stand.
inline std::string counted(std::size_t size) {
  std::string text;
  for (int i = 0; text.size() < size; ++i) text += std::to_string(i) + ' ';
  text.resize(size);
  return text;
}

} // namespace greenroom::http::test
