// The two directions of zlib behind an interface without its types, so that only one source knows whether there is a zlib.
// Thread safety: owner only. Lifetime: they own what they hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace greenroom::http::internal {

/// Says whether this build has zlib (GREENROOM_ZLIB). Without it the constructors below throw std::logic_error.
bool has_zlib() noexcept;

enum class zlib_format : std::uint8_t { gzip, zlib };

class deflater {
public:
  enum class then : std::uint8_t { go_on, flush, finish };

  /// `level` is from 1 to 9.
  deflater(zlib_format format, int level);
  ~deflater();
  /// Takes all of `in` in, and appends what comes of it.
  void run(std::string_view in, then how, std::string& out);

private:
  struct state; // zlib keeps its address
  std::unique_ptr<state> state_;
};

class inflater {
public:
  enum class outcome : std::uint8_t { more, full, end, damaged };

  explicit inflater(zlib_format format);
  ~inflater();
  /// Takes from the front of `in` and appends at most `room` bytes, until the input is used (more), the room is (full), the stream has
  /// ended, or it turns out to be none.
  outcome run(std::string_view& in, std::string& out, std::size_t room);
  /// Begins another stream.
  void restart() noexcept;

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace greenroom::http::internal
