// load_answer: finds status and end of answers of HTTP/1.1 in what comes over one connection, and keeps nothing else of them. It reads what servers
// send, and judges as little as it can; http::client is strict, and takes some times as long.
// Thread safety: owner only. Source: RFC 9112 section 6.3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace load {

class answer_reader {
public:
  enum class state : std::uint8_t { reading, complete, malformed };

  /// Begins the next answer; that to a HEAD has no body.
  void begin(bool to_head) noexcept;
  /// Takes what came. Bytes behind the end of the answer make it malformed: nobody has asked for them.
  state take(std::string_view bytes);
  /// The server sends no more: that ends a body of unknown length, and is too early for any other.
  state end_of_input() noexcept;

  /// Says whether a byte has come of it.
  bool begun() const noexcept { return begun_; }
  // Of one that is complete:
  int status() const noexcept { return status_; }
  bool keeps_open() const noexcept { return keeps_open_; }

private:
  enum class part : std::uint8_t { head, counted, chunk_size, chunk_end, trailers, until_close, end };

  void take_head(std::string_view& bytes);
  bool read_head(std::string_view head);
  bool read_field(std::string_view line);
  void choose_body();
  void skip_counted(std::string_view& bytes) noexcept;
  bool take_line(std::string_view& bytes);
  void read_chunk_size();
  void fail() noexcept { bad_ = true; }

  part part_ = part::head;
  bool begun_ = false;
  bool bad_ = false;
  bool to_head_ = false;
  bool keeps_open_ = true;
  bool chunked_ = false;
  bool has_length_ = false;
  int status_ = 0;
  std::uint64_t left_ = 0; // of a body, or a chunk with its line end
  std::string kept_;       // of a head, or a line, that has come in part
};

} // namespace load
