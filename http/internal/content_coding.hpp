// Content codings: which one an answer gets, and bytes to coded bytes and back, by zlib, however they are split. In a build without zlib
// (GREENROOM_ZLIB) only identity is available.
//
// Do not compress an answer that has both a secret and something that an attacker can put there: over TLS the length then tells the secret
// (the attack BREACH).
// Thread safety: functions any thread; an encoder and a decoder owner only. Lifetime: they own what they hold.
// Source: RFC 9110 sections 8.4.1 (codings) and 12.5.3 (Accept-Encoding), RFC 1950 to 1952 (formats).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <greenroom/http/internal/zlib_stream.hpp>
#include <greenroom/http/message.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http::internal {

enum class coding : std::uint8_t {
  identity,
  gzip,
  deflate ///< with the header of zlib, as RFC 9110 has it
};

/// Returns "gzip" and so on.
std::string_view to_string(coding c) noexcept;
/// Returns the coding that a Content-Encoding names, without regard to case; "x-gzip" is gzip; nothing for an unknown one.
std::optional<coding> coding_of(std::string_view name) noexcept;
/// Says whether this build has it.
bool available(coding c) noexcept;

/// Chooses for an answer by the Accept-Encoding of its request: what the client likes best, and of what it likes alike gzip, then deflate. Without
/// the field, and where it asks for nothing that is available, it is identity; nothing where it refuses that too (406, or identity all the
/// same). A malformed element is left out; of one that is named twice the lower weight holds.
std::optional<coding> choose_coding(std::span<const field> request) noexcept;

/// Says whether the value of an Accept-Encoding field, or of several joined by commas, allows a coding by its name, which may be one that is
/// not known here. Identity, which is no coding, is not for this function.
bool allows_coding(std::string_view accept_encoding, std::string_view coding) noexcept;

/// Says whether bytes of this type get shorter: text but no event stream (its events must not wait for each other), JSON, XML, scripts, wasm,
/// uncompressed fonts. An unknown type is taken for one that is compressed already.
bool worth_compressing(std::string_view content_type) noexcept;

/// Encodes one body.
/// Cost: gzip and deflate take about 260 KiB while they live.
class content_encoder {
public:
  /// `level` is from 1 (fast) to 9 (small). Source: 6 is zlib's own default; above it little is won for much time.
  /// Requires: the coding is available and the level in its range; else throws usage_error.
  explicit content_encoder(coding c, int level = 6);

  /// Takes `in` in and appends what comes of it, often nothing yet. Requires: not finished; else throws usage_error.
  void encode(std::string_view in, std::string& out);
  /// Appends what is needed so that the other end can decode all that went in. Costs some bytes each time. Requires: as above.
  void flush(std::string& out);
  /// Appends the rest. Requires: as above.
  void finish(std::string& out);

private:
  void run(std::string_view in, deflater::then how, std::string& out);
  std::unique_ptr<deflater> deflater_; // none for identity
  bool finished_ = false;
};

/// How much a coded body may become: a megabyte of it can stand for a gigabyte.
struct decode_limits {
  /// Longest decoded body. Source: limits::body. Units: bytes.
  std::uint64_t output = 1'048'576;
  /// Most that one byte may become, judged over all of the body so far once `ratio_from` bytes came out of it. Text becomes 3 to 20 times as
  /// long, logs and tables up to 100 times, a bomb 1,000 times. Units: times.
  std::uint64_t ratio = 200;
  /// Below it any ratio is harmless. Units: bytes of output.
  std::uint64_t ratio_from = 65'536;
};

/// Decodes one body.
/// Cost: gzip and deflate take about 40 KiB while they live.
class content_decoder {
public:
  enum class progress : std::uint8_t {
    more, ///< all of the input is used, and nothing is kept back
    full  ///< there is no room left: call again, also when no input is left
  };

  /// Requires: the coding is available; else throws usage_error.
  explicit content_decoder(coding c, const decode_limits& most = {});

  /// Takes from the front of `in`, and appends to `out` at most `room` bytes. With gzip several members in a row are
  /// one body, as RFC 1952 has it.
  /// Errors: parse where the bytes are not of the coding, something behind its end among them; limit beyond one of the limits: what came before
  /// is then in `out`. An error stays.
  result<progress> decode(std::string_view& in, std::string& out, std::size_t room = SIZE_MAX);
  /// Says whether the body is whole, when all of it went in. Errors: parse if not; those of before.
  result<void> finish() const;

private:
  inflater::outcome run(std::string_view& in, std::string& out, std::size_t room);
  std::optional<error> check(inflater::outcome outcome, std::string& out);
  error fail(errc code, std::string why);

  coding coding_;
  decode_limits most_;
  std::unique_ptr<inflater> inflater_; // none for identity
  std::uint64_t in_ = 0;
  std::uint64_t out_ = 0;
  bool ended_ = false;
  std::optional<error> failure_;
};

/// Encodes a body that is there as a whole. Requires: as the constructor of content_encoder.
std::string encode_all(coding c, std::string_view body);
/// Decodes a body that is there as a whole. Requires, Errors: as content_decoder.
result<std::string> decode_all(coding c, std::string_view body, const decode_limits& most = {});

} // namespace greenroom::http::internal
