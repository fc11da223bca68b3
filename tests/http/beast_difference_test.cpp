// The request parser beside that of Boost.Beast: where both accept a request they must have read the same, and where only one does, the reason
// is one of those listed in the kit. Beast reads for clients and servers alike, and leaves to the program above it what a request means, and
// some of the framing's rigour too.
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <gtest/gtest.h>

#include <greenroom/http/internal/request_parser.hpp>
#include <greenroom/tests/http/beast_difference_kit.hpp>

namespace greenroom::http::internal::beast_difference_test {
namespace {

namespace beast = boost::beast;
using namespace beside_beast;

/// What a parser makes of the first request in some bytes.
struct outcome {
  enum class kind { accepted, unfinished, refused } is = kind::unfinished;
  std::string why; // of a refusal
  std::size_t consumed = 0;
  std::string read; // method, target, version, fields, body
  bool keep_alive = false;

  bool accepted() const { return is == kind::accepted; }
};

void describe(std::string& into, std::string_view method, std::string_view target, int minor) {
  into.append(method).append(" ").append(target).append(" HTTP/1.").append(std::to_string(minor)).append("\n");
}
void describe(std::string& into, std::string_view name, std::string_view value) {
  into.append(name).append(": ").append(value).append("\n");
}

outcome ours(std::string_view bytes) {
  limits most;
  most.request_line = most.head = 65'535; // limits are tested elsewhere
  most.chunk_line = 65'535;
  most.fields = 1'000;
  request_parser p(most);
  outcome o;
  for (int step = 0; step < 3; ++step) {
    o.consumed += p.parse(bytes.substr(o.consumed));
    if (p.at() == request_parser::state::head_done) o.keep_alive = p.keep_alive();
  }
  if (p.at() == request_parser::state::failed) {
    o.is = outcome::kind::refused;
    o.why = std::to_string(p.why().status) + " " + p.why().reason;
  }
  if (p.at() != request_parser::state::complete) return o;
  o.is = outcome::kind::accepted;
  const auto r = p.take();
  describe(o.read, to_string(r.method()), r.target(), r.minor_version());
  for (const auto& f : r.headers()) describe(o.read, f.name, f.value);
  o.read += r.body();
  return o;
}

class beast_parser final : public beast::http::basic_parser<true> {
public:
  std::string read;

private:
  using text = beast::string_view;
  using code = beast::error_code;

  static std::string_view plain(text t) { return {t.data(), t.size()}; }

  void on_request_impl(beast::http::verb, text method, text target, int version, code& ec) override {
    describe(read, plain(method), plain(target), version % 10);
    ec = {};
  }
  void on_response_impl(int, text, int, code&) override {}
  void on_field_impl(beast::http::field, text name, text value, code& ec) override {
    if (!is_header_done()) describe(read, plain(name), plain(value)); // else it is a trailer
    ec = {};
  }
  void on_header_impl(code& ec) override { ec = {}; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, code& ec) override { ec = {}; }
  std::size_t on_body_impl(text part, code& ec) override { return read += plain(part), ec = {}, part.size(); }
  void on_chunk_header_impl(std::uint64_t, text, code& ec) override { ec = {}; }
  std::size_t on_chunk_body_impl(std::uint64_t, text part, code& ec) override { return on_body_impl(part, ec); }
  void on_finish_impl(code& ec) override { ec = {}; }
};

outcome beasts(std::string_view bytes) {
  beast_parser p;
  p.eager(true);
  p.header_limit(65'535);
  p.body_limit(1'048'576);
  beast::error_code ec;
  outcome o;
  o.consumed = p.put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
  if (ec && ec != beast::http::error::need_more) {
    o.is = outcome::kind::refused;
    o.why = ec.message();
  }
  if (ec || !p.is_done()) return o;
  o.is = outcome::kind::accepted;
  o.keep_alive = p.keep_alive();
  o.read = std::move(p.read);
  return o;
}

// -- tests --------------------------------------------------------------------------------------------------

TEST(BeastDifference, EachListedDifferenceIsOne) {
  for (const auto& each : we_are_stricter()) {
    SCOPED_TRACE(each.section);
    EXPECT_TRUE(beasts(each.example).accepted()) << beasts(each.example).why;
    EXPECT_EQ(ours(each.example).is, outcome::kind::refused);
    EXPECT_NE(ours(each.example).why.find(each.refusal), std::string::npos) << ours(each.example).why;
    EXPECT_TRUE(each.holds(parts(each.example)));
  }
  for (const auto& each : beast_is_stricter()) {
    SCOPED_TRACE(each.section);
    EXPECT_TRUE(ours(each.example).accepted()) << ours(each.example).why;
    EXPECT_EQ(beasts(each.example).is, outcome::kind::refused);
    EXPECT_NE(beasts(each.example).why.find(each.refusal), std::string::npos) << beasts(each.example).why;
    EXPECT_TRUE(each.holds(parts(each.example)));
  }
}

/// Says whether the two may see the persistence of the connection differently. Beast takes Proxy-Connection, which is no standard, for
/// Connection; heeds a trailer, against RFC 9110 6.5.1; and lets keep-alive go before close in HTTP/1.0, against RFC 9112 9.3.
bool may_differ_in_keep_alive(const std::string& bytes) {
  const parts p(bytes);
  return p.count("proxy-connection") > 0 || parts::lower(p.body).find("connection:") != std::string::npos ||
         (p.version == "HTTP/1.0" && p.joined("connection").find("close") != std::string::npos);
}

TEST(BeastDifference, GeneratedRequestsAreReadAsBeastReadsThem) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  generator any(seed);
  const auto stricter = we_are_stricter();
  const auto laxer = beast_is_stricter();
  int both = 0;
  int one = 0;
  for (int round = 0; round < 5'000; ++round) {
    for (auto bytes = any.stream(); !bytes.empty();) {
      const auto a = ours(bytes);
      const auto b = beasts(bytes);
      SCOPED_TRACE(visible(bytes) + "\nwe say: " + a.why + "\nBeast says: " + b.why);
      if (a.accepted() != b.accepted()) {
        ++one;
        ASSERT_TRUE(a.accepted() ? explained(laxer, b.why, bytes) : explained(stricter, a.why, bytes));
        break;
      }
      if (!a.accepted()) break;
      ++both;
      ASSERT_EQ(visible(a.read), visible(b.read));
      ASSERT_EQ(a.consumed, b.consumed);
      if (!may_differ_in_keep_alive(bytes)) {
        ASSERT_EQ(a.keep_alive, b.keep_alive);
      }
      bytes.erase(0, a.consumed);
    }
  }
  EXPECT_GT(both, 2'500) << "most must be worth reading";
  EXPECT_GT(one, 250) << "and some not";
}

} // namespace
} // namespace greenroom::http::internal::beast_difference_test
