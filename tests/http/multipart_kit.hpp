// What the tests of multipart bodies share: what comes of some bytes, told in words, however they are split.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/http/multipart.hpp>

namespace greenroom::http::test {

inline std::string told(const error& why) { return to_string(why.code()) + (": " + std::string(why.message())); }

/// Feeds a parser and writes down what it says: "name=a file=b type=c 'data'; " for each part, then "end" or why it was refused. Refused,
/// only the reason counts: how much was told before depends on how the bytes are split.
class multipart_teller {
public:
  using event = multipart_parser::event;

  explicit multipart_teller(std::string_view boundary, const multipart_limits& most = {}) : parser_(boundary, most) {}

  void feed(std::string_view bytes) {
    for (;;) {
      const auto before = bytes.size();
      const auto happened = parser_.next(bytes);
      ASSERT_LE(bytes.size(), before);
      if (!happened) {
        told_ = test::told(happened.error());
        return;
      }
      if (*happened == event::need_more) break;
      tell(*happened);
    }
    EXPECT_TRUE(bytes.empty()) << "it must take all that it can";
  }

  std::string finish() {
    if (const auto finished = parser_.finish(); !finished) return test::told(finished.error());
    EXPECT_TRUE(ended_);
    return told_ + "end";
  }

private:
  void tell(event happened) {
    EXPECT_FALSE(ended_);
    switch (happened) {
    case event::part_begin:
      EXPECT_FALSE(in_part_);
      in_part_ = true;
      told_.append("name=").append(parser_.name());
      if (parser_.file_name()) told_.append(" file=").append(*parser_.file_name());
      if (!parser_.content_type().empty()) told_.append(" type=").append(parser_.content_type());
      told_ += " '";
      break;
    case event::data:
      EXPECT_TRUE(in_part_);
      EXPECT_FALSE(parser_.data().empty());
      told_ += parser_.data();
      break;
    case event::part_end:
      EXPECT_TRUE(in_part_);
      in_part_ = false;
      told_ += "'; ";
      break;
    default: EXPECT_FALSE(in_part_); ended_ = true;
    }
  }

  multipart_parser parser_;
  std::string told_;
  bool in_part_ = false;
  bool ended_ = false;
};

/// Each piece goes in as a copy on the heap that is gone afterwards, so that a sanitizer sees a view that is kept too long.
inline std::string parse_pieces(const std::vector<std::string_view>& pieces, std::string_view boundary,
                                const multipart_limits& most = {}) {
  multipart_teller teller(boundary, most);
  for (const auto piece : pieces) {
    const std::vector<char> copy(piece.begin(), piece.end());
    teller.feed({copy.data(), copy.size()});
  }
  return teller.finish();
}

/// As a whole, byte by byte, and in two at each place.
inline std::string parse_however_split(std::string_view bytes, std::string_view boundary,
                                       const multipart_limits& most = {}) {
  const auto whole = parse_pieces({bytes}, boundary, most);
  std::vector<std::string_view> single;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    single.push_back(bytes.substr(i, 1));
    EXPECT_EQ(parse_pieces({bytes.substr(0, i), bytes.substr(i)}, boundary, most), whole)
        << "split at " << i << " of " << bytes;
  }
  EXPECT_EQ(parse_pieces(single, boundary, most), whole) << "byte by byte of " << bytes;
  return whole;
}

/// A part of a body with the boundary "b", up to its data: part("a") + "data" + "\r\n--b--".
inline std::string part(std::string_view name, std::string_view rest_of_head = "") {
  std::string made = "--b\r\nContent-Disposition: form-data; name=\"";
  return made.append(name).append("\"").append(rest_of_head).append("\r\n\r\n");
}

} // namespace greenroom::http::test
