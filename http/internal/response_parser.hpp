// Reads one answer of HTTP/1.1 or 1.0 from bytes as they come, as strictly as request_parser reads requests: where the framing leaves
// any doubt the answer is refused, so that nothing of it can pass for the answer to the next request of the connection.
// Thread safety: owner only. Cost: looks at each byte a constant number of times, however they are split. Source: RFC 9112.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <greenroom/http/detail/response_data.hpp>
#include <greenroom/http/internal/chunk_decoder.hpp>
#include <greenroom/http/internal/field_line.hpp>
#include <greenroom/http/limits.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http::internal {

/// What an answer may be.
struct answer_limits {
  std::size_t head = 32'768;    ///< Units: bytes.
  std::size_t fields = 100;     ///< Units: fields.
  std::size_t body = 8'388'608; ///< Units: bytes.
  bool to_head = false;         ///< the answer to a HEAD has no body, whatever its fields say
};

class response_parser {
public:
  explicit response_parser(const answer_limits& most);

  enum class state : std::uint8_t { head, body, complete, failed };

  /// Takes from `bytes` what belongs to the answer and returns how much that was. Units: bytes.
  std::size_t parse(std::string_view bytes);
  /// The peer will send no more: completes an answer that only that ends, and fails any other one.
  void end_of_input();
  /// The connection broke. Requires: neither complete nor failed.
  void break_off(const error& why);

  state at() const noexcept { return state_; }
  /// Says whether any byte of the answer, or of an interim one, has come.
  bool begun() const noexcept { return begun_; }
  /// Requires: failed.
  const error& why() const noexcept { return why_; }
  /// Says whether the connection may carry another request. Requires: complete.
  bool keep_alive() const noexcept { return keep_alive_; }

  // From `body` on:
  int status() const noexcept { return status_; }
  /// Gives the front of the answer, once.
  std::unique_ptr<detail::response_data> take_head() noexcept { return std::move(data_); }
  const detail::response_data& head() const noexcept { return *data_; } ///< Requires: not taken.
  /// Takes what has come of the body.
  std::string take_content() noexcept { return std::exchange(body_, {}); }
  bool has_content() const noexcept { return !body_.empty(); }
  /// Gives the fields behind the body; null if there are none. Requires: complete.
  std::unique_ptr<detail::trailer_section> take_trailers() { return chunks_.take_trailers(); }

private:
  enum class framing : std::uint8_t { none, length, chunked, until_close };

  std::size_t parse_head(std::string_view bytes);
  void parse_body(std::string_view& bytes);
  bool parse_status_line(std::string_view line);
  void finish_head();
  bool parse_fields();
  const char* note_field(const field& f);
  bool choose_framing();
  void fail(errc code, std::string reason);
  void fail_beyond(std::string_view what, std::size_t limit, std::string_view unit);

  answer_limits most_;
  limits chunk_limits_;
  std::unique_ptr<detail::response_data> data_;
  std::string body_; // what has come and was not taken out
  error why_ = errc::parse;
  chunk_decoder chunks_;
  std::uint64_t left_ = 0; // of a body of known length
  int status_ = 0;
  std::size_t line_ = 0; // where the current line of the head begins
  transfer_coding coding_;
  framing framing_ = framing::none;
  state state_ = state::head;
  std::uint8_t interim_ = 0;
  bool begun_ = false;
  bool has_length_ = false;
  bool says_close_ = false;
  bool says_keep_alive_ = false;
  bool keep_alive_ = false;
};

} // namespace greenroom::http::internal
