// Who is not welcome at a node: strangers without the right certificate, and peers that do what no node does. Each is refused with a sentence that names the
// reason, nothing is left of it, and the node goes on.
#if defined(GREENROOM_HAS_NODES) && defined(GREENROOM_HAS_TLS)
#include <greenroom/actors/node.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include <greenroom/tests/caf/node_kit.hpp>
#include <greenroom/tests/runtime/tls_kit.hpp>

using namespace std::chrono_literals;

namespace greenroom::node_test::node_security_test {
namespace {

using test::authority;
using test::identity;
using test::raw_socket;
using test::root;
using test::scratch;

/// The certificates of one node, in files.
struct papers {
  papers(const authority& trusted, const identity& own) {
    files = {folder.write("ca.pem", trusted.pem()), folder.write("certificate.pem", own.certificate),
             folder.write("key.pem", own.key)};
  }
  scratch folder;
  node_tls files;
};

/// A node that anybody can try, and a decent one beside it that must be answered before and after.
struct tried_node {
  explicit tried_node(node_setup how) {
    how.name = "far";
    how.listen = true;
    decent_options.tls = how.tls;
    decent_options.heartbeat = how.heartbeat;
    decent_options.detection = how.detection;
    far.emplace(far_sys.sys, how);
    auto [in, out] = make_mailbox<request<deposit>>(bounded(8));
    far_sys.sys.spawn(hold, std::move(in));
    kept = out;
    EXPECT_TRUE(far->publish("deposits", out));
    EXPECT_TRUE(far->start());
    decent.emplace(near_sys.sys, decent_options);
    peer.emplace(decent->connect("127.0.0.1", far->port()));
    expect_served();
    descriptors = test::open_descriptors();
    threads = test::threads();
  }
  ~tried_node() {
    expect_served();
    while (test::open_descriptors() > descriptors) std::this_thread::yield();
    test::await_threads(threads);
  }
  void expect_served() {
    for (bool served = false; !served;) { // a busy machine may be silent for too long, and then they connect again
      const auto to = find<request<deposit>>(near_sys.sys, *peer, "deposits", {.limit = 60s});
      ASSERT_TRUE(to) << to.error().message();
      served = near_sys.sys.run(pay_in, *to, 1).has_value();
    }
  }

