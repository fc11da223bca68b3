#include <greenroom/runtime/tls.hpp>

#include <gtest/gtest.h>

#if GREENROOM_HAS_TLS

#include <thread>

#include <greenroom/runtime/within.hpp>
#include <greenroom/tests/runtime/tls_kit.hpp>

// Certificates, options and handshakes; what the streams do with bytes is in tls_stream_test.cpp.

namespace greenroom::tls_test {
namespace {

using namespace test;
using testing::Test;

std::string text_of(const std::optional<made_stream>& failed) {
  if (!failed || *failed) return "no failure";
  return std::string(failed->error().message());
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// -- a handshake that succeeds ----------------------------------------------------------------------------

TEST(TlsSession, SaysWhatBothSidesHaveAgreedUpon) {
  tls_world w;
  auto client = trusts(root());
  client.alpn = {"h2", "http/1.1"};
  const auto both = w.shake(serves(root().issue()), client);
  ASSERT_TRUE(both.near->has_value() && both.far->has_value());
  const auto near = tls_session_of(***both.near).value();
  const auto far = tls_session_of(***both.far).value();
  EXPECT_EQ(near.version, tls_version::tls_1_3);
  EXPECT_EQ(near.alpn, "http/1.1");
  EXPECT_EQ(far.alpn, "http/1.1");
  EXPECT_EQ(near.cipher, far.cipher);
  EXPECT_EQ(near.cipher.substr(0, 4), "TLS_");
  EXPECT_EQ(far.server_name, "localhost");
  EXPECT_FALSE(far.peer);
  EXPECT_FALSE(far.peer_verified);
  ASSERT_TRUE(near.peer);
  EXPECT_TRUE(near.peer_verified);
  EXPECT_EQ(near.peer->subject, "CN=localhost");
  EXPECT_EQ(near.peer->issuer, "CN=test root");
  EXPECT_EQ(near.peer->names, (std::vector<std::string>{"DNS:localhost", "IP:127.0.0.1"}));
  EXPECT_EQ(near.peer->sha256.size(), 64u);
  EXPECT_EQ(near.peer->warning, "");
  EXPECT_LT(near.peer->valid_from, near.peer->valid_until);
}

TEST(TlsSession, IsNoneForAStreamWithoutTls) {
  tls_world w;
  const auto raw = w.raw_pair();
  EXPECT_FALSE(tls_session_of(*raw.near));
}

TEST(TlsServer, SpeaksTls12WithWhoHasNothingNewer) {
  tls_world w;
  auto raw = w.raw_pair();
  openssl_peer client(std::move(raw.near), TLS_client_method());
  SSL_CTX_set_max_proto_version(client.ctx(), TLS1_2_VERSION);
  client.begin(false);
  std::optional<made_stream> far;
  const auto accepts =
      w.sys.spawn(accept_into, tls_server::make(serves(root().issue())).value(), std::move(raw.far), &far);
  bool done = false;
  for (int i = 0; i < 10 && !done; ++i) {
    done = client.step();
    client.deliver();
    w.settle();
  }
  EXPECT_TRUE(done);
  ASSERT_TRUE(far && *far);
  EXPECT_EQ(tls_session_of(***far)->version, tls_version::tls_1_2);
  EXPECT_EQ((**far)->try_write(bytes_of("old but fine")).value(), 12u);
  EXPECT_EQ(client.read(), "old but fine");
}

TEST(TlsClient, TakesAnAddressThatTheCertificateNames) {
  tls_world w;
  const auto both = w.shake(serves(root().issue()), trusts(root()), "127.0.0.1");
  ASSERT_TRUE(both.near->has_value()) << text_of(both.near);
  EXPECT_EQ(tls_session_of(***both.far)->server_name, "") << "an address is no name to ask for";
  const auto six = w.shake(serves(root().issue({.names = "IP:::1"})), trusts(root()), "[::1]");
  EXPECT_TRUE(six.near->has_value()) << text_of(six.near);
}

TEST(TlsClient, TakesANameWithADotBehindIt) {
  tls_world w;
  const auto both = w.shake(serves(root().issue()), trusts(root()), "localhost.");
  ASSERT_TRUE(both.near->has_value()) << text_of(both.near);
  EXPECT_EQ(tls_session_of(***both.far)->server_name, "localhost");
}

TEST(TlsClient, TrustsASelfSignedCertificateOnceItIsGivenAsCa) {
  tls_world w;
  const auto self = root().issue();
  tls_client_options client;
  client.ca_pem = self.certificate; // its issuer is unknown, it is trusted itself
  EXPECT_TRUE(w.shake(serves(self), client).near->has_value());
}

TEST(TlsClient, ShowsItsCertificateAndTheServerKnowsIt) {
  tls_world w;
  for (const auto asked : {client_certificates::optional, client_certificates::required}) {
    auto server = serves(root().issue());
    server.clients = asked;
    server.client_ca_pem = root().pem();
    auto client = trusts(root());
    const auto own = root().issue({.subject = "billing", .names = "URI:spiffe://shop/billing"});
    client.certificate_pem = own.certificate;
    client.key_pem = own.key;
    const auto both = w.shake(server, client);
    ASSERT_TRUE(both.far->has_value()) << text_of(both.far);
    const auto session = tls_session_of(***both.far).value();
    EXPECT_TRUE(session.peer_verified);
    EXPECT_EQ(session.peer->subject, "CN=billing");
    EXPECT_EQ(session.peer->names, (std::vector<std::string>{"URI:spiffe://shop/billing"}));
  }
}

TEST(TlsServer, TakesAClientWithoutCertificateWhereItIsOptional) {
  tls_world w;
  auto server = serves(root().issue());
  server.clients = client_certificates::optional;
  server.client_ca_pem = root().pem();
  const auto both = w.shake(server, trusts(root()));
  ASSERT_TRUE(both.far->has_value()) << text_of(both.far);
  EXPECT_FALSE(tls_session_of(***both.far)->peer);
  EXPECT_FALSE(tls_session_of(***both.far)->peer_verified);
}

// -- one that fails ---------------------------------------------------------------------------------------

TEST(TlsClient, RefusesAServerOfAnUnknownAuthority) {
  tls_world w;
  const authority other("somebody");
  const auto both = w.shake(serves(other.issue()), trusts(root()));
  EXPECT_TRUE(has(text_of(both.near), "the peer's certificate is refused: unable to get local issuer certificate"))
      << text_of(both.near);
  EXPECT_TRUE(both.near->error().is(errc::io));
  EXPECT_TRUE(has(text_of(both.far), "the peer refuses: unknown CA")) << text_of(both.far);
  EXPECT_TRUE(has(text_of(both.far), "cannot complete the TLS handshake with: memory:")) << text_of(both.far);
}

TEST(TlsClient, RefusesTheCertificateOfAnotherHost) {
  tls_world w;
  for (const auto* const host : {"example.com", "127.0.0.2", "localhost.example.com"}) {
    const auto both = w.shake(serves(root().issue()), trusts(root()), host);
    EXPECT_TRUE(has(text_of(both.near), std::string("the server's certificate is not for ") + host))
        << text_of(both.near);
  }
}

TEST(TlsClient, RefusesACertificateThatIsOutOfDate) {
  tls_world w;
  const auto old = w.shake(serves(root().issue({.from_days = -3, .until_days = -2})), trusts(root()));
  EXPECT_TRUE(has(text_of(old.near), "certificate has expired")) << text_of(old.near);
  const auto early = w.shake(serves(root().issue({.from_days = 1, .until_days = 2})), trusts(root()));
  EXPECT_TRUE(has(text_of(early.near), "certificate is not yet valid")) << text_of(early.near);
}

TEST(TlsClient, TakesAnybodyOnlyIfToldSoInSoManyWords) {
  tls_world w;
  const authority other("somebody");
  auto careless = trusts(root());
  careless.insecure_skip_verify = true;
  const auto both = w.shake(serves(other.issue({.from_days = -3, .until_days = -2})), careless, "example.com");
  ASSERT_TRUE(both.near->has_value()) << text_of(both.near);
  const auto session = tls_session_of(***both.near).value();
  EXPECT_FALSE(session.peer_verified);
  EXPECT_TRUE(has(session.peer->warning, "the certificate expired at 2")) << session.peer->warning;
}

TEST(TlsClient, RefusesAHostThatIsNone) {
  tls_world w;
  const std::vector<std::string> none{"", "a b", "x/../y", std::string(254, 'a'), "http://x", "a\nb", "[]", "::g"};
  for (const auto& host : none) {
    auto raw = w.raw_pair();
    std::optional<made_stream> near;
    const auto client = tls_client::make(trusts(root())).value();
    EXPECT_TRUE(w.sys.spawn(connect_into, client, std::move(raw.near), host, &near).wait().normal());
    ASSERT_TRUE(near && !*near) << host;
    EXPECT_TRUE(near->error().is(errc::invalid_argument));
    std::byte some[1];
    EXPECT_EQ(raw.far->try_read(some).value(), 0u) << "and closes";
  }
}

TEST(TlsServer, RefusesAClientWithoutTheCertificateItRequires) {
  tls_world w;
  auto server = serves(root().issue());
  server.clients = client_certificates::required;
  server.client_ca_pem = root().pem();
  const auto both = w.shake(server, trusts(root()));
  EXPECT_TRUE(has(text_of(both.far), "the client shows no certificate, and one is required")) << text_of(both.far);
  ASSERT_TRUE(both.near->has_value()) << "a client of TLS 1.3 is done first";
  const auto read = w.sys.run(read_text, (**both.near).get(), 1);
  ASSERT_FALSE(read);
  EXPECT_TRUE(has(read.error().message(), "the peer refuses: tlsv13 alert certificate required"))
      << read.error().message();
}

TEST(TlsServer, RefusesAClientWithTheCertificateOfAStranger) {
  tls_world w;
  for (const auto asked : {client_certificates::optional, client_certificates::required}) {
    auto server = serves(root().issue());
    server.clients = asked;
    server.client_ca_pem = root().pem();
    auto client = trusts(root());
    const auto own = authority("somebody").issue();
    client.certificate_pem = own.certificate;
    client.key_pem = own.key;
    const auto both = w.shake(server, client);
    EXPECT_TRUE(has(text_of(both.far), "the peer's certificate is refused: ")) << text_of(both.far);
  }
}

TEST(TlsServer, RefusesAClientThatSharesNoProtocol) {
  tls_world w;
  auto client = trusts(root());
  client.alpn = {"h2"};
  const auto both = w.shake(serves(root().issue()), client);
  EXPECT_TRUE(has(text_of(both.near), "the peer refuses: no application protocol")) << text_of(both.near);
  EXPECT_FALSE(both.far->has_value());
}

TEST(TlsServer, ChoosesTheProtocolItPrefersItself) {
  tls_world w;
  auto server = serves(root().issue());
  server.alpn = {"b", "a"};
  auto client = trusts(root());
  client.alpn = {"a", "b"};
  const auto both = w.shake(server, client);
  EXPECT_EQ(tls_session_of(***both.near)->alpn, "b");
}

TEST(TlsServer, RefusesTls11) {
  tls_world w;
  auto raw = w.raw_pair();
  openssl_peer client(std::move(raw.near), TLS_client_method());
  SSL_CTX_set_security_level(client.ctx(), 0);
  SSL_CTX_set_min_proto_version(client.ctx(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(client.ctx(), TLS1_1_VERSION);
  client.begin(false);
  EXPECT_FALSE(client.step());
  client.deliver();
  std::optional<made_stream> far;
  const auto server = tls_server::make(serves(root().issue())).value();
  EXPECT_TRUE(w.sys.spawn(accept_into, server, std::move(raw.far), &far).wait().normal());
  EXPECT_TRUE(has(text_of(far), "the peer has no version of TLS that is allowed here")) << text_of(far);
}

TEST(TlsServer, RefusesTls12WhereThatIsTooOld) {
  tls_world w;
  auto server = serves(root().issue());
  server.min_version = tls_version::tls_1_3;
  auto raw = w.raw_pair();
  openssl_peer client(std::move(raw.near), TLS_client_method());
  SSL_CTX_set_max_proto_version(client.ctx(), TLS1_2_VERSION);
  client.begin(false);
  EXPECT_FALSE(client.step());
  client.deliver();
  std::optional<made_stream> far;
  const auto by = tls_server::make(server).value();
  EXPECT_TRUE(w.sys.spawn(accept_into, by, std::move(raw.far), &far).wait().normal());
  EXPECT_TRUE(has(text_of(far), "the peer has no version of TLS that is allowed here")) << text_of(far);
}

/// What a server says to the bytes of a client that then leaves.
std::string answer_to(tls_world& w, std::string_view bytes) {
  auto raw = w.raw_pair();
  EXPECT_EQ(raw.near->try_write(bytes_of(bytes)).value(), bytes.size());
  raw.near->shutdown_send();
  std::optional<made_stream> far;
  const auto server = tls_server::make(serves(root().issue())).value();
  EXPECT_TRUE(w.sys.spawn(accept_into, server, std::move(raw.far), &far).wait().normal());
  return text_of(far);
}

TEST(TlsServer, SaysWhatIsWrongWithOneThatSpeaksNoTls) {
  tls_world w;
  for (const auto* const method :
       {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST / HTTP/1.1\r\n\r\n", "CONNECT x:1 HTTP/1.1\r\n\r\n"}) {
    const auto said = answer_to(w, method);
    EXPECT_TRUE(has(said, "the client speaks plain HTTP, and this port TLS: use https://")) << said;
  }
  const auto other = answer_to(w, "SSH-2.0-OpenSSH_9.2\r\n");
  EXPECT_TRUE(has(other, "what the peer sends is not TLS")) << other;
  const auto nothing = answer_to(w, "\x16\x03\x01");
  EXPECT_TRUE(has(nothing, "the peer ended the connection")) << nothing;
}

TEST(TlsClient, SaysThatTheServerSpeaksNoTls) {
  tls_world w;
  auto raw = w.raw_pair();
  EXPECT_TRUE(raw.far->try_write(bytes_of("HTTP/1.1 400 Bad Request\r\n\r\n")));
  std::optional<made_stream> near;
  const auto client = tls_client::make(trusts(root())).value();
  EXPECT_TRUE(w.sys.spawn(connect_into, client, std::move(raw.near), "localhost", &near).wait().normal());
  EXPECT_TRUE(has(text_of(near), "what the peer sends is not TLS")) << text_of(near);
}

// -- the ends of a wait -----------------------------------------------------------------------------------

task<> accept_within(tls_server by, std::unique_ptr<stream> raw, duration limit, std::optional<made_stream>* out) {
  auto made = by.accept(std::move(raw));
  out->emplace(co_await with_timeout(limit, std::move(made)));
}

TEST(TlsServer, ASilentClientMeetsTheCallersDeadline) {
  tls_world w;
  auto raw = w.raw_pair();
  std::optional<made_stream> far;
  const auto server = tls_server::make(serves(root().issue())).value();
  const auto accepts = w.sys.spawn(accept_within, server, std::move(raw.far), duration(10s), &far);
  await_wait(w.sys, accepts, "io");
  w.time.advance(11s);
  w.settle();
  EXPECT_TRUE(accepts.wait().normal());
  ASSERT_TRUE(far && !*far);
  EXPECT_TRUE(far->error().is(errc::timed_out));
  std::byte some[1];
  EXPECT_EQ(raw.near->try_read(some).value(), 0u) << "the connection is closed";
}

TEST(TlsServer, ACancelledHandshakeClosesTheConnection) {
  tls_world w;
  for (const bool kill : {false, true}) {
    auto raw = w.raw_pair();
    std::optional<made_stream> far;
    const auto server = tls_server::make(serves(root().issue())).value();
    const auto accepts = w.sys.spawn(accept_into, server, std::move(raw.far), &far);
    const auto reason = kill ? kill_in(w.sys, accepts, "io") : cancel_in(w.sys, accepts, "io");
    EXPECT_FALSE(reason.normal());
    EXPECT_FALSE(far);
    std::byte some[1];
    EXPECT_EQ(raw.near->try_read(some).value(), 0u);
  }
}

TEST(TlsClient, ACloseFromAnotherThreadEndsItsHandshake) {
  tls_world w;
  auto raw = w.raw_pair();
  auto* const below = raw.near.get();
  std::optional<made_stream> near;
  const auto client = tls_client::make(trusts(root())).value();
  const auto connects = w.sys.spawn(connect_into, client, std::move(raw.near), "localhost", &near);
  await_wait(w.sys, connects, "io"); // for a server that says nothing
  std::thread([below] { below->close(); }).join();
  EXPECT_TRUE(connects.wait().normal());
  ASSERT_TRUE(near && !*near);
  EXPECT_TRUE(near->error().is(errc::closed)) << text_of(near);
}

TEST(TlsClient, AResetInTheHandshakeIsToldAsSuch) {
  tls_world w;
  auto raw = w.raw_pair();
  std::optional<made_stream> near;
  const auto client = tls_client::make(trusts(root())).value();
  const auto connects = w.sys.spawn(connect_into, client, std::move(raw.near), "localhost", &near);
  await_wait(w.sys, connects, "io");
  memory_transport::reset(*raw.far);
  EXPECT_TRUE(connects.wait().normal());
  EXPECT_TRUE(has(text_of(near), "Connection reset by peer")) << text_of(near);
}

} // namespace
} // namespace greenroom::tls_test

#else

namespace greenroom::tls_test {
namespace {

TEST(Tls, ABuildWithoutItSaysSo) {
  const auto server = tls_server::make({});
  ASSERT_FALSE(server);
  EXPECT_TRUE(server.error().is(errc::unsupported));
  EXPECT_EQ(server.error().message(),
            "cannot make a server: TLS: this build has none: configure it with OpenSSL 3 and GREENROOM_TLS=ON");
  const auto client = tls_client::make({});
  ASSERT_FALSE(client);
  EXPECT_TRUE(client.error().is(errc::unsupported));
}

} // namespace
} // namespace greenroom::tls_test

#endif
