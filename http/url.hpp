// url: percent-encoding, and the parameters of a query.
// When to use: for links that an answer holds, and to walk through all parameters of a query. One value of a request is at
// hand by request::query_value() and request::parameter(), decoded already.
// Thread safety: pure functions. Lifetime: what they return owns its bytes.
// Source: RFC 3986 section 2; for queries the WHATWG URL standard, application/x-www-form-urlencoded parsing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::http {

/// Returns the text with each %XX replaced by its byte; nothing if a '%' is not followed by two hexadecimal digits. '+' stays,
/// and the bytes may be anything, a zero byte included.
GREENROOM_EXPORT std::optional<std::string> percent_decode(std::string_view text);

/// Returns the text in a form that may stand as one segment of a path, or as a name or value in a query: all but letters,
/// digits and "-._~" is escaped. The segments "." and ".." stay special: clients resolve them in any spelling.
GREENROOM_EXPORT std::string percent_encode(std::string_view text);

/// One parameter of a query, decoded.
struct query_parameter {
  std::string name;  ///< what stands before the first '='
  std::string value; ///< "" where there is no '='
};

/// Takes the first parameter off the front of the query, or of a body that is application/x-www-form-urlencoded, which has the same form;
/// nothing when none is left:
///
///   for (auto left = r.query(); auto p = http::next_query_parameter(left);) use(p->name, p->value);
///
/// '&' separates, and what stands between two of them in a row is no parameter; one without '=' has the value "". '+' is a
/// space. A '%' that begins no escape stands for itself, so that nothing is malformed.
GREENROOM_EXPORT std::optional<query_parameter> next_query_parameter(std::string_view& query);

/// Returns the value of the first parameter of that name, decoded as above: "" for one without '='; nothing if there is none.
/// Cost: walks the query.
GREENROOM_EXPORT std::optional<std::string> query_value(std::string_view query, std::string_view name);

} // namespace greenroom::http