  kept_system far_sys, near_sys;
  node_setup decent_options{.name = "near"};
  std::optional<node> far, decent;
  std::optional<node_peer> peer;
  address<request<deposit>> kept;
  std::size_t descriptors = 0, threads = 0;
};

const papers& good() {
  static const papers made(root(), root().issue({.subject = "far"}));
  return made;
}
/// Somebody else's authority and what it issues.
const authority& other_root() {
  static const authority made("another root");
  return made;
}

/// Why another node does not get through to the tried one, as soon as it has tried.
std::string why_refused(tried_node& at, const node_tls& with) {
  kept_system stranger;
  node strange(stranger.sys, {.name = "stranger", .tls = with});
  const auto peer = strange.connect("127.0.0.1", at.far->port());
  return why_not_found<request<deposit>>(stranger.sys, peer, "deposits");
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

task<result<std::unique_ptr<stream>>> shake(tls_client by, std::uint16_t port) {
  auto raw = co_await this_actor::system().net().connect({"127.0.0.1", port});
  if (!raw) co_return raw.error();
  auto shaking = by.connect(*std::move(raw), "127.0.0.1");
  co_return co_await std::move(shaking);
}

// -- with certificates ------------------------------------------------------------------------------------

TEST(NodeSecurity, ANodeWithACertificateOfTheSameAuthorityIsAnswered) {
  tried_node n({.tls = good().files}); // it asks by itself
}

TEST(NodeSecurity, ACertificateOfAnotherAuthorityIsRefused) {
  tried_node n({.tls = good().files});
  const papers wrong(root(), other_root().issue({.subject = "stranger"}));
  const auto why = why_refused(n, wrong.files);
  EXPECT_TRUE(holds(why, "the peer refuses: unknown CA")) << why;
  const auto line = n.far_sys.log->await("is refused");
  EXPECT_TRUE(holds(line, "certificate")) << line;
}

TEST(NodeSecurity, AServerOfAnotherAuthorityIsNotTalkedTo) {
  tried_node n({.tls = good().files});
  const papers distrustful(other_root(), root().issue({.subject = "stranger"}));
  const auto why = why_refused(n, distrustful.files);
  EXPECT_TRUE(holds(why, "certificate")) << why;
}

TEST(NodeSecurity, AServerWithACertificateForAnotherHostIsNotTalkedTo) {
  const papers elsewhere(root(), root().issue({.subject = "far", .names = "DNS:elsewhere.test"}));
  kept_system far_sys, near_sys;
  node far(far_sys.sys, {.name = "far", .listen = true, .tls = elsewhere.files});
  ASSERT_TRUE(far.start());
  node near(near_sys.sys, {.name = "near", .tls = good().files});
  const auto why = why_not_found<request<deposit>>(near_sys.sys, near.connect("127.0.0.1", far.port()), "deposits");
  EXPECT_TRUE(holds(why, "127.0.0.1")) << why;
  EXPECT_TRUE(holds(why, "certificate") || holds(why, "mismatch")) << why;
}

TEST(NodeSecurity, AClientWithoutACertificateIsRefused) {
  tried_node n({.tls = good().files});
  const auto bare = tls_client::make({.ca_pem = root().pem(), .alpn = {"greenroom-node"}}).value();
  actor_system stranger(options{.workers = 1, .log_level = "off"});
  const auto made = stranger.run(shake, bare, n.far->port()).value();
  const auto line = n.far_sys.log->await("is refused");
  EXPECT_TRUE(holds(line, "certificate")) << line;
}

TEST(NodeSecurity, WhoSpeaksNoTlsIsRefused) {
  tried_node n({.tls = good().files});
  raw_socket stranger;
  stranger.connect(n.far->port());
  stranger.send("GET / HTTP/1.1\r\nHost: far\r\n\r\n");
  const auto line = n.far_sys.log->await("is refused");
  EXPECT_TRUE(holds(line, "TLS") || holds(line, "http request")) << line;
}

TEST(NodeSecurity, ANodeWithoutCertificatesDoesNotGetThrough) {
  tried_node n({.tls = good().files});
  kept_system stranger;
  node strange(stranger.sys, {.name = "stranger"});
  const auto peer = strange.connect("127.0.0.1", n.far->port()); // plainly, since that is loopback
  const auto line = n.far_sys.log->await("is refused");
  EXPECT_TRUE(holds(line, "TLS")) << line;
}

TEST(NodeSecurity, AHandshakeThatStopsIsEnded) {
  tried_node n({.heartbeat = 100ms, .detection = 300ms, .tls = good().files});
  raw_socket stranger;
  stranger.connect(n.far->port());
  stranger.send("\x16\x03\x01"); // a record begins, and does not go on
  const auto line = n.far_sys.log->await("is refused");
  EXPECT_TRUE(holds(line, "its TLS handshake took longer than 300ms")) << line;
}

TEST(NodeSecurity, ANodeThatOnlyConnectsShowsItsCertificateWithoutBeingStarted) {
  tried_node n({.tls = good().files});
  kept_system third;
  node other(third.sys, {.name = "third", .tls = good().files});
  const auto to =
      find<request<deposit>>(third.sys, other.connect("127.0.0.1", n.far->port()), "deposits", {.limit = 60s});
  EXPECT_TRUE(to) << to.error().message();
}

TEST(NodeSecurity, ARenewedCertificateHoldsForWhoConnectsNext) {
  papers own(root(), root().issue({.subject = "far"}));
  kept_system far_sys, near_sys;
  node far(far_sys.sys, {.name = "far", .listen = true, .tls = own.files});
  auto [in, out] = make_mailbox<request<deposit>>(bounded(8));
  far_sys.sys.spawn(hold, std::move(in));
  ASSERT_TRUE(far.publish("deposits", out));
  ASSERT_TRUE(far.start());
  node near(near_sys.sys, {.name = "near", .tls = good().files});
  const auto before = near.connect("127.0.0.1", far.port());
  const auto to = find<request<deposit>>(near_sys.sys, before, "deposits", {.limit = 60s});
  ASSERT_TRUE(to);
  const auto next = root().issue({.subject = "far", .names = "DNS:elsewhere.test"});
  own.folder.write("certificate.pem", next.certificate);
  own.folder.write("key.pem", next.key);
  const auto after = near.connect("127.0.0.1", far.port());
  const auto why = why_not_found<request<deposit>>(near_sys.sys, after, "deposits");
  EXPECT_TRUE(holds(why, "127.0.0.1")) << why; // whom the new one does not name
  EXPECT_EQ(near_sys.sys.run(pay_in, *to, 1).value(), 1);

  own.folder.write("key.pem", "no key");
  const auto spoilt = near.connect("127.0.0.1", far.port());
  const auto line = far_sys.log->await("it goes on with the certificates that it has");
  EXPECT_TRUE(holds(line, "key.pem")) << line;
}

TEST(NodeSecurity, WithoutCertificatesOnlyLoopbackIsListenedAtAndConnectedTo) {
  actor_system sys(options{.workers = 1, .log_level = "off"});
  EXPECT_THROW(node(sys, {.name = "far", .listen = true, .host = "0.0.0.0"}), usage_error);
  node near(sys, {.name = "near"});
  EXPECT_THROW((void)near.connect("192.0.2.1", 7001), usage_error);
  EXPECT_THROW((void)near.connect("127.0.0.1.example.com", 7001), usage_error);
}

// -- without ----------------------------------------------------------------------------------------------

/// CAF's header: operation, two bytes, flags, length of the payload, and three numbers.
std::string basp_header(std::uint8_t operation, std::uint32_t length) {
  std::string bytes(32, '\0');
  bytes[0] = static_cast<char>(operation);
  for (int i = 0; i < 4; ++i) bytes[static_cast<std::size_t>(4 + i)] = static_cast<char>(length >> (24 - 8 * i));
  return bytes;
}

TEST(NodeSecurity, GarbageEndsTheConnection) {
  tried_node n({.heartbeat = 100ms, .detection = 300ms});
  for (unsigned seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 draw(seed);
    std::string bytes(draw() % 300 + 1, '\0');
    for (auto& c : bytes) c = static_cast<char>(draw());
    raw_socket stranger;
    stranger.connect(n.far->port());
    stranger.send(bytes);
    const auto line = n.far_sys.log->await("somebody");
    EXPECT_TRUE(holds(line, "protocol of nodes") || holds(line, "it announces a message of") ||
                holds(line, "silent")) // too few bytes to be wrong
        << line;
  }
}

TEST(NodeSecurity, ABrowserIsToldNothingAndSentAway) {
  tried_node n({.heartbeat = 100ms, .detection = 300ms});
  raw_socket stranger;
  stranger.connect(n.far->port());
  stranger.send("GET / HTTP/1.1\r\nHost: far\r\nUser-Agent: a browser\r\n\r\n");
  const auto line = n.far_sys.log->await("somebody");
  EXPECT_TRUE(holds(line, "protocol of nodes") || holds(line, "it announces a message of")) << line;
}

TEST(NodeSecurity, AMessageThatIsAnnouncedTooLargeIsRefusedBeforeItIsTaken) {
  tried_node n({.most_bytes = 100'000});
  raw_socket stranger;
  stranger.connect(n.far->port());
  stranger.send(basp_header(1, 2'147'483'647));
  const auto line = n.far_sys.log->await("somebody");
  EXPECT_TRUE(holds(line, "it announces a message of 2147483647 bytes, and the limit is 100000")) << line;
}

TEST(NodeSecurity, WhoSaysNothingIsSentAway) {
  tried_node n({.heartbeat = 100ms, .detection = 300ms});
  raw_socket stranger;
  stranger.connect(n.far->port());
  const auto line = n.far_sys.log->await("somebody");
  EXPECT_TRUE(holds(line, "it has been silent for 300ms")) << line;
}

TEST(NodeSecurity, WhoResetsTheConnectionLeavesNothing) {
  tried_node n({});
  for (int i = 0; i < 5; ++i) {
    raw_socket stranger;
    stranger.connect(n.far->port());
    stranger.send("x");
    stranger.reset();
    n.far_sys.log->await("somebody");
  }
}

} // namespace
} // namespace greenroom::node_test::node_security_test
#endif
