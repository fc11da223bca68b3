// What the tests of the parser share: what comes of some bytes, told in words, and that it does not depend on how they are split.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/http/internal/request_parser.hpp>

namespace greenroom::http::internal::test {

/// Tells what a parser makes of the bytes that it is fed.
class teller {
public:
  explicit teller(const limits& most) : parser_(most) {}

  void feed(std::string_view bytes) {
    if (parser_.at() == request_parser::state::failed) {
      EXPECT_EQ(parser_.parse(bytes), 0u);
      return;
    }
    do {
      const auto before = parser_.at();
      const auto took = parser_.parse(bytes);
      ASSERT_LE(took, bytes.size());
      bytes.remove_prefix(took);
      ASSERT_TRUE(took != 0 || bytes.empty() || parser_.at() != before) << "no progress in " << told_;
      if (parser_.at() == request_parser::state::head_done) tell_head();
      if (parser_.at() == request_parser::state::complete) tell_request();
      if (parser_.at() == request_parser::state::failed) return;
    } while (!bytes.empty() || parser_.at() == request_parser::state::head_done);
  }
  /// One line for each request, then how it ended.
  std::string told() const {
    switch (parser_.at()) {
    case request_parser::state::idle: return told_ + "idle";
    case request_parser::state::failed:
      return told_ + "refused " + std::to_string(parser_.why().status) + ": " + parser_.why().reason;
    default: return told_ + "unfinished";
    }
  }

private:
  void tell_head() {
    told_ += parser_.keep_alive() ? "keep " : "close ";
    if (parser_.has_body()) told_ += "body ";
    if (parser_.expects_continue()) told_ += "expects ";
  }
  void tell_request() {
    auto r = parser_.take();
    told_.append(to_string(r.method())).append(" ").append(r.target());
    told_.append(" = ").append(r.host()).append(" ").append(r.path()).append(" ? ").append(r.query());
    told_ += " 1." + std::to_string(r.minor_version()) + " {";
    for (const auto& f : r.headers()) told_.append(f.name).append("=").append(f.value).append(";");
    told_.append("} '").append(r.body()).append("'\n");
  }

  request_parser parser_;
  std::string told_;
};

inline std::string tell(const std::vector<std::string_view>& pieces, const limits& most = {}) {
  teller t(most);
  for (const auto each : pieces) t.feed(each);
  return t.told();
}

inline std::vector<std::string_view> single_bytes(std::string_view bytes) {
  std::vector<std::string_view> pieces;
  for (std::size_t i = 0; i < bytes.size(); ++i) pieces.push_back(bytes.substr(i, 1));
  return pieces;
}

/// What is told of the bytes; fails the test if it depends on how they are split.
inline std::string tell_however_split(std::string_view bytes, const limits& most = {}) {
  const auto whole = tell({bytes}, most);
  EXPECT_EQ(tell(single_bytes(bytes), most), whole) << "byte by byte: " << bytes;
  for (std::size_t i = 0; i <= bytes.size(); ++i) {
    const auto split = tell({bytes.substr(0, i), bytes.substr(i)}, most);
    if (split != whole) {
      ADD_FAILURE() << "split at " << i << ": " << split << "\nwhole: " << whole << "\nof " << bytes;
      break;
    }
  }
  return whole;
}

/// Bytes that are refused, with the status and a part of the sentence.
struct refused {
  std::string bytes;
  int status;
  std::string_view part;
};

inline void check_refused(const std::vector<refused>& table, const limits& most = {}) {
  for (const auto& each : table) {
    const auto told = tell_however_split(each.bytes, most);
    EXPECT_NE(told.find("refused " + std::to_string(each.status) + ": "), std::string::npos) << told << "\n"
                                                                                             << each.bytes;
    EXPECT_NE(told.find(each.part), std::string::npos) << told << "\n" << each.bytes;
  }
}

/// A request of these field lines, each with its end.
inline std::string with_fields(std::string_view lines) { return "GET / HTTP/1.1\r\n" + std::string(lines) + "\r\n"; }
/// A POST of these field lines and this body.
inline std::string with_body(std::string_view lines, std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(lines) + "\r\n" + std::string(body);
}
inline std::string with_target(std::string_view target, std::string_view method = "GET") {
  return std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

/// The one request that the bytes hold.
inline request read_one(std::string_view bytes, const limits& most = {}) {
  request_parser parser(most);
  for (int steps = 0; steps < 3; ++steps) bytes.remove_prefix(parser.parse(bytes));
  EXPECT_EQ(parser.at(), request_parser::state::complete);
  EXPECT_TRUE(bytes.empty());
  return parser.take();
}

} // namespace greenroom::http::internal::test
