// Helpers for the tests of TLS: certificates made on the spot, a network in memory with the two ends of a handshake, and a peer that is
// OpenSSL itself, fed by hand, for what no decent peer does.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <stdlib.h>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <greenroom/runtime/memory_transport.hpp>
#include <greenroom/runtime/tls.hpp>
#include <greenroom/tests/runtime/socket_kit.hpp>

namespace greenroom::test {

template <auto Free>
struct free_by {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
template <class T, auto Free>
using owned = std::unique_ptr<T, free_by<Free>>;

// -- certificates -----------------------------------------------------------------------------------------

/// A certificate and its key, as PEM.
struct identity {
  std::string certificate;
  std::string key;
};

struct wish {
  std::string subject = "localhost";
  std::string names = "DNS:localhost,IP:127.0.0.1"; // as OpenSSL's configuration has them; empty: none
  long from_days = -1;
  long until_days = 1;
};

template <class Write>
std::string as_pem(Write write) {
  const owned<BIO, &BIO_free> out(BIO_new(BIO_s_mem()));
  EXPECT_EQ(write(out.get()), 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

/// Issues certificates; one per name that a test trusts or does not.
class authority {
public:
  explicit authority(const std::string& name = "test root") : key_(EVP_EC_gen("P-256")) {
    root_ = make({.subject = name, .names = "", .from_days = -10, .until_days = 10}, key_.get(), true);
  }
  /// The root's certificate.
  std::string pem() const { return pem_of(root_.get()); }
  identity issue(const wish& how = {}) const {
    const owned<EVP_PKEY, &EVP_PKEY_free> key(EVP_EC_gen("P-256"));
    const auto made = make(how, key.get(), false);
    return {pem_of(made.get()), as_pem([&](BIO* out) {
              return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
            })};
  }

private:
  using certificate = owned<X509, &X509_free>;

  static std::string pem_of(X509* of) {
    return as_pem([of](BIO* out) { return PEM_write_bio_X509(out, of); });
  }

  certificate make(const wish& how, EVP_PKEY* key, bool is_root) const {
    certificate made(X509_new());
    auto* const it = made.get();
    X509_set_version(it, 2); // that is, 3
    static long serial = 0;
    ASN1_INTEGER_set(X509_get_serialNumber(it), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(it), how.from_days * 86'400);
    X509_gmtime_adj(X509_getm_notAfter(it), how.until_days * 86'400);
    const auto* const name = reinterpret_cast<const unsigned char*>(how.subject.c_str());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(it), "CN", MBSTRING_UTF8, name, -1, -1, 0);
    X509_set_issuer_name(it, X509_get_subject_name(is_root ? it : root_.get()));
    X509_set_pubkey(it, key);
    if (is_root) add(it, NID_basic_constraints, "critical,CA:TRUE");
    if (!how.names.empty()) add(it, NID_subject_alt_name, how.names);
    EXPECT_GT(X509_sign(it, key_.get(), EVP_sha256()), 0);
    return made;
  }

  static void add(X509* to, int what, const std::string& value) {
    const owned<X509_EXTENSION, &X509_EXTENSION_free> made(X509V3_EXT_conf_nid(nullptr, nullptr, what, value.c_str()));
    ASSERT_NE(made, nullptr) << value;
    EXPECT_EQ(X509_add_ext(to, made.get(), -1), 1);
  }

  const owned<EVP_PKEY, &EVP_PKEY_free> key_;
  certificate root_;
};

/// The root that the tests trust; others make their own.
inline const authority& root() {
  static const authority made;
  return made;
}

/// A folder that goes with its test.
class scratch {
public:
  scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "greenroom_tls_XXXXXX").native();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() { std::filesystem::remove_all(folder_); }
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  std::filesystem::path at(const std::string& name) const { return folder_ / name; }

private:
  std::filesystem::path folder_;
};

inline tls_server_options serves(const identity& who) {
  tls_server_options how;
  how.certificate_pem = who.certificate;
  how.key_pem = who.key;
  return how;
}
inline tls_client_options trusts(const authority& whom) {
  tls_client_options how;
  how.ca_pem = whom.pem();
  return how;
}

// -- handshakes -------------------------------------------------------------------------------------------

using made_stream = result<std::unique_ptr<stream>>;

inline task<> accept_into(tls_server by, std::unique_ptr<stream> raw, std::optional<made_stream>* out) {
  auto made = by.accept(std::move(raw));
  out->emplace(co_await std::move(made));
}
inline task<> connect_into(tls_client by, std::unique_ptr<stream> raw, std::string host,
                           std::optional<made_stream>* out) {
  auto made = by.connect(std::move(raw), std::move(host));
  out->emplace(co_await std::move(made));
}

/// What became of the two ends of one handshake; near is the client's.
struct outcome {
  std::optional<made_stream> near;
  std::optional<made_stream> far;
};

/// A network in memory, in manual time, on one worker.
struct tls_world {
  explicit tls_world(std::size_t capacity = 65'536) : net(capacity) {}

  manual_clock time;
  memory_transport net;
  actor_system sys{quiet(1), environment{.time = &time, .net = &net}};

  stream_pair raw_pair() { return sys.run(make_pair).value(); }
  outcome shake(const tls_server_options& server, const tls_client_options& client,
                const std::string& host = "localhost") {
    return shake(tls_server::make(server).value(), tls_client::make(client).value(), host, raw_pair());
  }
  outcome shake(const tls_server& server, const tls_client& client, const std::string& host, stream_pair raw) {
    outcome both;
    const auto accepts = sys.spawn(accept_into, server, std::move(raw.far), &both.far);
    const auto connects = sys.spawn(connect_into, client, std::move(raw.near), host, &both.near);
    EXPECT_TRUE(accepts.wait().normal() && connects.wait().normal());
    return both;
  }
  /// Two ends that trust each other.
  stream_pair pair() { return pair(raw_pair()); }
  stream_pair pair(stream_pair raw) {
    auto both = shake(tls_server::make(serves(root().issue())).value(), tls_client::make(trusts(root())).value(),
                      "localhost", std::move(raw));
    return {std::move(*both.near).value(), std::move(*both.far).value()};
  }
  std::string read(stream& from, std::size_t most) { return sys.run(read_text, &from, most).value(); }
  result<void> write(stream& to, std::string text) {
    return sys.run(
        [](stream* on, std::string what) -> task<result<void>> {
          auto done = on->write_all(bytes_of(what));
          co_return co_await std::move(done);
        },
        &to, std::move(text));
  }
  /// Lets all actors run until they wait.
  void settle() { (void)sys.run(test::settle); }
};

// -- other peers ------------------------------------------------------------------------------------------

/// A stream that moves at most so many bytes with each call.
class thin_stream final : public stream {
public:
  thin_stream(std::unique_ptr<stream> over, std::size_t most)
      : stream(source_of(*over)), over_(std::move(over)), most_(most) {}
  result<std::size_t> try_read(std::span<std::byte> into) override {
    return over_->try_read(into.first(std::min(most_, into.size())));
  }
  result<std::size_t> try_write(std::span<const std::byte> bytes) override {
    return over_->try_write(bytes.first(std::min(most_, bytes.size())));
  }
  void shutdown_send() noexcept override { over_->shutdown_send(); }
  void close() noexcept override { over_->close(); }
  std::string peer() const override { return over_->peer(); }

private:
  const std::unique_ptr<stream> over_;
  const std::size_t most_;
};

/// A peer by OpenSSL's own calls. Nothing moves but by deliver() and fetch(), so a test decides which bytes come when.
class openssl_peer {
public:
  openssl_peer(std::unique_ptr<stream> raw, const SSL_METHOD* side) : raw_(std::move(raw)), ctx_(SSL_CTX_new(side)) {}

  SSL_CTX* ctx() const noexcept { return ctx_.get(); }
  /// Makes the session, once the context is as the test wants it.
  void begin(bool as_server) {
    ssl_.reset(SSL_new(ctx()));
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in_, -1);
    SSL_set_bio(ssl(), in_, out_);
    as_server ? SSL_set_accept_state(ssl()) : SSL_set_connect_state(ssl());
  }
  SSL* ssl() const noexcept { return ssl_.get(); }
  /// Takes what has come.
  void fetch() {
    std::byte some[4096];
    for (;;) {
      const auto got = raw_->try_read(some);
      if (!got || *got == 0) return;
      BIO_write(in_, some, static_cast<int>(*got));
    }
  }
  /// Sends what OpenSSL has made, or so many bytes of it, in one piece.
  void deliver(std::size_t most = SIZE_MAX) {
    std::string bytes(std::min(most, undelivered()), '\0');
    if (bytes.empty()) return;
    BIO_read(out_, bytes.data(), static_cast<int>(bytes.size()));
    const auto put = raw_->try_write(bytes_of(bytes));
    ASSERT_TRUE(put && *put == bytes.size()) << "the network of this test is too small";
  }
  std::size_t undelivered() const { return BIO_ctrl_pending(out_); }
  /// Goes on with the handshake; true when it is done.
  bool step() {
    fetch();
    return SSL_do_handshake(ssl()) == 1;
  }
  std::string read() {
    fetch();
    std::string all;
    char some[4096];
    std::size_t got = 0;
    while (SSL_read_ex(ssl(), some, sizeof some, &got) == 1) all.append(some, got);
    return all;
  }
  void write(std::string_view text) {
    std::size_t put = 0;
    EXPECT_EQ(SSL_write_ex(ssl(), text.data(), text.size(), &put), 1);
  }
  stream& raw() const noexcept { return *raw_; }

private:
  const std::unique_ptr<stream> raw_;
  const owned<SSL_CTX, &SSL_CTX_free> ctx_;
  owned<SSL, &SSL_free> ssl_;
  BIO* in_ = nullptr; // the session has them
  BIO* out_ = nullptr;
};

} // namespace greenroom::test
