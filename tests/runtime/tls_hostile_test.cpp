#if GREENROOM_HAS_TLS

#include <greenroom/runtime/tls.hpp>

#include <random>

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <greenroom/tests/runtime/tls_kit.hpp>

// Peers that do what no decent peer does: garbage, flipped bits, messages of TLS at the worst moment.

namespace greenroom::tls_hostile_test {
namespace {

using namespace test;

/// Goes on with the handshake of a peer that is fed by hand; `settle` has our side do its part.
template <class Settle>
bool finish(openssl_peer& peer, Settle settle) {
  bool done = false;
  for (int i = 0; i < 20 && !done; ++i) {
    done = peer.step();
    peer.deliver();
    settle();
  }
  return done;
}

/// A server of ours and a client that is OpenSSL.
struct served {
  explicit served(std::size_t capacity = 65'536)
      : w(capacity), raw(w.raw_pair()), client(std::move(raw.near), TLS_client_method()) {
    client.begin(false);
    const auto accepts =
        w.sys.spawn(accept_into, tls_server::make(serves(root().issue())).value(), std::move(raw.far), &far);
    EXPECT_TRUE(finish(client, [this] { w.settle(); }));
    EXPECT_TRUE(accepts.wait().normal());
    EXPECT_TRUE(far && *far);
  }
  stream& server() { return ***far; }

  tls_world w;
  stream_pair raw;
  openssl_peer client;
  std::optional<made_stream> far;
};

TEST(TlsServer, RandomBytesEndInAnErrorOrAreWaitedFor) {
  tls_world w;
  const auto server = tls_server::make(serves(root().issue())).value();
  for (unsigned seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 draw(seed);
    std::string bytes(draw() % 700 + 1, '\0');
    for (auto& c : bytes) c = static_cast<char>(draw());
    const auto size = static_cast<unsigned>(bytes.size());
    if (seed % 3 != 0) bytes.replace(0, 3, "\x16\x03\x01", 3); // a handshake's record
    if (seed % 3 == 2 && size > 9) {                           // that holds a hello, as far as the lengths say
      bytes[3] = static_cast<char>((size - 5) >> 8U), bytes[4] = static_cast<char>(size - 5);
      bytes[5] = 1, bytes[6] = 0;
      bytes[7] = static_cast<char>((size - 9) >> 8U), bytes[8] = static_cast<char>(size - 9);
    }
    auto raw = w.raw_pair();
    EXPECT_EQ(raw.near->try_write(bytes_of(bytes)).value(), bytes.size());
    std::optional<made_stream> far;
    const auto accepts = w.sys.spawn(accept_into, server, std::move(raw.far), &far);
    w.settle();
    raw.near->close();
    EXPECT_TRUE(accepts.wait().normal());
    EXPECT_TRUE(far && !*far && !far->error().message().empty());
  }
}

/// Flips one bit of what is read.
class flipping_stream final : public stream {
public:
  flipping_stream(std::unique_ptr<stream> over, std::size_t at)
      : stream(source_of(*over)), over_(std::move(over)), at_(at) {}
  result<std::size_t> try_read(std::span<std::byte> into) override {
    const auto got = over_->try_read(into);
    if (got && at_ >= read_ && at_ < read_ + *got) into[at_ - read_] ^= std::byte{4};
    if (got) read_ += *got;
    return got;
  }
  result<std::size_t> try_write(std::span<const std::byte> bytes) override { return over_->try_write(bytes); }
  void shutdown_send() noexcept override { over_->shutdown_send(); }
  void close() noexcept override { over_->close(); }
  std::string peer() const override { return over_->peer(); }

private:
  const std::unique_ptr<stream> over_;
  const std::size_t at_;
  std::size_t read_ = 0;
};

/// Says hello and gives what came as an answer, or why none did. Nothing waits for ever: who fails closes.
task<result<std::string>> hello(tls_client by, std::unique_ptr<stream> raw) {
  auto connecting = by.connect(std::move(raw), "localhost");
  auto made = co_await std::move(connecting);
  if (!made) co_return made.error();
  const std::string text = "hello";
  auto writing = (*made)->write_all(bytes_of(text));
  const auto sent = co_await std::move(writing);
  if (!sent) co_return sent.error();
  (*made)->shutdown_send();
  co_return co_await read_text(made->get(), 100);
}
task<> hello_into(tls_client by, std::unique_ptr<stream> raw, std::optional<result<std::string>>* out) {
  auto asking = hello(std::move(by), std::move(raw));
  out->emplace(co_await std::move(asking));
}
task<> answer(tls_server by, std::unique_ptr<stream> raw) {
  auto accepting = by.accept(std::move(raw));
  auto made = co_await std::move(accepting);
  if (made) co_await echo(*std::move(made));
}

TEST(TlsStream, ABitThatFlipsOnTheWayIsNeverTakenForData) {
  tls_world w;
  const auto server = tls_server::make(serves(root().issue())).value();
  const auto client = tls_client::make(trusts(root())).value();
  std::size_t flips = 0;
  for (std::size_t at = 0; at < 2'500; at += 7) {
    SCOPED_TRACE(at);
    auto raw = w.raw_pair();
    auto* const near = raw.near.get(); // the client's end; it goes with its actor
    std::optional<result<std::string>> got;
    const auto asks = w.sys.spawn(hello_into, client, std::make_unique<flipping_stream>(std::move(raw.near), at), &got);
    const auto answers = w.sys.spawn(answer, server, std::move(raw.far));
    w.settle();
    if (!asks.finished()) near->close(); // a length that grew: it waits for more
    EXPECT_TRUE(asks.wait().normal() && answers.wait().normal());
    ASSERT_TRUE(got);
    if (*got) {
      EXPECT_EQ(**got, "hello");
    } else {
      ++flips;
    }
  }
  EXPECT_GT(flips, 150u) << "the handshake and the answer are longer than that";
}

TEST(TlsStream, AnswersToUnreadKeyUpdatesWaitUntilThePeerReads) {
  served s(1'000);
  for (int i = 0; i < 500; ++i) { // 23 bytes in each direction at least: more than the network holds
    ASSERT_EQ(SSL_key_update(s.client.ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
    if (SSL_do_handshake(s.client.ssl()) != 1) break;
    s.client.deliver();
    std::byte some[10];
    const auto got = s.server().try_read(some);
    if (!got && !got.error().is(errc::empty)) break; // so many are refused
    ASSERT_TRUE(!got);
  }
  const auto reads = s.w.sys.spawn([](stream* on) -> task<> { (void)co_await read_text(on, 1); }, &s.server());
  await_wait(s.w.sys, reads, "io"); // and does not spin
  s.client.fetch();
  s.client.write("x");
  s.client.deliver();
  EXPECT_TRUE(reads.wait().normal());
}

TEST(TlsStream, DataGoOnBehindAKeyUpdate) {
  served s;
  ASSERT_EQ(SSL_key_update(s.client.ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
  s.client.write("behind it");
  s.client.deliver();
  EXPECT_EQ(s.w.read(s.server(), 9), "behind it");
  EXPECT_TRUE(s.w.write(s.server(), "answer"));
  EXPECT_EQ(s.client.read(), "answer");
}

/// Gives tickets of 2 KiB, which take several of the smallest records.
int big_ticket(SSL* session, void*) {
  const std::string much(2'000, 'T');
  return SSL_SESSION_set1_ticket_appdata(SSL_get_session(session), much.data(), much.size());
}

/// A client of ours and a server that is OpenSSL, whose tickets are made but not sent.
struct serving {
  explicit serving(std::size_t capacity = 65'536)
      : w(capacity), raw(w.raw_pair()), server(std::move(raw.far), TLS_server_method()) {
    const auto own = root().issue();
    const owned<BIO, &BIO_free> certificate(BIO_new_mem_buf(own.certificate.data(), -1));
    const owned<BIO, &BIO_free> key(BIO_new_mem_buf(own.key.data(), -1));
    const owned<X509, &X509_free> cert(PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr));
    const owned<EVP_PKEY, &EVP_PKEY_free> secret(PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr));
    EXPECT_EQ(SSL_CTX_use_certificate(server.ctx(), cert.get()), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(server.ctx(), secret.get()), 1);
    SSL_CTX_set_max_send_fragment(server.ctx(), 512);
    SSL_CTX_set_num_tickets(server.ctx(), 1);
    SSL_CTX_set_session_ticket_cb(server.ctx(), big_ticket, nullptr, nullptr);
    server.begin(true);
    const auto connects =
        w.sys.spawn(connect_into, tls_client::make(trusts(root())).value(), std::move(raw.near), "localhost", &near);
    for (int i = 0; i < 20 && !server.step(); ++i) {
      server.deliver();
      w.settle();
    }
    EXPECT_TRUE(connects.wait().normal());
    EXPECT_TRUE(near && *near);
  }
  stream& client() { return ***near; }

  tls_world w;
  stream_pair raw;
  openssl_peer server;
  std::optional<made_stream> near;
};

task<bool> readable_now(stream* on) { co_return co_await on->readable_until(this_actor::system().now()); }

TEST(TlsStream, AWriterWaitsForTheRestOfAMessageThatHasBegunToCome) {
  serving s;
  ASSERT_GT(s.server.undelivered(), 1'200u) << "the ticket is still here";
  s.server.deliver(700); // its first record, and a part of the second one
  std::byte some[10];
  EXPECT_TRUE(s.client().try_read(some).error().is(errc::empty));
  const auto writes = s.w.sys.spawn(
      [](stream* on) -> task<> {
        const std::string text = "in the midst of it";
        auto writing = on->write_all(bytes_of(text));
        EXPECT_TRUE(co_await std::move(writing));
      },
      &s.client());
  await_wait(s.w.sys, writes, "io"); // and does not spin, though there is room to write
  s.server.write("data right behind");
  s.server.deliver();
  EXPECT_TRUE(writes.wait().normal());
  EXPECT_EQ(s.server.read(), "in the midst of it");
  EXPECT_TRUE(s.w.sys.run(readable_now, &s.client()).value()) << "the writer has taken it in from below";
  EXPECT_EQ(s.w.read(s.client(), 17), "data right behind");
}

TEST(TlsStream, MessagesOfTlsAloneDoNotKeepAReadForLong) {
  serving s(4 << 20);
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(SSL_new_session_ticket(s.server.ssl()), 1);
    ASSERT_EQ(SSL_do_handshake(s.server.ssl()), 1);
  }
  s.server.write("x");
  const auto all = s.server.undelivered();
  ASSERT_GT(all, 400'000u);
  s.server.deliver();
  std::size_t tries = 0;
  std::byte some[10];
  for (auto got = s.client().try_read(some); !got; got = s.client().try_read(some)) {
    ASSERT_TRUE(got.error().is(errc::empty)) << got.error().message();
    ASSERT_TRUE(s.w.sys.run(readable_now, &s.client()).value()) << "there is more";
    ++tries;
  }
  EXPECT_GE(tries, all / 65'536);
}

TEST(TlsServer, AClientThatHasSentMuchAlreadyStillLearnsWhyItIsRefused) {
  tls_world w;
  auto how = serves(root().issue());
  how.clients = client_certificates::required;
  how.client_ca_pem = root().pem();
  auto raw = w.raw_pair();
  openssl_peer client(std::move(raw.near), TLS_client_method());
  client.begin(false);
  std::optional<made_stream> far;
  const auto accepts = w.sys.spawn(accept_into, tls_server::make(how).value(), std::move(raw.far), &far);
  while (!client.step()) {
    client.deliver();
    w.settle();
  }
  client.write(std::string(16'000, 'a'));
  client.write(std::string(16'000, 'b'));
  client.write(std::string(16'000, 'c'));
  client.deliver(); // with the end of its handshake, in which there is no certificate
  EXPECT_TRUE(accepts.wait().normal());
  EXPECT_FALSE(*far);
  client.fetch();
  char some[10];
  ERR_clear_error();
  EXPECT_LE(SSL_read(client.ssl(), some, sizeof some), 0);
  EXPECT_EQ(ERR_GET_REASON(ERR_get_error()), SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED);
}

TEST(TlsServer, ReadsTheLastWordsOfAClientThatIsGoneBeforeItsTicketsAreSent) {
  tls_world w;
  auto raw = w.raw_pair();
  openssl_peer client(std::move(raw.near), TLS_client_method());
  client.begin(false);
  std::optional<made_stream> far;
  const auto accepts =
      w.sys.spawn(accept_into, tls_server::make(serves(root().issue())).value(), std::move(raw.far), &far);
  while (!client.step()) {
    client.deliver();
    w.settle();
  }
  client.write("last words");
  EXPECT_EQ(SSL_shutdown(client.ssl()), 0);
  // On the only worker, so that the server sees both at once: what it sends first meets nobody.
  EXPECT_TRUE(w.sys.run(
      [](openssl_peer* leaving) -> task<> {
        leaving->deliver(); // with the end of its handshake
        leaving->raw().close();
        co_return;
      },
      &client));
  EXPECT_TRUE(accepts.wait().normal());
  ASSERT_TRUE(*far) << far->error().message();
  EXPECT_EQ(w.read(***far, 100), "last words");
  EXPECT_TRUE((**far)->try_write(bytes_of("x")).error().is(errc::io));
}

/// Nothing can be sent over it, and nothing comes.
class mute_stream final : public stream {
public:
  explicit mute_stream(std::unique_ptr<stream> over) : stream(source_of(*over)), over_(std::move(over)) {}
  result<std::size_t> try_read(std::span<std::byte>) override { return errc::empty; }
  result<std::size_t> try_write(std::span<const std::byte>) override { return error(errc::io, "cannot write: mute"); }
  void shutdown_send() noexcept override {}
  void close() noexcept override { over_->close(); }
  std::string peer() const override { return over_->peer(); }

private:
  const std::unique_ptr<stream> over_;
};

TEST(TlsClient, WhoCannotBeSentAHelloIsNotWaitedFor) {
  tls_world w;
  std::optional<made_stream> near;
  auto raw = w.raw_pair();
  const auto connects = w.sys.spawn(connect_into, tls_client::make(trusts(root())).value(),
                                    std::make_unique<mute_stream>(std::move(raw.near)), "localhost", &near);
  EXPECT_TRUE(connects.wait().normal());
  ASSERT_TRUE(near && !*near);
  EXPECT_EQ(near->error().message(), "cannot write: mute");
}

TEST(TlsStream, AnEndAndAnErrorStayReadableThoughNothingMoreComesFromBelow) {
  served ends;
  ASSERT_EQ(SSL_shutdown(ends.client.ssl()), 0);
  ends.client.deliver();
  std::byte some[10];
  EXPECT_EQ(ends.server().try_read(some).value(), 0u);
  EXPECT_TRUE(ends.w.sys.run(readable_now, &ends.server()).value());
  ends.client.fetch();
  ASSERT_FALSE(ends.client.raw().try_read(some)) << "this direction has not ended";
  ends.server().shutdown_send();
  std::byte announcement[100];
  EXPECT_TRUE(ends.client.raw().try_read(announcement));
  EXPECT_EQ(ends.client.raw().try_read(announcement).value_or(99), 0u) << "the stream below ends behind it";
  served fails;
  const std::string record = "\x17\x03\x03\x01\x01" + std::string(257, '?');
  EXPECT_TRUE(fails.client.raw().try_write(bytes_of(record)));
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(fails.server().try_read(some).error().is(errc::io));
    EXPECT_TRUE(fails.w.sys.run(readable_now, &fails.server()).value());
  }
}

TEST(TlsServer, RefusesToNegotiateAnew) {
  tls_world w;
  auto raw = w.raw_pair();
  openssl_peer client(std::move(raw.near), TLS_client_method());
  SSL_CTX_set_max_proto_version(client.ctx(), TLS1_2_VERSION);
  client.begin(false);
  std::optional<made_stream> far;
  const auto accepts =
      w.sys.spawn(accept_into, tls_server::make(serves(root().issue())).value(), std::move(raw.far), &far);
  ASSERT_TRUE(finish(client, [&w] { w.settle(); }));
  ASSERT_TRUE(accepts.wait().normal() && *far);
  ASSERT_EQ(SSL_renegotiate(client.ssl()), 1);
  EXPECT_FALSE(client.step());
  client.deliver();
  std::byte some[10];
  EXPECT_FALSE((**far)->try_read(some)) << "no data, and no hang";
  EXPECT_FALSE(client.step());
}

} // namespace
} // namespace greenroom::tls_hostile_test

#endif
