#include <greenroom/http/internal/sha1.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>

namespace greenroom::http::internal {
namespace {

using state = std::array<std::uint32_t, 5>;
constexpr std::size_t block_size = 64;

constexpr std::uint32_t byte_of(std::string_view bytes, std::size_t i) noexcept {
  return static_cast<unsigned char>(bytes[i]);
}

void take_block(state& h, std::string_view block) noexcept {
  std::array<std::uint32_t, 80> w;
  for (std::size_t i = 0; i < 16; ++i) {
    w[i] = byte_of(block, 4 * i) << 24 | byte_of(block, 4 * i + 1) << 16 | byte_of(block, 4 * i + 2) << 8 |
           byte_of(block, 4 * i + 3);
  }
  for (std::size_t i = 16; i < 80; ++i) w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  auto [a, b, c, d, e] = h;
  for (std::size_t i = 0; i < 80; ++i) {
    const std::uint32_t mixed = i < 20   ? ((b & c) | (~b & d)) + 0x5a827999U
                                : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1U
                                : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcU
                                         : (b ^ c ^ d) + 0xca62c1d6U;
    const std::uint32_t next = std::rotl(a, 5) + mixed + e + w[i];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  h = {h[0] + a, h[1] + b, h[2] + c, h[3] + d, h[4] + e};
}

} // namespace

std::array<unsigned char, 20> sha1(std::string_view bytes) {
  state h{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  const std::uint64_t bits = std::uint64_t{bytes.size()} * 8;
  for (; bytes.size() >= block_size; bytes.remove_prefix(block_size)) take_block(h, bytes.substr(0, block_size));
  std::string end(bytes);
  end += '\x80';
  end.append((2 * block_size - 8 - end.size()) % block_size, '\0');
  for (int i = 7; i >= 0; --i) end += static_cast<char>(bits >> (8 * i) & 0xff);
  for (std::size_t at = 0; at < end.size(); at += block_size) {
    take_block(h, std::string_view(end).substr(at, block_size));
  }
  std::array<unsigned char, 20> digest;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<unsigned char>(h[i / 4] >> (24 - 8 * (i % 4)) & 0xff);
  }
  return digest;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto left = bytes.size() - i;
    const std::uint32_t group =
        byte_of(bytes, i) << 16 | (left > 1 ? byte_of(bytes, i + 1) << 8 : 0) | (left > 2 ? byte_of(bytes, i + 2) : 0);
    text += digits[group >> 18];
    text += digits[group >> 12 & 63];
    text += left > 1 ? digits[group >> 6 & 63] : '=';
    text += left > 2 ? digits[group & 63] : '=';
  }
  return text;
}

} // namespace greenroom::http::internal
