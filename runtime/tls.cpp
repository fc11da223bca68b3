#include <greenroom/runtime/tls.hpp>

#include <mutex>
#include <utility>

#include <fmt/format.h>

#if GREENROOM_HAS_TLS
#include <arpa/inet.h>

#include <greenroom/runtime/internal/tls_stream.hpp>
#endif

namespace greenroom {

#if GREENROOM_HAS_TLS

namespace {

using internal::tls_context;
using internal::tls_stream;
using made_stream = result<std::unique_ptr<stream>>;

error cannot(const char* what, const std::string& on, const std::string& why, errc code) {
  return {code, fmt::format("cannot {}: {}: {}", what, on, why)};
}

task<made_stream> refused(error why) { co_return why; }

/// Does the handshake; what unwinds it closes the stream.
task<made_stream> shake_hands(std::unique_ptr<tls_stream> with) {
  for (;;) {
    co_await detail::io_step();
    const auto done = with->try_handshake();
    if (!done) co_return done.error();
    if (*done) co_return std::unique_ptr<stream>(std::move(with));
    co_await with->readable();
  }
}

enum class host_kind : std::uint8_t { none, name, address };

host_kind kind_of(const std::string& host) noexcept {
  in6_addr binary{}; // room for either
  if (::inet_pton(AF_INET, host.c_str(), &binary) == 1 || ::inet_pton(AF_INET6, host.c_str(), &binary) == 1) {
    return host_kind::address;
  }
  if (host.empty() || host.size() > 253) return host_kind::none; // RFC 1035, section 2.3.4
  for (const char c : host) {
    const bool fine =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    if (!fine) return host_kind::none;
  }
  return host_kind::name;
}

/// Takes off what an address has in a URL, and the dot behind a name that is complete; certificates have neither.
std::string bare(std::string host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') return host.substr(1, host.size() - 2);
  if (host.size() > 1 && host.back() == '.') host.pop_back();
  return host;
}

bool expect(SSL& session, const std::string& host, host_kind kind) {
  if (kind == host_kind::address) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(&session), host.c_str()) == 1;
  }
  SSL_set_hostflags(&session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(&session, host.c_str()) == 1 && SSL_set_tlsext_host_name(&session, host.c_str()) == 1;
}

} // namespace

// -- server -----------------------------------------------------------------------------------------------

class tls_server::state {
public:
  state(tls_server_options how, std::shared_ptr<const tls_context> first)
      : options(std::move(how)), current_(std::move(first)) {}
  std::shared_ptr<const tls_context> current() {
    std::lock_guard guard(mutex_);
    return current_;
  }
  void replace(std::shared_ptr<const tls_context> by) { // the old one ends outside the lock
    std::lock_guard guard(mutex_);
    current_.swap(by);
  }
  const tls_server_options options;

private:
  std::mutex mutex_;
  std::shared_ptr<const tls_context> current_; // guarded by mutex_
};

result<tls_server> tls_server::make(tls_server_options options) {
  auto first = internal::make_context(options);
  if (!first) return first.error();
  return tls_server(std::make_shared<state>(std::move(options), *std::move(first)));
}

result<tls_certificate> tls_server::reload() const {
  auto next = internal::make_context(state_->options);
  if (!next) return next.error();
  auto about = *(*next)->own;
  state_->replace(*std::move(next));
  return about;
}

tls_certificate tls_server::certificate() const { return *state_->current()->own; }

task<made_stream> tls_server::accept(std::unique_ptr<stream> raw) const {
  auto with = state_->current();
  internal::ssl_ptr session(SSL_new(with->ctx.get()));
  if (!session) return refused(cannot("accept TLS from", raw->peer(), internal::take_openssl_reason(), errc::io));
  SSL_set_accept_state(session.get());
  return shake_hands(std::make_unique<tls_stream>(std::move(raw), std::move(with), std::move(session), std::string()));
}

// -- client -----------------------------------------------------------------------------------------------

class tls_client::state {
public:
  std::shared_ptr<const tls_context> context;
};

result<tls_client> tls_client::make(tls_client_options options) {
  auto made = internal::make_context(options);
  if (!made) return made.error();
  return tls_client(std::make_shared<const state>(state{*std::move(made)}));
}

task<made_stream> tls_client::connect(std::unique_ptr<stream> raw, std::string host) const {
  const char* const doing = "connect by TLS to";
  auto with = state_->context;
  auto name = bare(std::move(host));
  const auto kind = kind_of(name);
  if (kind == host_kind::none) {
    return refused(cannot(doing, raw->peer(), fmt::format("\"{}\" is neither a host name nor an address", name),
                          errc::invalid_argument));
  }
  internal::ssl_ptr session(SSL_new(with->ctx.get()));
  if (!session || !expect(*session, name, kind)) {
    return refused(cannot(doing, raw->peer(), internal::take_openssl_reason(), errc::io));
  }
  SSL_set_connect_state(session.get());
  return shake_hands(
      std::make_unique<tls_stream>(std::move(raw), std::move(with), std::move(session), std::move(name)));
}

std::optional<tls_session> tls_session_of(const stream& of) {
  const auto* const tls = dynamic_cast<const tls_stream*>(&of);
  if (tls == nullptr) return std::nullopt;
  return tls->session();
}

#else

namespace {

error no_tls(const char* what) {
  return {errc::unsupported,
          fmt::format("cannot {}: TLS: this build has none: configure it with OpenSSL 3 and GREENROOM_TLS=ON", what)};
}

task<result<std::unique_ptr<stream>>> refused(error why) { co_return why; }

} // namespace

class tls_server::state {};
class tls_client::state {};

result<tls_server> tls_server::make(tls_server_options) { return no_tls("make a server"); }
result<tls_certificate> tls_server::reload() const { return no_tls("reload certificates"); }
tls_certificate tls_server::certificate() const { return {}; }
task<result<std::unique_ptr<stream>>> tls_server::accept(std::unique_ptr<stream>) const {
  return refused(no_tls("accept"));
}
result<tls_client> tls_client::make(tls_client_options) { return no_tls("make a client"); }
task<result<std::unique_ptr<stream>>> tls_client::connect(std::unique_ptr<stream>, std::string) const {
  return refused(no_tls("connect"));
}
std::optional<tls_session> tls_session_of(const stream&) { return std::nullopt; }

#endif

tls_server::tls_server(std::shared_ptr<state> with) noexcept : state_(std::move(with)) {}
tls_client::tls_client(std::shared_ptr<const state> with) noexcept : state_(std::move(with)) {}

} // namespace greenroom
