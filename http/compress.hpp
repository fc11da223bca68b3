// compress: a middleware that compresses answers for the clients that accept it.
//
//   front.use(http::compress_answers());              // around all routes that are added from here on
//
// When to use: for pages, JSON and other text over a network; within one machine it costs more than it saves. Do not put it around a route
// whose answers have both a secret and something that the client chose: over TLS the length then tells the secret (the attack BREACH).
// It goes outside of idempotency_keys(), which keeps answers: one that was kept compressed would be given to a client that sends its request again
// and cannot read it. README.md has the order of all.
// In a build without zlib (GREENROOM_ZLIB) nothing is compressed.
// Thread safety: as a value; calls come from any worker. Lifetime: owns what it needs.
#pragma once

#include <cstddef>

#include <greenroom/http/message.hpp>
#include <greenroom/http/middleware.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/task.hpp>

namespace greenroom::http {

/// What is worth compressing. Thread safety: as a value.
struct compress_options {
  /// Shorter answers are left as they are: they fit into one packet with their head anyway. Units: bytes.
  std::size_t at_least = 1'024;
  /// From 1 (fast) to 9 (small). Source: 6 is zlib's own default; above it little is won for much time.
  int level = 6;
  /// Longer answers are compressed on a blocking thread: about a millisecond of work is as much as a worker's other actors should wait.
  /// Units: bytes.
  std::size_t inline_up_to = 32'768;
};

/// The middleware. It compresses, by gzip or deflate as Accept-Encoding likes it best (RFC 9110 section 12.5.3), an answer that
///   - is whole, with a body of at least `at_least` bytes, and no 206, whose ranges are those of the body as it is;
///   - is of a type that gets shorter: text, JSON, XML, scripts, SVG, wasm, and so on;
///   - has no Content-Encoding yet, no digest of its bytes, and no Cache-Control: no-transform;
///   - and has become shorter by it.
/// What could have been compressed gets `Vary: Accept-Encoding`, compressed or not, since caches must know; so does a 304, of which that cannot be
/// told. A strong ETag becomes weak on a compressed answer, which is of other bytes (section 8.8.3.3), and Accept-Ranges goes. An answer to HEAD
/// is treated as that to GET. A client that refuses even identity gets that all the same, never 406. Streamed answers pass as they are.
class GREENROOM_EXPORT compress_answers {
public:
  /// Errors: usage_error for a level out of range.
  explicit compress_answers(compress_options how = {});
  /// Has the request answered, and compresses the answer.
  task<response> operator()(request r, next on) const;

private:
  compress_options how_;
};

} // namespace greenroom::http
