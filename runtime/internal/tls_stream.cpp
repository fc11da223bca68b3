#if GREENROOM_HAS_TLS

#include <greenroom/runtime/internal/tls_stream.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <openssl/err.h>

namespace greenroom::internal {
namespace {

/// What one call may read of the stream below: a peer that sends nothing but messages of TLS itself must not hold the worker.
constexpr std::size_t most_pulled = 65'536;
/// What may wait to be sent before OpenSSL has to wait too: answers to messages of a peer that reads none of them.
constexpr std::size_t most_unsent = 65'536;
/// The longest record of RFC 8446, section 5.1.
constexpr std::size_t most_in_record = 16'384;

} // namespace

/// The BIO's functions. No exception may cross OpenSSL.
struct tls_bio {
  static tls_stream& owner(BIO* of) noexcept { return *static_cast<tls_stream*>(BIO_get_data(of)); }

  static int read(BIO* from, char* into, int size) noexcept {
    BIO_clear_retry_flags(from);
    const int got = owner(from).pull(std::as_writable_bytes(std::span(into, static_cast<std::size_t>(size))));
    if (got < 0 && !owner(from).receive_error_) BIO_set_retry_read(from);
    return got;
  }

  static int write(BIO* to, const char* bytes, int size) noexcept {
    BIO_clear_retry_flags(to);
    const int put = owner(to).push(std::as_bytes(std::span(bytes, static_cast<std::size_t>(size))));
    if (put < 0) BIO_set_retry_write(to);
    return put;
  }

  static long control(BIO* of, int what, long, void*) noexcept {
    if (what == BIO_CTRL_EOF) return owner(of).raw_ended_ ? 1 : 0;
    return what == BIO_CTRL_FLUSH ? 1 : 0;
  }

  static const BIO_METHOD* method() {
    static const BIO_METHOD* const made = [] {
      auto* const m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "greenroom stream");
      if (m == nullptr) throw std::bad_alloc();
      BIO_meth_set_read(m, read);
      BIO_meth_set_write(m, write);
      BIO_meth_set_ctrl(m, control);
      return m; // for as long as the process: streams may end after main()
    }();
    return made;
  }

  static BIO* make(tls_stream& owner) {
    BIO* const made = BIO_new(method());
    if (made == nullptr) throw std::bad_alloc();
    BIO_set_data(made, &owner);
    BIO_set_init(made, 1);
    return made;
  }
};

tls_stream::tls_stream(std::unique_ptr<stream> raw, std::shared_ptr<const tls_context> context, ssl_ptr session,
                       std::string host)
    : stream(source_of(*raw)),
      raw_(std::move(raw)),
      context_(std::move(context)),
      host_(std::move(host)),
      ssl_(std::move(session)) {
  BIO* const both = tls_bio::make(*this);
  SSL_set_bio(ssl_.get(), both, both); // which takes it
}

// -- what OpenSSL calls -----------------------------------------------------------------------------------

int tls_stream::pull(std::span<std::byte> into) noexcept {
  const auto room = std::min(into.size(), may_pull_);
  if (room == 0) return -1;
  const auto got = raw_->try_read(into.first(room));
  if (!got) {
    if (!got.error().is(errc::empty)) receive_error_ = got.error();
    return -1;
  }
  may_pull_ -= *got;
  pulled_ = true;
  raw_ended_ = *got == 0;
  return static_cast<int>(*got);
}

int tls_stream::push(std::span<const std::byte> bytes) noexcept {
  const int all = static_cast<int>(bytes.size());
  if (send_error_) return all; // nobody gets it, and what the peer has sent before is still to be read
  if (unsent_.size() - sent_ >= most_unsent) return -1;
  while (unsent_.empty() && !bytes.empty()) {
    const auto put = raw_->try_write(bytes);
    if (put) {
      bytes = bytes.subspan(*put);
    } else if (put.error().is(errc::full)) {
      break;
    } else {
      send_error_ = put.error();
      return all;
    }
  }
  unsent_.insert(unsent_.end(), bytes.begin(), bytes.end());
  return all;
}

// -- calls of OpenSSL -------------------------------------------------------------------------------------

