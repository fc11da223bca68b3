// Conditional requests: whether what the client asks for still is what it believes it to be.
// Thread safety: pure functions. Lifetime: they keep nothing; an entity_tag views into the text that it was read from.
// Source: RFC 9110 sections 8.8 (validators) and 13 (conditions).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <greenroom/http/message.hpp>

namespace greenroom::http::internal {

/// An entity tag: "abc" or, weak, W/"abc". Weak ones say that two representations serve alike, strong ones that no byte differs.
struct entity_tag {
  std::string_view opaque; ///< what stands between the quotes
  bool weak = false;
};

/// Reads one tag; nothing for another text, white space around it included. 'W' is in upper case, and a backslash escapes nothing.
std::optional<entity_tag> parse_entity_tag(std::string_view text) noexcept;
/// Says whether both are strong and alike, as If-Match and If-Range need it.
bool same_strongly(const entity_tag& a, const entity_tag& b) noexcept;
/// Says whether they are alike, weak or not, as If-None-Match needs it.
bool same_weakly(const entity_tag& a, const entity_tag& b) noexcept;

/// What a handler knows of the representation that the request is about.
struct validators {
  /// As in the field ETag, for example "\"33a64\""; "" if there is none.
  std::string_view etag{};
  /// As in the field Last-Modified, if there is one.
  std::optional<std::chrono::sys_seconds> modified{};
  /// Set it only where two changes within one second are known not to happen: then a date is as good as a strong tag for If-Range. A file
  /// may be written twice in a second, and parts of both versions would be put together.
  bool modified_is_strong = false;
  /// Whether there is one now: a PUT may be about to make it.
  bool exists = true;
};

enum class verdict : std::uint8_t {
  proceed,      ///< do what the method says
  not_modified, ///< answer 304, with the fields that a 200 would have had for caches: ETag, Cache-Control, Vary and so on
  precondition_failed ///< answer 412, and change nothing
};

/// Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since in the order of RFC 9110 section 13.2.2. Methods that
/// select no representation (CONNECT, OPTIONS, TRACE) have no conditions.
///
/// What is not understood never makes a change happen and never keeps an answer back: a malformed list of tags matches nothing in If-Match; in
/// If-None-Match it matches nothing for GET and HEAD, and everything for the others. A date that is malformed or sent twice is ignored, as
/// RFC 9110 demands. `now` is for dates with two digits of a year.
/// Requires: without the conditions the answer would be a 2xx or a 412; any other one goes before them (section 13.2.1).
verdict evaluate_conditions(method m, std::span<const field> fields, const validators& current,
                            std::chrono::sys_seconds now) noexcept;

/// Says whether If-Range lets a Range count: there is none, or its tag is strongly alike, or its date is exactly that of a strong
/// modification date. One that is malformed or sent twice lets none count: then the client gets the whole. Source: RFC 9110 section 13.1.5.
bool if_range_holds(std::span<const field> fields, const validators& current, std::chrono::sys_seconds now) noexcept;

} // namespace greenroom::http::internal
