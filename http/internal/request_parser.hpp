// Reads HTTP/1.1 and 1.0 requests from bytes as they come, strictly: where the framing leaves any doubt, the request is refused and
// nothing behind it is read, so that no two programs on the way can disagree about where a request ends.
// Thread safety: owner only. Cost: looks at each byte a constant number of times, however they are split; no allocation for a field.
// Lifetime: the limits and methods outlive the parser. Source: RFC 9112.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <greenroom/http/detail/request_data.hpp>
#include <greenroom/http/internal/chunk_decoder.hpp>
#include <greenroom/http/internal/refusal.hpp>
#include <greenroom/http/limits.hpp>
#include <greenroom/http/message.hpp>

namespace greenroom::http::internal {

class request_parser {
public:
  /// `secure` says that the bytes come over TLS: of addresses only those of https are then served.
  /// `own` are the methods that are served beyond the common ones, or null.
  explicit request_parser(const limits& l, bool secure = false, const std::vector<method>* own = nullptr) noexcept;
  ~request_parser();

  enum class state : std::uint8_t {
    idle, // nothing of a request has come
    head, // within the request line or the header section
    head_done, // the header section is complete; parse() stops here once, so that the request can be routed and its body limited
    body,
    complete, // take() it; parse() takes nothing until then
    failed    // for good; parse() takes nothing more
  };

  /// Takes from `bytes` what belongs to the request under way and returns how much that was. Units: bytes.
  std::size_t parse(std::string_view bytes);
  state at() const noexcept { return state_; }
  /// Requires: failed.
  const refusal& why() const noexcept;
  /// Says whether the request under way is a HEAD, also when its request line is not complete or not well-formed.
  bool is_head() const noexcept { return data_ != nullptr && data_->head.starts_with("HEAD "); }

  // From head_done on:
  detail::request_data& data() noexcept { return *data_; }
  /// Says whether a body may follow. One that is chunked may turn out to be empty.
  bool has_body() const noexcept;
  bool expects_continue() const noexcept;
  bool keep_alive() const noexcept;

  /// Sets the longest body of the request under way, in place of limits::body: the route knows. Fails if more is announced.
  /// Requires: head_done. Units: bytes.
  void limit_body(std::uint64_t most);

  /// Gives the request, and begins anew. Requires: complete.
  request take();
  /// Gives the request without its body, which is then read on: take_body() after each parse(), and end_body() when it is complete.
  /// Requires: head_done or body.
  request take_head();
  /// Gives what has come of the body since the last call. Requires: from head_done on, and before end_body().
  std::string take_body() noexcept;
  /// Gives the fields behind the body; null if there are none. Requires: complete.
  std::unique_ptr<detail::trailer_section> take_trailers();
  /// Begins anew. Requires: complete, after take_head().
  void end_body() noexcept;
  /// Gives back the memory, if no request is under way; a short Host field is kept.
  void release() noexcept;

private:
  struct framing;

  bool check_announced();
  void begin_body();
  std::size_t parse_head(std::string_view bytes);
  void begin();
  void skip_line();
  bool check_length(std::size_t length);
  void parse_line(std::string_view line, bool clean);
  void parse_request_line(std::string_view line);
  bool parse_method(std::string_view name);
  bool parse_target(std::string_view target);
  bool parse_version(std::string_view version);
  void parse_field(std::string_view line, bool clean);
  bool is_valid_host(std::string_view value);
  void note_field(const field& f);
  void finish_head();
  void append(std::string_view bytes);
  [[gnu::cold]] void fail(int status, std::string_view reason);
  [[gnu::cold]] void fail_beyond(int status, std::string_view what, std::uint64_t limit, std::string_view unit);

  const limits* limits_;
  const std::vector<method>* own_methods_;     // null: none
  std::unique_ptr<detail::request_data> data_; // null while idle
  std::unique_ptr<framing> framing_;           // the same
  std::string host_before_;                    // a Host field that is valid: mostly the next one is the same
  state state_ = state::idle;
  bool line_skipped_ = false; // the one empty line before a request
  const bool secure_;
};

} // namespace greenroom::http::internal
