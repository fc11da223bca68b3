// TLS (1.2 and 1.3, by OpenSSL) over any stream: what the two ends give back is a stream again, so who reads and writes need not know.
//
//   auto tls = tls_server::make({.certificate_file = "chain.pem", .key_file = "key.pem"});   // result<tls_server>
//   auto made = co_await with_timeout(10s, tls->accept(std::move(raw)));                     // result<std::unique_ptr<stream>>
//
// A wait for the peer has no limit of its own: give accept() and connect() one. OpenSSL draws from the machine's randomness and looks at
// its date, also in a simulation. In a build without OpenSSL every call fails with errc::unsupported.
// Thread safety: tls_server and tls_client any thread; the rest are plain values. Lifetime: connections and handshakes may outlive
// the tls_server or tls_client that began them.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/error.hpp>
#include <greenroom/runtime/task.hpp>
#include <greenroom/runtime/transport.hpp>

namespace greenroom {

/// The versions of TLS that are spoken.
enum class tls_version : std::uint8_t { tls_1_2, tls_1_3 };

/// Whether a server asks its clients for certificates. One that a client shows is always checked.
enum class client_certificates : std::uint8_t { none, optional, required };

/// What a certificate says. Texts in it are printable whatever stands there.
struct tls_certificate {
  std::string subject; ///< as in RFC 2253: "CN=example.com,O=Example"
  std::string issuer;  ///< the same of who has signed it
  std::vector<std::string>
      names; ///< its alternative names: "DNS:example.com", "IP:10.0.0.1", "URI:spiffe://a/b", "email:a@b.c"
  std::chrono::sys_seconds valid_from;  ///< it counts from then on
  std::chrono::sys_seconds valid_until; ///< and up to then
  std::string sha256;                   ///< of the whole certificate, 64 hexadecimal digits
  std::string warning;                  ///< why peers will refuse it, as when it has expired; empty if nothing is known
};

/// The server's side. Of each item one form is given: a file or its text.
struct tls_server_options {
  std::filesystem::path certificate_file{}; ///< PEM: the server's own certificate, then those between it and its root
  std::filesystem::path key_file{};         ///< PEM, not encrypted
  std::string certificate_pem{};            ///< the content of such a file
  std::string key_pem{};                    ///< the content of such a file
  client_certificates clients = client_certificates::none; ///< whether it asks for their certificates
  std::filesystem::path client_ca_file{};                  ///< PEM: who may have issued the certificates of clients
  std::string client_ca_pem{};                             ///< the content of such a file
  tls_version min_version = tls_version::tls_1_2;          ///< older ones are refused
  /// What is spoken over it, the preferred one first (RFC 7301). A client that offers others only is refused; one that offers none is
  /// taken.
  std::vector<std::string> alpn{"http/1.1"};
};

/// The client's side.
struct tls_client_options {
  std::filesystem::path ca_file{};          ///< PEM: whom to trust; without it and the next one, whom the system trusts
  std::string ca_pem{};                     ///< the content of such a file
  std::filesystem::path certificate_file{}; ///< the client's own, if servers ask for one; as for a server
  std::filesystem::path key_file{};         ///< PEM, not encrypted
  std::string certificate_pem{};            ///< the content of such a file
  std::string key_pem{};                    ///< the same
  tls_version min_version = tls_version::tls_1_2; ///< older ones are refused
  std::vector<std::string> alpn{};                ///< what to offer, the preferred one first
  /// Takes any server for the right one, so that anybody on the way may read and change everything. For tests.
  bool insecure_skip_verify = false;
};

/// What two ends have agreed upon.
struct tls_session {
  tls_version version = tls_version::tls_1_3; ///< what is spoken
  std::string cipher;                         ///< "TLS_AES_256_GCM_SHA384"
  std::string alpn;                           ///< "http/1.1"; empty when none was agreed upon
  std::string server_name;                    ///< the host that the client asked for (SNI); empty when it named none
  std::optional<tls_certificate> peer;        ///< the peer's certificate, if it showed one
  bool peer_verified = false;                 ///< it did, and was checked; false under insecure_skip_verify
};

/// Takes clients in. Copies share one state, reload() included. Thread safety: any thread.
class GREENROOM_EXPORT tls_server {
public:
  /// Reads certificates and keys. Waits: blocks the thread while it reads files.
  /// Errors: invalid_argument when the options contradict themselves; not_found, io for files; parse for what stands in them, a
  /// key that belongs to another certificate included; unsupported.
  static result<tls_server> make(tls_server_options options);

