// What the conformance tests share: tables of what a client sends and what must come of it, and a client of plain, blocking sockets that
// tries each row on a server behind a real loopback connection, once as it is written and once byte by byte.
//
// A row says which answers come, what happens to the connection, and which requests reach a handler, so that a smuggled one shows.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <greenroom/http/server.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::http::conformance {

/// What the rule is: the standard's word, or ours where the standard leaves the choice.
enum class level : std::uint8_t { must, should, hardening };
using enum level;

/// What comes of the connection behind the last answer.
enum class then : std::uint8_t {
  goes_on, // a further request is answered
  closes,  // the server ends it, and has said so in its last answer
  waits    // for more of the request: when the client ends, nothing more is answered
};

struct answer {
  answer(int code) : status(code) {} // NOLINT: a number is enough in a row
  int status;
  bool to_head = false;
};
inline answer to_head(int status) {
  answer a(status);
  a.to_head = true;
  return a;
}

/// Stands among what is sent, for: not before one more answer has come.
inline const std::string hear = "<hear>";
/// Is behind all that is refused, and must never reach a handler.
inline const std::string smuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

struct row {
  std::string id; // the section, and the row's number in it
  level of;
  std::string rule;
  std::vector<std::string> sent; // each with a write of its own
  std::vector<answer> expected;
  then after = then::goes_on;
  std::vector<std::string> reached; // "POST /echo abc"
  std::vector<std::string> present;
  std::vector<std::string> absent;
  bool in_bytes = true;

  row& answers(std::vector<answer> a) { return expected = std::move(a), *this; }
  row& closes() { return after = then::closes, *this; }
  row& waits() { return after = then::waits, *this; }
  row& has(std::string part) { return present.push_back(std::move(part)), *this; }
  row& lacks(std::string part) { return absent.push_back(std::move(part)), *this; }
  /// Not byte by byte: the row is about what comes together.
  row& as_written() { return in_bytes = false, *this; }
};

/// The requests that reached a handler, in order.
/// Thread safety: any thread.
class recorder {
public:
  void note(const request& r) {
    std::string line(to_string(r.method()));
    line.append(" ").append(r.target());
    if (!r.body().empty()) line.append(" ").append(r.body());
    std::lock_guard guard(lock_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> take() {
    std::lock_guard guard(lock_);
    return std::exchange(lines_, {});
  }

private:
  std::mutex lock_;
  std::vector<std::string> lines_;
};

inline response say_root(request r, recorder* seen) { return seen->note(r), text("root"); }
inline response say_body(request r, recorder* seen) { return seen->note(r), text(r.take_body()); }
inline response say_host(request r, recorder* seen) { return seen->note(r), text("<" + std::string(r.host()) + ">"); }
inline response say_query(request r, recorder* seen) { return seen->note(r), text("<" + std::string(r.query()) + ">"); }
inline response say_id(request r, recorder* seen) {
  return seen->note(r), text("<" + std::string(r.parameter("id")) + ">");
}
inline response say_rest(request r, recorder* seen) {
  return seen->note(r), text("<" + std::string(r.parameter("rest")) + ">");
}
inline response say_fields(request r, recorder* seen) {
  seen->note(r);
  std::string all;
  for (const auto& f : r.headers()) all.append(f.name).append("=").append(f.value).append(";");
  return text(all);
}
inline response say_status(request r, recorder* seen) {
  seen->note(r);
  return {std::atoi(std::string(r.parameter("code")).c_str()), "text/plain", "content"};
}
inline response say_probe() { return text("probe"); }

/// One answer as it came.
struct heard {
  int status = 0;
  std::string head; // with the empty line
  std::string body;

  std::size_t count(std::string_view name) const {
    std::size_t n = 0;
    const auto start = "\r\n" + std::string(name) + ": ";
    for (auto at = head.find(start); at != head.npos; at = head.find(start, at + 1)) ++n;
    return n;
  }
  bool says_close() const { return head.find("\r\nConnection: close\r\n") != head.npos; }
  bool never_has_body() const { return status < 200 || status == 204 || status == 304; }
};

/// Takes the next complete answer off the bytes; false if there is none.
inline bool take_answer(std::string_view& bytes, bool to_head, heard& into) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == bytes.npos) return false;
  into = {};
  into.head = bytes.substr(0, end + 4);
  into.status = into.head.starts_with("HTTP/1.1 ") ? std::atoi(into.head.c_str() + 9) : 0;
  std::size_t length = 0;
  if (const auto at = into.head.find("\r\nContent-Length: ");
      at != into.head.npos && !to_head && !into.never_has_body())
    length = std::strtoul(into.head.c_str() + at + 18, nullptr, 10);
  if (bytes.size() - end - 4 < length) return false;
  into.body = bytes.substr(end + 4, length);
  bytes.remove_prefix(end + 4 + length);
  return true;
}