template <class Call>
tls_stream::outcome tls_stream::attempt_locked(const char* doing, Call call) {
  ERR_clear_error();
  may_pull_ = most_pulled;
  pulled_ = false;
  receive_error_.reset();
  const int code = call(ssl_.get());
  if (pulled_) write_wants_input_ = false;
  if (code > 0) return outcome::done;
  switch (SSL_get_error(ssl_.get(), code)) {
  case SSL_ERROR_WANT_READ: return outcome::wants_input;
  case SSL_ERROR_WANT_WRITE: return outcome::wants_output;
  case SSL_ERROR_ZERO_RETURN: return outcome::peer_ended;
  default: note_failure_locked(doing); return outcome::failed;
  }
}

void tls_stream::note_failure_locked(const char* doing) {
  const auto reason = take_tls_reason(*ssl_, host_);
  if (receive_error_) {
    failure_ = receive_error_;
  } else {
    failure_.emplace(errc::io, fmt::format("cannot {}: {}: {}", doing, peer(), reason));
  }
}

result<bool> tls_stream::try_handshake() {
  constexpr const char* doing = "complete the TLS handshake with";
  std::lock_guard guard(mutex_);
  if (closed_) return closed_here(doing);
  flush_locked();
  if (failure_) return *failure_;
  const auto go_on = [](SSL* session) { return SSL_do_handshake(session); };
  auto came_to = attempt_locked(doing, go_on);
  // What broke the sending is told only when there is nothing left to read: the peer may have said why it left.
  if (came_to == outcome::wants_input && send_error_) came_to = attempt_locked(doing, go_on);
  if (came_to == outcome::wants_input && send_error_) failure_ = send_error_;
  established_ = came_to == outcome::done;
  // A client's last message must be out, or the server waits while the client does something else. What a server says last are
  // tickets, for which nobody waits.
  const bool done = established_ && (SSL_is_server(ssl_.get()) == 1 || unsent_.empty());
  read_wants_output_ = came_to == outcome::wants_output || (established_ && !done);
  has_more_ = done && SSL_has_pending(ssl_.get()) == 1;
  tell_waits_locked();
  if (failure_) return *failure_;
  return done;
}

result<std::size_t> tls_stream::try_read(std::span<std::byte> into) {
  constexpr const char* doing = "read from";
  std::lock_guard guard(mutex_);
  if (closed_) return closed_here(doing);
  flush_locked();
  result<std::size_t> got(errc::empty);
  if (!failure_ && !peer_ended_) {
    std::size_t size = 0;
    const auto came_to =
        attempt_locked(doing, [&](SSL* session) { return SSL_read_ex(session, into.data(), into.size(), &size); });
    if (came_to == outcome::done) got = size;
    peer_ended_ = came_to == outcome::peer_ended;
    read_wants_output_ = came_to == outcome::wants_output;
    has_more_ = came_to == outcome::done && SSL_has_pending(ssl_.get()) == 1;
  }
  tell_waits_locked();
  if (peer_ended_) return std::size_t{0};
  if (failure_) return *failure_;
  return got;
}

result<std::size_t> tls_stream::try_write(std::span<const std::byte> bytes) {
  constexpr const char* doing = "write to";
  std::lock_guard guard(mutex_);
  if (closed_) return closed_here(doing);
  flush_locked();
  result<std::size_t> put(std::size_t{0});
  if (!bytes.empty()) put = unsent_.empty() && !failure_ ? continue_write_locked(bytes) : errc::full;
  tell_waits_locked();
  if (failure_) return *failure_;
  if (send_error_) return *send_error_;
  if (send_ended_) return error(errc::io, fmt::format("cannot {}: {}: its sending was ended here", doing, peer()));
  return put;
}

/// Writes when all that came before is out.
result<std::size_t> tls_stream::continue_write_locked(std::span<const std::byte> bytes) {
  if (send_error_ || send_ended_) return errc::full;
  if (const auto held = std::exchange(held_back_, std::nullopt); held == bytes.front()) return std::size_t{1};
  const auto record = bytes.first(std::min(bytes.size(), most_in_record));
  std::size_t put = 0;
  const auto came_to = attempt_locked(
      "write to", [&](SSL* session) { return SSL_write_ex(session, record.data(), record.size(), &put); });
  has_more_ = has_more_ || pulled_; // it may have read more than the message it wanted
  if (came_to == outcome::wants_input) write_wants_input_ = true;
  if (came_to != outcome::done) return errc::full;
  if (unsent_.empty() || put < bytes.size()) return put;
  // Nothing is left of what the caller wants to write, so it would not come back to see the rest of the record out.
  held_back_ = bytes.back();
  return put > 1 ? result<std::size_t>(put - 1) : errc::full;
}

