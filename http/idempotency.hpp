// idempotency: lets clients send a POST or PATCH again without its being done twice: they give each request of theirs a key of its own, and
// whoever sends one again gets the answer to the first.
//
//   front.use(http::authenticate(...));
//   front.use(http::idempotency_keys([](const http::request&) { return http::principal_of()->name; }));
//
//   Idempotency-Key: "8e03978e-40d5-43e8-bc93-6894a57f9324"
//
// | a request with a key that                      | is answered with |
// | is new, or has been forgotten                  | what the handler answers |
// | belongs to one that is under way               | 409, Retry-After |
// | belongs to one that was answered               | that answer, and Idempotent-Replayed: true |
// | belongs to one with another query, type, body or trailers | 422 |
// | is malformed, or missing although `required`   | 400 |
//
// Outside of it goes compress_answers(): what is kept must not be compressed, since who asks again may not accept what the first one did.
//
// Answers are kept in memory: of this process, until it ends. Who must not do a thing twice whatever crashes keeps the key with the thing itself, in
// one transaction; this saves that work the usual retries.
// Thread safety: calls come from any worker. Lifetime: as the server. Source: draft-ietf-httpapi-idempotency-key-header.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include <greenroom/http/middleware.hpp>
#include <greenroom/runtime/clock.hpp>
#include <greenroom/runtime/detail/export.hpp>

namespace greenroom::http {

/// What is kept, and for how long. Thread safety: as a value.
struct idempotency_options {
  /// Whether a POST or PATCH must have a key.
  bool required = false;
  /// How long an answer is kept, up to 30 days; clients retry within a day.
  duration age = std::chrono::hours(24);
  /// Most answers that are kept, at least 1; beyond that, and beyond `bytes`, the oldest are forgotten. Units: answers.
  std::size_t answers = 10'000;
  /// Most memory that they take, keys included, at least 64 KiB. An answer that takes more than a sixteenth of it is not kept. Units: bytes.
  std::size_t bytes = 67'108'864;
};

/// Makes a middleware that keeps the answers to requests with a key. A key holds for one method, one path (compared decoded, as routes are), and one
/// `principal`, whose name that function gives: it must tell clients apart that are not to see each other's answers. Keys have up to 255 visible characters of
/// ASCII, with or without quotation marks.
///
/// Kept is what may be given again: not answers of 5xx, 408, 425 and 429, which ask to try again, and not streamed ones, which are never held as a
/// whole; then, and when the handler throws or is cancelled, the key is free again. A client that leaves cancels its request: a handler that must
/// not stop half-way is shielded(). Of a request whose handler takes a body_reader body and trailers are not compared.
/// Who sends very many keys pushes out the answers of others: rate_limit() goes before it.
/// Errors: usage_error if an option is out of range, or there is no `principal`.
GREENROOM_EXPORT middleware idempotency_keys(std::function<std::string(const request&)> principal,
                                             idempotency_options how = {});

} // namespace greenroom::http
