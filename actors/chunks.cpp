#include <greenroom/actors/chunks.hpp>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <greenroom/runtime/detail/unique_fd.hpp>

namespace greenroom {

byte_source::~byte_source() = default;

char* chunk_buffer::room(std::size_t size, std::size_t keep) {
  if (size > capacity_) {
    auto larger = std::make_unique_for_overwrite<char[]>(size);
    if (keep != 0) std::memcpy(larger.get(), bytes_.get(), keep);
    bytes_ = std::move(larger);
    capacity_ = size;
  }
  return bytes_.get();
}

namespace {

error system_error(std::string_view what, const std::string& on) {
  const int number = errno;
  return {number == ENOENT ? errc::not_found : errc::io,
          fmt::format("{}: {}: {}", what, on, std::generic_category().message(number))};
}

class file_bytes final : public byte_source {
public:
  file_bytes(std::string name, detail::unique_fd opened, std::uint64_t size)
      : name_(std::move(name)), opened_(std::move(opened)), size_(size) {}

  std::uint64_t size() const noexcept override { return size_; }
  std::string name() const override { return name_; }

  result<void> read_at(std::uint64_t offset, char* to, std::size_t size) const override {
    while (size != 0) {
      const auto count = ::pread(opened_.get(), to, size, static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return system_error("cannot read", name_);
      if (count == 0)
        return error(errc::io, fmt::format("cannot read: {}: it ends at byte {} and had {} when it was opened; "
                                           "begin anew when it does not change any more",
                                           name_, offset, size_));
      to += count;
      offset += static_cast<std::uint64_t>(count);
      size -= static_cast<std::size_t>(count);
    }
    return {};
  }

  result<std::string> identity() const override {
    struct stat now {};
    if (::fstat(opened_.get(), &now) != 0) return system_error("cannot look at", name_);
    return fmt::format("file of {} bytes, changed at {}.{:09}", now.st_size, now.st_mtim.tv_sec, now.st_mtim.tv_nsec);
  }

private:
  std::string name_;
  detail::unique_fd opened_;
  std::uint64_t size_; // when it was opened
};

class text_bytes final : public byte_source {
public:
  explicit text_bytes(std::string text) noexcept : text_(std::move(text)) {}
  std::uint64_t size() const noexcept override { return text_.size(); }
  std::string name() const override { return "the text"; }
  result<void> read_at(std::uint64_t offset, char* to, std::size_t size) const override {
    std::memcpy(to, text_.data() + offset, size);
    return {};
  }
  result<std::string> identity() const override {
    std::uint64_t sum = 0xcbf29ce484222325; // FNV-1a
    for (const char c : text_) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return fmt::format("text of {} bytes, sum {:016x}", text_.size(), sum);
  }

private:
  std::string text_;
};

constexpr const char* names[] = {"bytes", "lines", "records", "numbers"};

/// Returns what is behind the last line feed before `end`: where the line begins that is not complete there.
std::size_t last_line(const char* bytes, std::size_t begin, std::size_t end) noexcept {
  const void* const found = ::memrchr(bytes + begin, '\n', end - begin);
  return found == nullptr ? begin : static_cast<std::size_t>(static_cast<const char*>(found) - bytes) + 1;
}

} // namespace

std::uint64_t chunk_input::count() const noexcept { return total_ / how_.size + (total_ % how_.size != 0 ? 1 : 0); }

std::uint64_t chunk_input::share(std::uint64_t index) const noexcept {
  return std::min(how_.size, total_ - index * how_.size);
}

std::string chunk_input::name() const { return bytes_ ? bytes_->name() : "the numbers"; }

std::string chunk_input::place(std::uint64_t index) const {
  const auto begin = first_ + index * how_.size;
  return fmt::format("{} {} to {}", bytes_ ? "bytes" : "numbers", begin, begin + share(index) - 1);
}

result<std::string> chunk_input::identity() const {
  auto what = bytes_ ? bytes_->identity() : fmt::format("numbers from {}", first_);
  if (!what) return what;
  return fmt::format("{}; {} in all, by {} of {} each {}", *what, total_, names[static_cast<std::size_t>(how_.unit)],
                     how_.record, how_.size);
}

result<chunk> chunk_input::read(std::uint64_t index, chunk_buffer& into) const {
  assert(index < count());
  const auto begin = first_ + index * how_.size;
  chunk where{index, begin, begin + share(index), {}};
  if (how_.unit == chunk_unit::numbers) return where;
  if (how_.unit == chunk_unit::lines) return read_lines(where, into);
  const auto size = static_cast<std::size_t>(share(index));
  char* const to = into.room(size);
  if (auto read = bytes_->read_at(begin, to, size); !read) return read.error();
  where.bytes = {to, size};
  return where;
}

/// The lines of a chunk are those that begin within its share.
result<chunk> chunk_input::read_lines(chunk where, chunk_buffer& into) const {
  const std::uint64_t from = where.begin == 0 ? 0 : where.begin - 1; // that byte says whether a line begins behind it
  auto filled = static_cast<std::size_t>(where.end - from);
  char* to = into.room(filled);
  if (auto read = bytes_->read_at(from, to, filled); !read) return read.error();

  std::size_t begin = 0;
  if (where.begin != 0) {
    const void* const found = std::memchr(to, '\n', filled);
    begin = found == nullptr ? filled : static_cast<std::size_t>(static_cast<const char*>(found) - to) + 1;
  }
  if (begin < filled && to[filled - 1] != '\n') {
    const auto line = last_line(to, begin, filled);
    auto whole = read_on(from + line, from, filled, into);
    if (!whole) return whole.error();
    filled = *whole;
    to = into.room(0);
  }
  where.begin = from + begin;
  where.end = from + filled;
  where.bytes = {to + begin, filled - begin};
  return where;
}

/// Reads up to the end of the line that begins at `line`. Returns how much of the buffer is then filled with what is behind `from`.
result<std::size_t> chunk_input::read_on(std::uint64_t line, std::uint64_t from, std::size_t filled,
                                         chunk_buffer& into) const {
  const auto most = std::min(total_, line + how_.size); // how far it may go
  std::size_t step = 4096;
  for (auto at = from + filled; at < most; step *= 2) {
    const auto more = static_cast<std::size_t>(std::min<std::uint64_t>(step, most - at));
    char* const to = into.room(filled + more, filled) + filled;
    if (auto read = bytes_->read_at(at, to, more); !read) return read.error();
    if (const void* const found = std::memchr(to, '\n', more); found != nullptr)
      return filled + static_cast<std::size_t>(static_cast<const char*>(found) - to) + 1;
    filled += more;
    at += more;
  }
  if (most == total_) return filled; // the last line, without a line feed
  return error(errc::limit,
               fmt::format("cannot cut into chunks: {}: the line at byte {} is longer than a chunk (limit {} "
                           "bytes): take larger chunks",
                           name(), line, how_.size));
}

result<chunk_input> chunks_of(std::shared_ptr<const byte_source> bytes, chunking how) {
  const auto size = bytes->size();
  if (how.size == 0 || how.record == 0 || how.unit == chunk_unit::numbers)
    return error(errc::invalid_argument,
                 fmt::format("cannot cut into chunks: {}: a chunk needs a size of one byte or more", bytes->name()));
  if (size % how.record != 0)
    return error(errc::invalid_argument, fmt::format("cannot cut into chunks: {}: its {} bytes are no whole number of "
                                                     "records of {} bytes: the last one has {}",
                                                     bytes->name(), size, how.record, size % how.record));
  return chunk_input(std::move(bytes), how, 0, size);
}

result<chunk_input> chunks_of_text(std::string text, chunking how) {
  return chunks_of(std::make_shared<text_bytes>(std::move(text)), how);
}

result<chunk_input> chunks_of_file(const std::filesystem::path& file, chunking how) {
  detail::unique_fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!opened) return system_error("cannot open", file.native());
  struct stat known {};
  if (::fstat(opened.get(), &known) != 0) return system_error("cannot look at", file.native());
  if (!S_ISREG(known.st_mode))
    return error(errc::invalid_argument,
                 fmt::format("cannot cut into chunks: {}: it is no regular file, which can be read at any place",
                             file.native()));
  (void)::posix_fadvise(opened.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  const auto size = static_cast<std::uint64_t>(known.st_size);
  return chunks_of(std::make_shared<file_bytes>(file.native(), std::move(opened), size), how);
}

result<chunk_input> chunks_of_numbers(std::uint64_t begin, std::uint64_t end, std::uint64_t each) {
  if (each == 0 || end < begin)
    return error(errc::invalid_argument,
                 fmt::format("cannot cut into chunks: the numbers from {} to before {}, {} each: end before begin, or "
                             "chunks of nothing",
                             begin, end, each));
  return chunk_input(nullptr, {chunk_unit::numbers, each}, begin, end - begin);
}

} // namespace greenroom