  /// Reads the files again: connections from now on get what they say, those that are there go on. The keys of session tickets are
  /// new, too: who comes back does a whole handshake. Returns the certificate.
  /// Waits, Errors: as make(); then all stays as it was.
  result<tls_certificate> reload() const;
  /// Returns the certificate that clients get now. One that is out of date is served all the same, with a `warning`.
  tls_certificate certificate() const;

  /// Does the handshake with a client, and gives the stream over `raw`, never a null pointer. What it keeps of the promises of
  /// `stream`, and how, stands at tls_session_of().
  /// Waits: suspends the actor until the client has done its part. Cancellation: throws `cancelled`; closes `raw`.
  /// Errors: io, with peer and reason, as for one that speaks no TLS or shows no certificate; closed. `raw` is closed then.
  /// Cost: computes for a fraction of a millisecond, with RSA keys for several times as long as with ECDSA keys.
  task<result<std::unique_ptr<stream>>> accept(std::unique_ptr<stream> raw) const;

private:
  class state;
  explicit tls_server(std::shared_ptr<state> with) noexcept;
  std::shared_ptr<state> state_;
};

/// Makes connections to servers. Copies share one state. Thread safety: any thread.
class GREENROOM_EXPORT tls_client {
public:
  /// Reads certificates and keys. Waits, Errors: as tls_server::make().
  static result<tls_client> make(tls_client_options options);

  /// Does the handshake with the server at the other end of `raw`, which must prove to be `host`: a name, which is also sent (SNI),
  /// or an address. Gives the stream over `raw`, never a null pointer.
  /// Waits: suspends the actor until the server has done its part. Cancellation: throws `cancelled`; closes `raw`.
  /// Errors: invalid_argument when `host` is neither; io, with peer and reason, as for a certificate of somebody else; closed.
  /// `raw` is closed then. A server of TLS 1.3 that refuses this client's certificate says so later, to its first read.
  task<result<std::unique_ptr<stream>>> connect(std::unique_ptr<stream> raw, std::string host) const;

private:
  class state;
  explicit tls_client(std::shared_ptr<const state> with) noexcept;
  std::shared_ptr<const state> state_;
};

/// Returns what was agreed upon for a stream of accept() or connect(), nothing for any other. Such a stream keeps what `stream`
/// promises, also that one actor may read while another writes. What is particular:
/// - The peer's end is an end (0) only if it was announced (close_notify). Otherwise somebody may have cut the connection, and reading
///   fails with io behind the last byte.
/// - shutdown_send() and close() announce it. close() does not if there is input that was not read; the peer then reads an error, as it
///   would after a reset.
/// - Nothing is sent between calls. Where the stream below is full, shutdown_send() leaves the announcement to later calls of either
///   side, as reading to the peer's end; close() drops it, and the peer reads an error behind what was written.
/// - A record goes out whole. Where the stream below takes a part, the last byte counts as not written until the rest has gone, by the
///   next calls of either side. Who gives up then, as a cancelled write_all(), and writes other bytes, has sent that byte too.
/// Thread safety: any thread. Cost: locks the stream, and allocates.
GREENROOM_EXPORT std::optional<tls_session> tls_session_of(const stream& of);

} // namespace greenroom