/// A client's end of one connection, in blocking system calls that give up after a while.
class wire {
public:
  wire(std::uint16_t port, int seconds) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{seconds, 0};
    const int at_once = 1;
    EXPECT_EQ(::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    EXPECT_EQ(::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), 0);
    EXPECT_EQ(::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once), 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  }
  wire(const wire&) = delete;
  wire& operator=(const wire&) = delete;
  ~wire() { ::close(fd_); }

  /// Sends in writes of `part` bytes. What the server does not take any more is no fault: what it says tells.
  void send(std::string_view bytes, std::size_t part) {
    while (!bytes.empty()) {
      const auto n = ::send(fd_, bytes.data(), std::min(part, bytes.size()), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  void end_sending() { ::shutdown(fd_, SHUT_WR); }
  /// Reads what has come, or waits for it; false at the end.
  bool read() {
    std::array<char, 8192> part;
    const auto n = ::recv(fd_, part.data(), part.size(), 0);
    if (n > 0) got_.append(part.data(), static_cast<std::size_t>(n));
    ended_ = n == 0;
    return n > 0;
  }
  /// Whether the server has ended the connection in good order, not with a reset and not by our giving up.
  bool ended() const { return ended_; }
  const std::string& got() const { return got_; }

private:
  int fd_;
  std::string got_;
  bool ended_ = false;
};

/// The rows of one area.
class table {
public:
  explicit table(limits most = {}) : front_(sys_, {.port = 0, .limits = most}) {
    front_.get("/", say_root, &seen_).get("/a", say_root, &seen_).delete_("/a", say_root, &seen_);
    front_.get("/echo", say_body, &seen_).post("/echo", say_body, &seen_).put("/echo", say_body, &seen_);
    front_.get("/host", say_host, &seen_).get("/query", say_query, &seen_).get("/fields", say_fields, &seen_);
    front_.get("/p/{id}", say_id, &seen_).get("/files/{rest...}", say_rest, &seen_);
    front_.get("/status/{code}", say_status, &seen_).get("/smuggled", say_root, &seen_).get("/probe", say_probe);
  }

  /// Bytes that are answered as the row goes on to say.
  row& asked(std::string id, level of, std::string rule, std::vector<std::string> sent) {
    return rows_.emplace_back(row{std::move(id), of, std::move(rule), std::move(sent), {}, then::goes_on, {}, {}, {}});
  }
  /// Bytes that hold good requests, each of which is answered with 200.
  row& served(std::string id, level of, std::string rule, std::vector<std::string> sent,
              std::vector<std::string> reached) {
    auto& r = asked(std::move(id), of, std::move(rule), std::move(sent));
    r.expected.assign(reached.size(), 200);
    r.reached = std::move(reached);
    return r;
  }
  /// Bytes that are refused; the connection is closed and nothing behind them is served.
  row& refused(std::string id, level of, std::string rule, std::string bytes, int status = 400) {
    auto& r = asked(std::move(id), of, std::move(rule), {std::move(bytes) + smuggled});
    return r.answers({status}).closes();
  }
  /// One row for each of the variants.
  void each_refused(const std::string& id, level of, const std::string& rule, const std::vector<std::string>& variants,
                    int status = 400) {
    for (std::size_t i = 0; i < variants.size(); ++i)
      refused(id + "." + std::to_string(i + 1), of, rule, variants[i], status);
  }

  void check() {
    ASSERT_TRUE(front_.start());
    std::array<int, 3> counts{};
    for (const auto& r : rows_) {
      ++counts[static_cast<std::size_t>(r.of)];
      SCOPED_TRACE(r.id + ": " + r.rule);
      try_row(r, false);
      if (r.in_bytes) try_row(r, true);
      if (testing::Test::HasFatalFailure()) break;
    }
    testing::Test::RecordProperty("must", counts[0]);
    testing::Test::RecordProperty("should", counts[1]);
    testing::Test::RecordProperty("hardening", counts[2]);
  }

private:
  void try_row(const row& r, bool in_bytes) {
    wire c(front_.port(), patience_);
    std::size_t awaited = 0;
    for (const auto& each : r.sent) {
      if (each == hear) {
        await(c, r, ++awaited);
      } else { // a long text in a thousand parts: each byte would take its time
        c.send(each, in_bytes ? std::max<std::size_t>(1, each.size() / 1'000) : each.size());
      }
    }
    if (r.after == then::goes_on) {
      c.send("GET /probe HTTP/1.1\r\nHost: h\r\n\r\n", 1'000);
      await(c, r, r.expected.size() + 1);
    }
    if (r.after != then::closes) c.end_sending();
    while (c.read()) {}
    SCOPED_TRACE((in_bytes ? "byte by byte: " : "as written: ") + testing::PrintToString(r.sent) + "\ngot " +
                 testing::PrintToString(c.got()));
    EXPECT_TRUE(c.ended()) << "the connection must be closed";
    if (!c.ended()) patience_ = 1; // there may be many such rows
    const auto all = split(c.got(), r);
    std::size_t size = 0;
    for (const auto& each : all) size += each.head.size() + each.body.size();
    EXPECT_EQ(size, c.got().size()) << "no answer must be cut off, and nothing stand behind the last one";
    judge(r, all);
    EXPECT_EQ(seen_.take(), r.reached) << "the requests that reached a handler";
    for (const auto& part : r.present) EXPECT_NE(c.got().find(part), std::string::npos) << "must be there: " << part;
    for (const auto& part : r.absent) EXPECT_EQ(c.got().find(part), std::string::npos) << "must not be: " << part;
  }

  static void await(wire& c, const row& r, std::size_t count) {
    while (split(c.got(), r).size() < count && c.read()) {}
  }

  /// The complete answers.
  static std::vector<heard> split(std::string_view bytes, const row& r) {
    std::vector<heard> all;
    for (heard next; !bytes.empty();) {
      const bool head = all.size() < r.expected.size() && r.expected[all.size()].to_head;
      if (!take_answer(bytes, head, next)) break;
      all.push_back(next);
    }
    return all;
  }

  static void judge(const row& r, std::vector<heard> all) {
    if (r.after == then::goes_on) {
      EXPECT_TRUE(!all.empty() && all.back().body == "probe") << "a further request must be answered";
      if (!all.empty()) all.pop_back();
    }
    std::vector<int> got;
    std::vector<int> expected;
    for (const auto& each : all) got.push_back(each.status);
    for (const auto& each : r.expected) expected.push_back(each.status);
    EXPECT_EQ(got, expected) << "the statuses";
    for (const auto& each : all) {
      const bool last = &each == &all.back();
      EXPECT_EQ(each.count("Date"), each.status < 200 ? 0u : 1u) << each.head;
      EXPECT_EQ(each.count("Content-Length"), each.never_has_body() ? 0u : 1u) << each.head;
      EXPECT_EQ(each.count("Transfer-Encoding"), 0u) << each.head;
      EXPECT_EQ(each.says_close(), last && r.after == then::closes) << each.head;
    }
  }

  std::vector<row> rows_;
  int patience_ = 20;
  recorder seen_;
  actor_system sys_{greenroom::test::quiet(1)};
  server front_;
};

// -- bytes ------------------------------------------------------------------------------------------------

/// A request of this line.
inline std::string line(std::string_view request_line) { return std::string(request_line) + "\r\nHost: h\r\n\r\n"; }
/// A GET of the target, with further field lines.
inline std::string get(std::string_view target, std::string_view fields = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}
/// A POST of these field lines and these bytes behind them.
inline std::string post(std::string_view fields, std::string_view body) {
  return "POST /echo HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n" + std::string(body);
}
inline std::string chunked(std::string_view body) { return post("Transfer-Encoding: chunked\r\n", body); }

} // namespace greenroom::http::conformance
