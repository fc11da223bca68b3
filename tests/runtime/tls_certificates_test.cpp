#if GREENROOM_HAS_TLS

#include <greenroom/runtime/tls.hpp>

#include <gtest/gtest.h>

#include <greenroom/tests/runtime/tls_kit.hpp>

// What tls_server::make() and reload() read, and what they refuse.

namespace greenroom::tls_certificates_test {
namespace {

using namespace test;

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// A server whose certificate and key stand in files.
struct on_disk {
  scratch folder;
  identity first = root().issue();
  tls_server_options how;

  on_disk() {
    how.certificate_file = folder.write("chain.pem", first.certificate);
    how.key_file = folder.write("key.pem", first.key);
  }
  void replace(const identity& by) {
    folder.write("chain.pem", by.certificate);
    folder.write("key.pem", by.key);
  }
  std::string refusal() const { return std::string(tls_server::make(how).error().message()); }
};

std::string shown_to(tls_world& w, const tls_server& server) {
  const auto both = w.shake(server, tls_client::make(trusts(root())).value(), "localhost", w.raw_pair());
  return both.near->has_value() ? tls_session_of(***both.near)->peer->sha256
                                : std::string(both.near->error().message());
}

TEST(TlsServer, ReadsItsCertificateAndKeyFromFiles) {
  const on_disk at;
  tls_world w;
  const auto server = tls_server::make(at.how).value();
  EXPECT_EQ(server.certificate().subject, "CN=localhost");
  EXPECT_EQ(shown_to(w, server), server.certificate().sha256);
}

TEST(TlsServer, ReloadGivesNewConnectionsTheNewCertificateAndKeepsTheOldOnes) {
  on_disk at;
  tls_world w;
  const auto server = tls_server::make(at.how).value();
  const auto before = server.certificate();
  auto both = w.shake(server, tls_client::make(trusts(root())).value(), "localhost", w.raw_pair());
  at.replace(root().issue());
  const auto about = server.reload();
  ASSERT_TRUE(about) << about.error().message();
  EXPECT_NE(about->sha256, before.sha256);
  EXPECT_EQ(server.certificate().sha256, about->sha256);
  EXPECT_EQ(shown_to(w, server), about->sha256);
  EXPECT_TRUE(w.write(***both.near, "still here"));
  EXPECT_EQ(w.read(***both.far, 10), "still here");
  EXPECT_EQ(tls_session_of(***both.near)->peer->sha256, before.sha256);
}

TEST(TlsServer, ACopyIsReloadedToo) {
  on_disk at;
  const auto server = tls_server::make(at.how).value();
  const auto copy = server;
  at.replace(root().issue());
  EXPECT_TRUE(server.reload());
  EXPECT_EQ(copy.certificate().sha256, server.certificate().sha256);
}

TEST(TlsServer, AReloadThatFailsKeepsWhatIsThereAndSaysWhatIsWrong) {
  on_disk at;
  tls_world w;
  const auto server = tls_server::make(at.how).value();
  const auto before = server.certificate().sha256;
  const auto key = at.folder.at("key.pem").native();
  const auto fails = [&](std::string_view why) {
    const auto done = server.reload();
    ASSERT_FALSE(done);
    EXPECT_TRUE(has(done.error().message(), why)) << done.error().message();
    EXPECT_EQ(server.certificate().sha256, before);
    EXPECT_EQ(shown_to(w, server), before);
  };
  at.folder.write("chain.pem", root().issue().certificate); // the key is that of the old one
  fails(key + ": the key does not belong to the certificate in " + at.folder.at("chain.pem").native());
  at.replace(at.first);
  at.folder.write("chain.pem", "");
  fails("chain.pem: it holds no certificate");
  at.folder.write("chain.pem", at.first.certificate.substr(0, at.first.certificate.size() / 2));
  fails("chain.pem: certificate 1: ");
  at.replace(at.first);
  std::filesystem::remove(key);
  fails("cannot set up TLS: key_file: cannot ");
  fails(key + ": No such file or directory");
  at.replace(at.first);
  EXPECT_TRUE(server.reload());
}

TEST(TlsServer, ServesACertificateThatHasExpiredAndWarns) {
  on_disk at;
  at.replace(root().issue({.from_days = -3, .until_days = -2}));
  const auto server = tls_server::make(at.how);
  ASSERT_TRUE(server) << server.error().message();
  EXPECT_TRUE(has(server->certificate().warning, "the certificate expired at 2")) << server->certificate().warning;
  at.replace(root().issue({.from_days = 2, .until_days = 3}));
  const auto about = server->reload();
  ASSERT_TRUE(about);
  EXPECT_TRUE(has(about->warning, "the certificate is not valid before 2")) << about->warning;
}

// By designated initializers as in the example of tls.hpp: -Wextra would complain of a member without an initializer.
TEST(TlsServer, IsMadeOfTheTwoFilesAlone) {
  on_disk at;
  EXPECT_TRUE(tls_server::make({.certificate_file = at.how.certificate_file, .key_file = at.how.key_file}));
  EXPECT_TRUE(tls_client::make({.ca_file = at.folder.write("root.pem", root().pem())}));
}

TEST(TlsServer, SendsTheWholeChain) {
  tls_world w;
  auto how = serves(root().issue());
  how.certificate_pem += authority("one between").pem();
  auto raw = w.raw_pair();
  openssl_peer client(std::move(raw.near), TLS_client_method());
  client.begin(false);
  std::optional<made_stream> far;
  const auto accepts = w.sys.spawn(accept_into, tls_server::make(how).value(), std::move(raw.far), &far);
  bool done = false;
  for (int i = 0; i < 10 && !done; ++i) {
    done = client.step();
    client.deliver();
    w.settle();
  }
  ASSERT_TRUE(done);
  EXPECT_EQ(sk_X509_num(SSL_get_peer_cert_chain(client.ssl())), 2);
}

TEST(TlsServer, RefusesOptionsThatContradictThemselves) {
  const auto refusal = [](const tls_server_options& how) {
    const auto made = tls_server::make(how);
    EXPECT_FALSE(made);
    if (made) return std::string("none");
    EXPECT_TRUE(made.error().is(errc::invalid_argument));
    return std::string(made.error().message());
  };
  const auto good = serves(root().issue());
  EXPECT_EQ(refusal({}), "cannot set up TLS: certificate_file: a server needs a certificate and its key");
  auto how = good;
  how.key_pem.clear();
  EXPECT_EQ(refusal(how), "cannot set up TLS: key_file: a certificate and its key belong together: give both");
  how = good;
  how.certificate_pem.clear();
  EXPECT_EQ(refusal(how), "cannot set up TLS: certificate_file: a certificate and its key belong together: give both");
  const on_disk at;
  how = at.how;
  how.key_pem = good.key_pem;
  EXPECT_EQ(refusal(how), "cannot set up TLS: key: both key_file and key_pem are given: give one");
  how = good;
  how.clients = client_certificates::required;
  EXPECT_EQ(refusal(how), "cannot set up TLS: clients: they are asked for certificates: give client_ca_file too");
  how = good;
  how.client_ca_pem = root().pem();
  EXPECT_EQ(refusal(how), "cannot set up TLS: client_ca_pem: it is given, but `clients` says that none is asked for");
  how = good;
  how.alpn = {"http/1.1", ""};
  EXPECT_EQ(refusal(how), "cannot set up TLS: alpn: a name has 1 to 255 bytes, not 0");
  how.alpn = {std::string(256, 'x')};
  EXPECT_EQ(refusal(how), "cannot set up TLS: alpn: a name has 1 to 255 bytes, not 256");
  how.alpn = std::vector<std::string>(300, std::string(255, 'x'));
  EXPECT_EQ(refusal(how), "cannot set up TLS: alpn: 76800 bytes of names, at most 65535");
}

TEST(TlsServer, RefusesFilesThatHoldSomethingElse) {
  on_disk at;
  at.folder.write("key.pem", at.first.certificate);
  EXPECT_TRUE(has(at.refusal(), "key.pem: it holds no private key")) << at.refusal();
  at.folder.write("key.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
  EXPECT_TRUE(has(at.refusal(), "key.pem: the key is encrypted")) << at.refusal();
  at.folder.write("key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  EXPECT_TRUE(has(at.refusal(), "key.pem: its private key cannot be read: ")) << at.refusal();
  at.folder.write("key.pem", at.first.key);
  at.how.clients = client_certificates::required;
  at.how.client_ca_file = at.folder.write("ca.pem", "no certificate at all");
  EXPECT_TRUE(has(at.refusal(), "ca.pem: it holds no certificate")) << at.refusal();
  at.how.client_ca_file = at.folder.at("nowhere.pem");
  EXPECT_TRUE(tls_server::make(at.how).error().is(errc::not_found));
  EXPECT_TRUE(has(at.refusal(), "cannot set up TLS: client_ca_file: ")) << at.refusal();
}

TEST(TlsServer, TakesAKeyThatStandsInTheFileOfItsCertificate) {
  on_disk at;
  at.how.certificate_file = at.how.key_file = at.folder.write("both.pem", at.first.key + at.first.certificate);
  EXPECT_TRUE(tls_server::make(at.how));
}

TEST(TlsClient, TrustsWhomTheSystemTrustsUnlessToldOtherwise) {
  tls_world w;
  const auto both = w.shake(serves(root().issue()), tls_client_options{});
  EXPECT_FALSE(both.near->has_value()) << "the system does not know the root of this test";
}

TEST(TlsClient, RefusesACaThatIsNone) {
  tls_client_options how;
  how.ca_pem = "trust me";
  const auto made = tls_client::make(how);
  ASSERT_FALSE(made);
  EXPECT_TRUE(made.error().is(errc::parse));
  EXPECT_EQ(made.error().message(), "cannot set up TLS: ca_pem: it holds no certificate (-----BEGIN CERTIFICATE-----)");
}

} // namespace
} // namespace greenroom::tls_certificates_test

#endif
