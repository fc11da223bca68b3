// The page of graph_page as one document; made of the files in http/graph_page/ by tools/cmake/embed_page.cmake.
// Thread safety: constants.
#pragma once

#include <string_view>

namespace greenroom::http::internal {

/// A page with all that it needs inside of it.
struct document {
  std::string_view text;
  std::string_view etag;   ///< with its quotes
  std::string_view script; ///< the hash of what stands in its script, for the policy: 'sha256-...'
  std::string_view style;
};

extern const document graph_document;

} // namespace greenroom::http::internal
