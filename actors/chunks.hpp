// chunks: a large input in pieces that can be worked on one by one: a file by lines, records or bytes, a text, a range of numbers.
//
//   auto input = chunks_of_file("orders.csv", by_lines());      // result<chunk_input>; in an actor by blocking()
//   for (std::uint64_t i = 0; i < input->count(); ++i) {
//     auto piece = input->read(i, buffer);                      // whole lines; i in any order, from any thread
//   }
//
// Which bytes belong to which chunk follows from the size of the input alone, so nobody has to read it through to split it. Files are read into buffers
// that the caller keeps, and not mapped: the memory in use does not grow with the file.
// When to use: with process_chunks() of chunk_pipeline.hpp, which does the rest.
// Thread safety: an input may be read from any threads; a buffer owner only. Lifetime: an input is counted, and keeps its file open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom {

/// What an input is cut at.
enum class chunk_unit : std::uint8_t {
  bytes,   ///< anywhere
  lines,   ///< behind a line feed
  records, ///< between records of one size
  numbers  ///< it has no bytes: a chunk is a part of a range of numbers
};

/// How an input is cut; made by by_bytes(), by_lines() and by_records().
struct chunking {
  chunk_unit unit;          ///< at what
  std::uint64_t size;       ///< of a chunk. Units: bytes, or numbers
  std::uint64_t record = 1; ///< of one record; 1 where there are none. Units: bytes
};

/// The size of a chunk that names none: 1 MiB. Units: bytes.
inline constexpr std::uint64_t usual_chunk = 1U << 20U;

/// Cuts anywhere, each so many bytes.
constexpr chunking by_bytes(std::uint64_t bytes = usual_chunk) noexcept { return {chunk_unit::bytes, bytes}; }
/// Cuts behind line feeds, about each so many bytes. A line may be as long as that, its line feed counted, and no longer. CR stays in its line; the
/// last line needs no line feed.
constexpr chunking by_lines(std::uint64_t bytes = usual_chunk) noexcept { return {chunk_unit::lines, bytes}; }
/// Cuts between records of so many bytes each. Errors: a size that is no multiple of the record's is refused where the input is opened.
constexpr chunking by_records(std::uint64_t record, std::uint64_t records_each) noexcept {
  return {chunk_unit::records, record * records_each, record};
}

/// A piece in hand: [begin, end) of the input, and its bytes, if it has any. Lifetime: as the buffer that it was read into.
struct chunk {
  std::uint64_t index = 0;     ///< which of the chunks it is, from 0
  std::uint64_t begin = 0;     ///< of lines: where the first of them begins. Units: bytes, or a number
  std::uint64_t end = 0;       ///< behind its last byte, or number
  std::string_view bytes = {}; ///< whole lines or records; none of numbers
};

/// Where a chunk is read into, again and again. Thread safety: owner only.
class GREENROOM_EXPORT chunk_buffer {
public:
  /// Returns room for `size` bytes. The first `keep` that were there stay.
  char* room(std::size_t size, std::size_t keep = 0);
  /// Returns how much there is room for. Units: bytes.
  std::size_t capacity() const noexcept { return capacity_; }

private:
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
};

/// Bytes that can be read at any place, from any threads. For inputs of your own.
class GREENROOM_EXPORT byte_source {
public:
  byte_source() = default;
  byte_source(const byte_source&) = delete;
  byte_source& operator=(const byte_source&) = delete;
  virtual ~byte_source();

  /// Returns how many bytes there are. Waits: never.
  virtual std::uint64_t size() const noexcept = 0;
  /// Reads `size` bytes at `offset`, all of them. Waits: blocks the thread. Errors: io.
  virtual result<void> read_at(std::uint64_t offset, char* to, std::size_t size) const = 0;
  /// Returns the name for messages.
  virtual std::string name() const = 0;
  /// Returns a line that is another one when the content is another one: size and time of change, or a sum. Waits: blocks the thread. Errors: io.
  virtual result<std::string> identity() const = 0;
};

/// Thread safety and lifetime: see the file comment.
class GREENROOM_EXPORT chunk_input {
public:
  /// Counts the chunks. An empty input has none.
  std::uint64_t count() const noexcept;
  /// Returns the size of all chunks. Units: bytes, or numbers.
  std::uint64_t total() const noexcept { return total_; }
  /// Returns how much of total() the chunk stands for: all chunks together are total(). Of lines this is about what they have.
  std::uint64_t share(std::uint64_t index) const noexcept;
  /// Returns what it is cut at.
  chunk_unit unit() const noexcept { return how_.unit; }

  /// Reads a chunk. Of lines it may be empty: when a line of the chunk before fills it.
  /// Waits: blocks the thread for the disk; never for numbers. Requires: index < count() (asserted).
  /// Errors: io; limit for a line that is longer than a chunk, with its place.
  result<chunk> read(std::uint64_t index, chunk_buffer& into) const;

  /// Returns a chunk for people: "bytes 0 to 1048575".
  std::string place(std::uint64_t index) const;
  /// Returns a line that is another one when the input, or how it is cut, is another one. Errors: io. Waits: blocks the thread.
  result<std::string> identity() const;
  /// Returns the name for messages.
  std::string name() const;

private:
  friend GREENROOM_EXPORT result<chunk_input> chunks_of(std::shared_ptr<const byte_source> bytes, chunking how);
  friend GREENROOM_EXPORT result<chunk_input> chunks_of_numbers(std::uint64_t begin, std::uint64_t end,
                                                                std::uint64_t each);
  chunk_input(std::shared_ptr<const byte_source> bytes, chunking how, std::uint64_t first, std::uint64_t total)
      : bytes_(std::move(bytes)), how_(how), first_(first), total_(total) {}
  result<chunk> read_lines(chunk where, chunk_buffer& into) const;
  result<std::size_t> read_on(std::uint64_t line, std::uint64_t from, std::size_t filled, chunk_buffer& into) const;

  std::shared_ptr<const byte_source> bytes_; // none: numbers
  chunking how_;
  std::uint64_t first_;
  std::uint64_t total_;
};

/// Each makes an input. Errors: invalid_argument for chunks of no size, and a size that is no whole number of records.
GREENROOM_EXPORT result<chunk_input> chunks_of(std::shared_ptr<const byte_source> bytes, chunking how);
/// Makes an input of a text in memory. Errors: as chunks_of().
GREENROOM_EXPORT result<chunk_input> chunks_of_text(std::string text, chunking how);
/// Opens a file, which must not change until it has been read: a job that finds it changed fails.
/// Waits: blocks the thread. Errors: also not_found, io, and invalid_argument for what cannot be read at any place, as a pipe.
GREENROOM_EXPORT result<chunk_input> chunks_of_file(const std::filesystem::path& file, chunking how);
/// The numbers of [begin, end), `each` at a time.
GREENROOM_EXPORT result<chunk_input> chunks_of_numbers(std::uint64_t begin, std::uint64_t end, std::uint64_t each);

} // namespace greenroom
