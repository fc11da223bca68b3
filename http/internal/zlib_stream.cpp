#include <greenroom/http/internal/zlib_stream.hpp>

#include <algorithm>
#include <array>
#include <new>
#include <stdexcept>

#if GREENROOM_HAS_ZLIB
#define ZLIB_CONST
#include <zlib.h>
#endif

namespace greenroom::http::internal {

#if GREENROOM_HAS_ZLIB

namespace {

/// Output of one step; on the stack, since most bodies fit into a few.
using buffer = std::array<char, 16'384>;

/// The size of zlib's window, the largest; 16 more mean the format gzip.
int window_bits(zlib_format format) noexcept { return format == zlib_format::gzip ? 15 + 16 : 15; }

/// What zlib can take at once: it counts in 32 bits.
std::string_view slice_of(std::string_view in) noexcept { return in.substr(0, std::size_t{1} << 30); }

void set(z_stream& z, std::string_view in, buffer& out, std::size_t room) noexcept {
  z.next_in = reinterpret_cast<const Bytef*>(in.data());
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(room);
}

int code_of(deflater::then how) noexcept {
  return how == deflater::then::finish ? Z_FINISH : how == deflater::then::flush ? Z_SYNC_FLUSH : Z_NO_FLUSH;
}

} // namespace

bool has_zlib() noexcept { return true; }

struct deflater::state {
  z_stream z{};
};

deflater::deflater(zlib_format format, int level) : state_(std::make_unique<state>()) {
  // Source: 8 is zlib's own default for memory.
  if (::deflateInit2(&state_->z, level, Z_DEFLATED, window_bits(format), 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
}

deflater::~deflater() { ::deflateEnd(&state_->z); }

void deflater::run(std::string_view in, then how, std::string& out) {
  auto& z = state_->z;
  buffer step;
  do {
    const auto slice = slice_of(in);
    in.remove_prefix(slice.size());
    set(z, slice, step, step.size());
    for (;;) {
      ::deflate(&z, in.empty() ? code_of(how) : Z_NO_FLUSH); // no outcome but success, and nothing to do
      out.append(step.data(), step.size() - z.avail_out);
      if (z.avail_out != 0) break;
      z.next_out = reinterpret_cast<Bytef*>(step.data());
      z.avail_out = static_cast<uInt>(step.size());
    }
  } while (!in.empty());
}

struct inflater::state {
  z_stream z{};
};

inflater::inflater(zlib_format format) : state_(std::make_unique<state>()) {
  if (::inflateInit2(&state_->z, window_bits(format)) != Z_OK) throw std::bad_alloc();
}

inflater::~inflater() { ::inflateEnd(&state_->z); }

inflater::outcome inflater::run(std::string_view& in, std::string& out, std::size_t room) {
  auto& z = state_->z;
  buffer step;
  for (;;) {
    if (room == 0) return outcome::full;
    const auto slice = slice_of(in);
    const auto most = std::min(room, step.size());
    set(z, slice, step, most);
    const int code = ::inflate(&z, Z_NO_FLUSH);
    in.remove_prefix(slice.size() - z.avail_in);
    const auto made = most - z.avail_out;
    out.append(step.data(), made);
    room -= made;
    if (code == Z_STREAM_END) return outcome::end;
    if (code == Z_MEM_ERROR) throw std::bad_alloc();
    if (code != Z_OK && code != Z_BUF_ERROR) return outcome::damaged; // Z_BUF_ERROR: there was nothing to do
    if (in.empty() && z.avail_out != 0) return outcome::more;
  }
}

void inflater::restart() noexcept { ::inflateReset(&state_->z); }

#else

namespace {

[[noreturn]] void refuse() { throw std::logic_error("this build has no zlib: configure it with GREENROOM_ZLIB=ON"); }

} // namespace

bool has_zlib() noexcept { return false; }

struct deflater::state {};
deflater::deflater(zlib_format, int) { refuse(); }
deflater::~deflater() = default;
void deflater::run(std::string_view, then, std::string&) {}

struct inflater::state {};
inflater::inflater(zlib_format) { refuse(); }
inflater::~inflater() = default;
inflater::outcome inflater::run(std::string_view&, std::string&, std::size_t) { return outcome::damaged; }
void inflater::restart() noexcept {}

#endif

} // namespace greenroom::http::internal
