// multipart: the bodies of forms with files, multipart/form-data, whole or as they come. When to use: for uploads;
// a form without files comes as application/x-www-form-urlencoded, which next_query_parameter() of url.hpp takes apart.
//
//   const auto form = http::parse_multipart(r.header("Content-Type").value_or(""), r.body());
//   if (!form) co_return http::text(std::string(form.error().message()), 400);
//   for (const auto& part : *form) use(part.name, part.data);
//
// Strict: where a body leaves a doubt it is refused, as it could mean one thing to a filter in front and another one here.
// Thread safety: functions any thread; a parser owner only. Lifetime: a parser owns its state; its views say how long they live.
// Source: RFC 7578, RFC 2046 section 5.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <greenroom/http/message.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http {

/// What one body may have. The length of all of it is limited by `limits::body`, or by whoever feeds a parser.
struct multipart_limits {
  /// Most parts. Forms have tens of fields; each part costs its owner more than the bytes that it is sent with. Units: parts.
  std::size_t parts = 1'000;
  /// Longest header section of one part. It has a name and the name of a file, of which each is rarely longer than 255 bytes. Units: bytes.
  std::size_t part_head = 8'192;
  /// Longest data of one part: a photograph or a document. Films need more, and a place that is not memory. Units: bytes.
  std::uint64_t part_data = 16'777'216;
  /// Most that may belong to no part: in front of the first boundary, behind the last one, and white space behind each. Nobody reads it. Units:
  /// bytes.
  std::size_t outside = 4'096;
};

/// Returns the boundary that the value of a Content-Type names.
/// Errors: unsupported if it is not multipart/form-data; parse if it is malformed, or has not exactly one boundary of 1 to 70 of the
/// characters that RFC 2046 allows, of which the last one is no space.
GREENROOM_EXPORT result<std::string> boundary_of(std::string_view content_type);

/// Takes a body apart as its bytes come, in memory that does not grow with it. Neither copied nor moved.
///
///   for (;;) {
///     const auto event = parser.next(bytes);      // takes off what it used
///     if (!event) ...                             // refuse
///     if (*event == multipart_parser::event::need_more) ... // read more bytes; at their end: finish()
///   }
class GREENROOM_EXPORT multipart_parser {
public:
  /// What comes next in the body.
  enum class event : std::uint8_t {
    need_more,  ///< all of `bytes` is used
    part_begin, ///< name() and so on tell of a new part
    data,       ///< data() is the next of its bytes, never empty
    part_end,   ///< the part is whole
    end         ///< there are no more parts; what follows is skipped, as far as the limit goes
  };

  /// Requires: a boundary as boundary_of() returns it; else throws usage_error.
  explicit multipart_parser(std::string_view boundary, const multipart_limits& most = {});
  multipart_parser(const multipart_parser&) = delete;
  multipart_parser& operator=(const multipart_parser&) = delete;

  /// Goes on to the next event, and takes the bytes in front of it off `bytes`. A form without fields has no part at all.
  /// Errors: parse for what is malformed (a line that ends with LF alone among it), limit beyond a limit, unsupported for
  /// a Content-Transfer-Encoding that changes bytes, which RFC 7578 has abolished. An error stays.
  result<event> next(std::string_view& bytes);

  /// Says whether the body may end here. Errors: parse if the last boundary has not come, or half of the line end behind it; those of before.
  result<void> finish() const;

  /// Returns the name of the part's field, as bytes; mostly UTF-8. Browsers write a quote in it as %22, which stays.
  /// Lifetime: from part_begin to the call behind part_end, as all of the following but data().
  std::string_view name() const noexcept { return name_; }
  /// Returns the name of the file as it was sent, perhaps with a path, or "" where none was chosen; nothing if it is no file. See
  /// safe_file_name(). With a filename* this is what that stands for.
  std::optional<std::string_view> file_name() const noexcept { return file_name_; }
  /// Returns the type that the sender states; "" stands for text/plain.
  std::string_view content_type() const noexcept { return content_type_; }
  /// Returns all header fields of the part.
  std::span<const field> headers() const noexcept { return fields_; }
  /// Returns the bytes of the last event `data`. Lifetime: until the next call, and as long as the bytes that were fed.
  std::string_view data() const noexcept { return data_; }

private:
  enum class at : std::uint8_t {
    preamble,
    delimited,
    dash,
    padding,
    line_end,
    head,
    data,
    closed,
    last_line_end,
    epilogue
  };
  enum class found : std::uint8_t { nothing, text, delimiter };

  found scan(std::string_view& bytes);
  result<event> step(std::string_view& bytes);
  result<event> after_delimiter(char c);
  result<event> take_head(std::string_view& bytes);
  result<event> read_fields();
  result<event> read_known_fields();
  result<event> count_outside(std::size_t n);
  result<event> begin_part();
  error fail(errc code, std::string_view why);
  error refusal(errc code, std::string_view why) const;

  std::string delimiter_; // with the end of line before it, which is no part of the data
  multipart_limits most_;
  at at_ = at::preamble;
  std::size_t matched_ = 2; // bytes of the delimiter that are seen
  std::size_t unsent_ = 2;  // of those at the front, how many are no data, whatever follows
  std::size_t parts_ = 0;
  std::size_t outside_ = 0;
  std::uint64_t data_bytes_ = 0;
  std::string head_;
  std::size_t line_ = 0; // where its last line begins
  std::vector<field> fields_;
  std::string name_;
  std::optional<std::string> file_name_;
  std::string_view content_type_;
  std::string_view data_;
  std::optional<error> failure_;
};

/// One part of a form that was read as a whole; see multipart_parser for what each is.
struct form_part {
  std::string name;                     ///< of the field
  std::optional<std::string> file_name; ///< as the sender chose it; nothing if it is no file
  std::string content_type;             ///< as the sender states it
  std::string data;                     ///< all of its bytes
};

/// Takes a whole body apart. Errors: those of boundary_of() and multipart_parser. Cost: copies the data.
GREENROOM_EXPORT result<std::vector<form_part>> parse_multipart(std::string_view content_type, std::string_view body,
                                                                const multipart_limits& most = {});

} // namespace greenroom::http
