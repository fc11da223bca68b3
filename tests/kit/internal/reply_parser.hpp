// Takes the answer of an HTTP server apart, however its bytes are split over reads, and refuses what is not well-formed.
// Thread safety: owner only. Source: RFC 9112 sections 4 to 7, RFC 9110 section 5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <greenroom/runtime/error.hpp>
#include <greenroom/testkit/http_client.hpp>

namespace greenroom::testkit::internal {

bool is_token(std::string_view text) noexcept;
/// Whether `text` may be the value of a field: no control characters, no white space around it.
bool is_field_value(std::string_view text) noexcept;
bool equal_without_case(std::string_view a, std::string_view b) noexcept;
/// Whether `one` is in a list of tokens, "a, b", without regard to case.
GREENROOM_EXPORT bool list_has(std::string_view list, std::string_view one) noexcept;
/// The text in quotes as a report shows it: no control characters, and not too long.
GREENROOM_EXPORT std::string shown(std::string_view text);

class GREENROOM_EXPORT reply_parser { // for the tests
public:
  enum class outcome : std::uint8_t { more, done, failed };

  /// `to_head`: the request was HEAD, so that no body comes.
  reply_parser(bool to_head, http_client_limits most) noexcept : to_head_(to_head), most_(most) {}

  /// Takes from `bytes` what belongs to the answer and takes it off them; what is left when it is done nobody asked for.
  outcome take(std::string_view& bytes);
  /// Takes the end of the connection.
  outcome end();

  /// Returns whether a byte of the answer has come.
  bool begun() const noexcept { return begun_; }
  /// Returns whether the server keeps the connection. Requires: the answer is done.
  bool keeps_connection() const noexcept { return keeps_; }
  http_reply& reply() noexcept { return reply_; }
  /// Requires: the answer failed.
  const error& why() const noexcept { return why_; }

private:
  enum class at : std::uint8_t { status_line, field, body, body_to_end, chunk_size, chunk, chunk_end, trailer, done };

  outcome step(std::string_view& bytes);
  outcome take_line();
  outcome take_status_line();
  outcome take_field(bool keep);
  outcome take_chunk_size();
  outcome take_body(std::string_view& bytes);
  outcome end_of_head();
  outcome read_framing();
  outcome read_length(std::string_view text);
  outcome fail(errc code, std::string text);
  outcome finish() noexcept { return at_ = at::done, outcome::done; }

  const bool to_head_;
  const http_client_limits most_;
  at at_ = at::status_line;
  bool begun_ = false;
  bool keeps_ = false;
  bool old_ = false;       // HTTP/1.0
  std::string line_;       // the one under way
  std::size_t head_ = 0;   // bytes of all lines but those of chunk sizes
  std::uint64_t left_ = 0; // of the body, or of the chunk
  http_reply reply_;
  error why_ = errc::parse;
};

} // namespace greenroom::testkit::internal
