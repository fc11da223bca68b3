// tls_stream: one TLS session over another stream, by OpenSSL. It never waits within; a wait for readiness is one of the stream below,
// which is told what each side has to look for (readiness_source::look_for).
//
// OpenSSL reads and writes through a BIO that is this object. Its writing always succeeds, short of a limit: what the stream below does
// not take stands in unsent_ and goes first at each later call, of whichever side. So OpenSSL never holds half a record, which it would
// want to be given again, byte by byte, whatever the caller wants to write by then.
// Thread safety: as stream. A mutex guards the session, since OpenSSL's is for one thread. Lock order: mutex_, then the stream below.
// Lifetime: as stream.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <greenroom/runtime/internal/tls_context.hpp>
#include <greenroom/runtime/transport.hpp>

namespace greenroom::internal {

class tls_stream final : public stream {
public:
  /// Takes the session, which knows its role, and the stream below. `host` is whom a client wants; for messages.
  tls_stream(std::unique_ptr<stream> raw, std::shared_ptr<const tls_context> context, ssl_ptr session,
             std::string host);
  ~tls_stream() override { tls_stream::close(); }

  /// Goes on with the handshake; before all else but close(). Returns true when it is done; otherwise wait for readable().
  /// Waits: never. Errors: io, closed.
  result<bool> try_handshake();

  result<std::size_t> try_read(std::span<std::byte> into) override;
  result<std::size_t> try_write(std::span<const std::byte> bytes) override;
  void shutdown_send() noexcept override;
  void close() noexcept override;
  greenroom::peer_state peer_state() const noexcept override { return raw_->peer_state(); }
  std::string peer() const override { return raw_->peer(); }

  tls_session session() const;

private:
  friend struct tls_bio;
  enum class outcome : std::uint8_t { done, wants_input, wants_output, peer_ended, failed };

  /// Calls OpenSSL once. `doing` begins the message of a failure.
  template <class Call>
  outcome attempt_locked(const char* doing, Call call);
  void note_failure_locked(const char* doing);
  result<std::size_t> continue_write_locked(std::span<const std::byte> bytes);
  void flush_locked() noexcept;
  void announce_end_locked() noexcept;
  void discard_input_locked() noexcept;
  void tell_waits_locked();
  bool has_unread_input_locked();
  error closed_here(const char* doing) const;

  // For the BIO, under mutex_.
  int pull(std::span<std::byte> into) noexcept;
  int push(std::span<const std::byte> bytes) noexcept;

  const std::unique_ptr<stream> raw_;
  const std::shared_ptr<const tls_context> context_; // OpenSSL refers to its list of protocols
  const std::string host_;
  std::atomic<bool> closed_{false};

  mutable std::mutex mutex_; // guards all that follows
  ssl_ptr ssl_;
  std::vector<std::byte> unsent_;      // ciphertext that the stream below has yet to take
  std::size_t sent_ = 0;               // of these
  std::optional<std::byte> held_back_; // plaintext that has gone into unsent_, and was not counted as written
  std::optional<error> failure_;       // of the session; it does nothing more
  std::optional<error> send_error_;    // of the stream below; what came before it may still be read
  std::optional<error> receive_error_; // of the stream below, in the call under way
  std::size_t may_pull_ = 0;           // bytes that the call under way may still read
  bool pulled_ = false;                // the call under way has read
  bool raw_ended_ = false;
  bool established_ = false;
  bool peer_ended_ = false; // as it has announced
  bool send_ended_ = false;
  bool end_raw_ = false;           // once unsent_ is empty
  bool has_more_ = false;          // a try to read may give something whatever the stream below has
  bool read_wants_output_ = false; // it must write first
  bool write_wants_input_ = false; // it must read first
  std::uint8_t reading_looks_for_ = detail::readiness_source::to_read; // as the source was told
  std::uint8_t writing_looks_for_ = detail::readiness_source::to_write;
};

} // namespace greenroom::internal
