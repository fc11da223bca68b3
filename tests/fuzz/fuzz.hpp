// What the fuzz targets share: how they take their input apart, and how they say that a property does not hold.
// A target is one file, tests/fuzz/<name>_fuzz.cpp, with libFuzzer's entry; both builds find it by its name: the fuzzers (tools/fuzz), and the
// tests, which only replay tests/fuzz/corpus/<name>. Text stands at the front of an input and choices at its end, as digits where possible,
// so that a person can read and write the files of a corpus.
// Thread safety: owner only. Lifetime: views point into the input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace greenroom::fuzz {

/// A property does not hold. libFuzzer sees an exception that nobody catches, a test one that it can report.
class broken : public std::logic_error {
public:
  using std::logic_error::logic_error;
};

inline void require(bool holds, const char* property) {
  if (!holds) throw broken(property);
}
/// Requires that two texts are equal, and shows them if they are not.
inline void require_same(std::string_view a, std::string_view b, const char* property) {
  if (a != b) throw broken(std::string(property) + "\n--- one:\n" + std::string(a) + "\n--- other:\n" + std::string(b));
}

/// The bytes of one run.
class input {
public:
  input(const std::uint8_t* data, std::size_t size) : left_(reinterpret_cast<const char*>(data), size) {}

  /// Takes a number from 0 to 255 off the end: a digit stands for itself, the other bytes count from '0' too. 0 if none is left.
  unsigned choice() {
    if (left_.empty()) return 0;
    const auto last = static_cast<unsigned char>(left_.back());
    left_.remove_suffix(1);
    return (last - unsigned{'0'}) % 256;
  }
  /// What no choice has taken.
  std::string_view text() const { return left_; }

private:
  std::string_view left_;
};

/// How a text comes in pieces: their lengths, which begin anew when the text is longer.
class cuts {
public:
  explicit cuts(input& from) : lengths_(from.choice() % 8, 1) {
    for (auto& each : lengths_) {
      const auto n = from.choice();
      each = n < 128 ? n + 1 : (n - 127) * 16; // a piece may also be longer than what a parser takes at a time
    }
    if (lengths_.empty()) lengths_.push_back(1);
  }
  std::vector<std::string_view> of(std::string_view text) const {
    std::vector<std::string_view> pieces;
    pieces.reserve(text.size());
    for (std::size_t i = 0; !text.empty(); ++i) {
      pieces.push_back(text.substr(0, lengths_[i % lengths_.size()]));
      text.remove_prefix(pieces.back().size());
    }
    return pieces;
  }

private:
  std::vector<std::size_t> lengths_;
};

/// Takes a text apart at each `by`; as many parts as there are of those, and one more.
inline std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == by) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

inline std::string lower(std::string_view text) {
  std::string all(text);
  for (auto& c : all) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return all;
}
inline bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
inline bool is_token(std::string_view text) {
  constexpr std::string_view allowed = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  return !text.empty() && text.find_first_not_of(allowed) == text.npos;
}
/// Requires what holds for each header field, whoever has read or written it.
inline void require_sound_field(std::string_view name, std::string_view value) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  require(is_token(name), "the name of a field is a token");
  for (const char c : value) require(!is_control(c) || c == '\t', "a value holds no control character");
  require(value.empty() || (!is_space(value.front()) && !is_space(value.back())), "a value is trimmed");
}

} // namespace greenroom::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