// -- the stream below -------------------------------------------------------------------------------------

void tls_stream::flush_locked() noexcept {
  while (sent_ < unsent_.size() && !send_error_) {
    const auto put = raw_->try_write(std::span(unsent_).subspan(sent_));
    if (put) {
      sent_ += *put;
    } else if (put.error().is(errc::full)) {
      return;
    } else {
      send_error_ = put.error();
    }
  }
  if (!unsent_.empty()) std::vector<std::byte>().swap(unsent_); // idle connections hold no buffer
  sent_ = 0;
  if (std::exchange(end_raw_, false)) raw_->shutdown_send();
}

void tls_stream::tell_waits_locked() {
  using source = detail::readiness_source;
  std::uint8_t reading = source::to_read;
  if (failure_ || peer_ended_ || has_more_) {
    reading = source::nothing;
  } else if (read_wants_output_) {
    reading = source::to_write;
  } else if (!unsent_.empty()) {
    reading |= source::to_write; // who reads sees it out, if nobody writes any more
  }
  std::uint8_t writing = write_wants_input_ ? source::to_read : source::to_write;
  if (failure_ || send_error_ || send_ended_) writing = source::nothing;
  auto& at = source_of(*this);
  if (std::exchange(reading_looks_for_, reading) != reading) at.look_for(detail::io_side::reading, reading);
  if (std::exchange(writing_looks_for_, writing) != writing) at.look_for(detail::io_side::writing, writing);
}

// -- ends -------------------------------------------------------------------------------------------------

void tls_stream::announce_end_locked() noexcept {
  if (!established_ || failure_ || send_ended_) return;
  send_ended_ = true;
  ERR_clear_error();
  SSL_shutdown(ssl_.get()); // 0: sent, and the peer has not ended yet
  ERR_clear_error();
}

void tls_stream::shutdown_send() noexcept {
  std::lock_guard guard(mutex_);
  if (closed_ || end_raw_) return;
  announce_end_locked();
  end_raw_ = true;
  flush_locked();
  tell_waits_locked();
}

/// Takes in what is there of TLS itself, such as tickets: unread, it would make the stream below reset the connection.
bool tls_stream::has_unread_input_locked() {
  std::byte one{};
  std::size_t size = 0;
  return attempt_locked("close", [&](SSL* session) { return SSL_peek_ex(session, &one, 1, &size); }) == outcome::done;
}

/// Takes in what a peer sends that was refused, so that it gets the alert and not a reset.
void tls_stream::discard_input_locked() noexcept {
  std::array<std::byte, 4096> some;
  for (std::size_t left = most_pulled; left >= some.size(); left -= some.size()) {
    const auto got = raw_->try_read(some);
    if (!got || *got == 0) return;
  }
}

void tls_stream::close() noexcept {
  if (closed_.exchange(true)) return;
  {
    std::lock_guard guard(mutex_);
    if (failure_) discard_input_locked();
    if (established_ && !failure_ && (peer_ended_ || !has_unread_input_locked())) announce_end_locked();
    flush_locked();
  }
  raw_->close();
}

error tls_stream::closed_here(const char* doing) const {
  return {errc::closed, fmt::format("cannot {}: {}: it was closed on this side", doing, peer())};
}

// -- the session ------------------------------------------------------------------------------------------

tls_session tls_stream::session() const {
  std::lock_guard guard(mutex_);
  SSL* const ssl = ssl_.get();
  tls_session about;
  about.version = SSL_version(ssl) == TLS1_2_VERSION ? tls_version::tls_1_2 : tls_version::tls_1_3;
  about.cipher = SSL_get_cipher_name(ssl);
  const unsigned char* alpn = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl, &alpn, &size);
  about.alpn.assign(alpn, alpn + size);
  if (const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) about.server_name = name;
  if (const X509* const peer = SSL_get0_peer_certificate(ssl)) {
    about.peer = describe(*peer);
    about.peer_verified = SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE && SSL_get_verify_result(ssl) == X509_V_OK;
  }
  return about;
}

} // namespace greenroom::internal

#endif
