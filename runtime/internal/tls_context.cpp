#if GREENROOM_HAS_TLS

#include <greenroom/runtime/internal/tls_context.hpp>

#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <greenroom/runtime/files.hpp>

namespace greenroom::internal {
namespace {

using std::filesystem::path;

error refusal(errc code, std::string_view on, std::string_view why) {
  return {code, fmt::format("cannot set up TLS: {}: {}", on, why)};
}

error out_of_openssl() { return refusal(errc::io, "OpenSSL", take_openssl_reason()); }

/// PEM text, and what messages call it.
struct pem {
  std::string text;
  std::string name;
  bool empty() const noexcept { return name.empty(); }
};

/// Reads one item of the options: none, a file, or its content.
result<pem> load(std::string_view item, const path& file, const std::string& text) {
  if (file.empty()) return text.empty() ? pem() : pem{text, fmt::format("{}_pem", item)};
  if (!text.empty()) {
    return refusal(errc::invalid_argument, item,
                   fmt::format("both {}_file and {}_pem are given: give one", item, item));
  }
  auto content = real_files().read_all(file);
  if (!content) return refusal(content.error().code(), fmt::format("{}_file", item), content.error().message());
  return pem{*std::move(content), file.native()};
}

bio_ptr reader(const pem& of) {
  ERR_clear_error();
  return bio_ptr(BIO_new_mem_buf(of.text.data(), static_cast<int>(of.text.size())));
}

result<std::vector<x509_ptr>> certificates_in(const pem& from) {
  const auto in = reader(from);
  std::vector<x509_ptr> all;
  while (x509_ptr next{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)}) all.push_back(std::move(next));
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) { // what else ends the list is a fault in it
    return refusal(errc::parse, from.name, fmt::format("certificate {}: {}", all.size() + 1, take_openssl_reason()));
  }
  ERR_clear_error();
  if (all.empty()) return refusal(errc::parse, from.name, "it holds no certificate (-----BEGIN CERTIFICATE-----)");
  return all;
}

result<key_ptr> key_in(const pem& from) {
  if (from.text.find("ENCRYPTED") != std::string::npos) {
    return refusal(errc::parse, from.name, "the key is encrypted: take the password off (openssl pkey)");
  }
  if (from.text.find("PRIVATE KEY-----") == std::string::npos) {
    return refusal(errc::parse, from.name, "it holds no private key (-----BEGIN PRIVATE KEY-----)");
  }
  const auto in = reader(from);
  const auto no_password = [](char*, int, int, void*) { return -1; }; // the default asks at the terminal
  key_ptr key(PEM_read_bio_PrivateKey(in.get(), nullptr, no_password, nullptr));
  if (key) return key;
  return refusal(errc::parse, from.name, fmt::format("its private key cannot be read: {}", take_openssl_reason()));
}

result<void> set_identity(tls_context& to, const pem& certificate, const pem& key) {
  auto chain = certificates_in(certificate);
  if (!chain) return chain.error();
  const auto secret = key_in(key);
  if (!secret) return secret.error();
  auto& own = chain->front();
  if (X509_check_private_key(own.get(), secret->get()) != 1) {
    ERR_clear_error();
    return refusal(errc::parse, key.name,
                   fmt::format("the key does not belong to the certificate in {}", certificate.name));
  }
  if (SSL_CTX_use_certificate(to.ctx.get(), own.get()) != 1 ||
      SSL_CTX_use_PrivateKey(to.ctx.get(), secret->get()) != 1) {
    return refusal(errc::parse, certificate.name, take_openssl_reason());
  }
  for (std::size_t i = 1; i < chain->size(); ++i) {
    if (SSL_CTX_add1_chain_cert(to.ctx.get(), (*chain)[i].get()) != 1) {
      return refusal(errc::parse, certificate.name, fmt::format("certificate {}: {}", i + 1, take_openssl_reason()));
    }
  }
  to.own = describe(*own);
  return {};
}

/// Trusts the certificates in `who`, roots or not, and nobody else. A server also tells its clients whom it trusts.
result<void> set_trust(SSL_CTX& to, const pem& who, bool tell) {
  const auto all = certificates_in(who);
  if (!all) return all.error();
  auto* const store = SSL_CTX_get_cert_store(&to);
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  for (const auto& one : *all) {
    if (X509_STORE_add_cert(store, one.get()) != 1 || (tell && SSL_CTX_add_client_CA(&to, one.get()) != 1)) {
      return refusal(errc::parse, who.name, take_openssl_reason());
    }
  }
  return {};
}

result<std::string> alpn_list(const std::vector<std::string>& names) {
  std::string wire;
  for (const auto& name : names) {
    if (name.empty() || name.size() > 255) {
      return refusal(errc::invalid_argument, "alpn", fmt::format("a name has 1 to 255 bytes, not {}", name.size()));
    }
    wire += static_cast<char>(name.size());
    wire += name;
  }
  if (wire.size() > 65'535) {
    return refusal(errc::invalid_argument, "alpn", fmt::format("{} bytes of names, at most 65535", wire.size()));
  }
  return wire;
}

const unsigned char* octets(const std::string& of) { return reinterpret_cast<const unsigned char*>(of.data()); }

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned int offered_size, void* mine) noexcept {
  const auto& list = *static_cast<const std::string*>(mine);
  unsigned char* at = nullptr;
  const int found =
      SSL_select_next_proto(&at, size, octets(list), static_cast<unsigned int>(list.size()), offered, offered_size);
  *chosen = at;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// What holds for both sides. Of TLS 1.2 the suites with forward secrecy and authenticated encryption (RFC 9325, section 4.2).
result<std::shared_ptr<tls_context>> new_context(const SSL_METHOD* side, tls_version least,
                                                 const std::vector<std::string>& alpn) {
  auto names = alpn_list(alpn);
  if (!names) return names.error();
  ERR_clear_error();
  auto made = std::make_shared<tls_context>();
  made->alpn = *std::move(names);
  made->ctx.reset(SSL_CTX_new(side));
  auto* const ctx = made->ctx.get();
  if (ctx == nullptr) return out_of_openssl();
  SSL_CTX_set_security_level(ctx, 2);
  SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(ctx, 1);                          // a record costs one read of the stream below, not two
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); // clients keep their tickets, the server nothing
  const int version = least == tls_version::tls_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
  if (SSL_CTX_set_min_proto_version(ctx, version) != 1 || SSL_CTX_set_max_proto_version(ctx, 0) != 1 ||
      SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1) {
    return out_of_openssl();
  }
  return made;
}

result<void> trust_clients(tls_context& to, const tls_server_options& how) {
  const auto who = load("client_ca", how.client_ca_file, how.client_ca_pem);
  if (!who) return who.error();
  if (how.clients == client_certificates::none) {
    if (who->empty()) return {};
    return refusal(errc::invalid_argument, who->name, "it is given, but `clients` says that none is asked for");
  }
  if (who->empty()) {
    return refusal(errc::invalid_argument, "clients", "they are asked for certificates: give client_ca_file too");
  }
  const auto trusted = set_trust(*to.ctx, *who, true);
  if (!trusted) return trusted;
  const bool must = how.clients == client_certificates::required;
  SSL_CTX_set_verify(to.ctx.get(), SSL_VERIFY_PEER | (must ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  return {};
}

/// Loads the pair of certificate and key; neither may be there.
template <class Options>
result<void> load_identity(tls_context& to, const Options& how) {
  const auto certificate = load("certificate", how.certificate_file, how.certificate_pem);
  if (!certificate) return certificate.error();
  const auto key = load("key", how.key_file, how.key_pem);
  if (!key) return key.error();
  if (certificate->empty() != key->empty()) {
    return refusal(errc::invalid_argument, key->empty() ? "key_file" : "certificate_file",
                   "a certificate and its key belong together: give both");
  }
  return certificate->empty() ? result<void>() : set_identity(to, *certificate, *key);
}

} // namespace

result<std::shared_ptr<const tls_context>> make_context(const tls_server_options& how) {
  auto made = new_context(TLS_server_method(), how.min_version, how.alpn);
  if (!made) return made.error();
  auto& it = **made;
  const auto loaded = load_identity(it, how);
  if (!loaded) return loaded.error();
  if (!it.own) return refusal(errc::invalid_argument, "certificate_file", "a server needs a certificate and its key");
  const auto trusted = trust_clients(it, how);
  if (!trusted) return trusted.error();
  // Who resumes a session with a client's certificate must come from here.
  constexpr std::string_view origin = "greenroom";
  SSL_CTX_set_session_id_context(it.ctx.get(), reinterpret_cast<const unsigned char*>(origin.data()), origin.size());
  if (!it.alpn.empty()) SSL_CTX_set_alpn_select_cb(it.ctx.get(), choose_protocol, &it.alpn);
  return std::shared_ptr<const tls_context>(*std::move(made));
}

result<std::shared_ptr<const tls_context>> make_context(const tls_client_options& how) {
  auto made = new_context(TLS_client_method(), how.min_version, how.alpn);
  if (!made) return made.error();
  auto& it = **made;
  const auto loaded = load_identity(it, how);
  if (!loaded) return loaded.error();
  const auto who = load("ca", how.ca_file, how.ca_pem);
  if (!who) return who.error();
  if (!who->empty()) {
    const auto trusted = set_trust(*it.ctx, *who, false);
    if (!trusted) return trusted.error();
  } else if (SSL_CTX_set_default_verify_paths(it.ctx.get()) != 1) {
    return out_of_openssl();
  }
  SSL_CTX_set_verify(it.ctx.get(), how.insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  if (!it.alpn.empty() &&
      SSL_CTX_set_alpn_protos(it.ctx.get(), octets(it.alpn), static_cast<unsigned int>(it.alpn.size())) != 0) {
    return out_of_openssl();
  }
  return std::shared_ptr<const tls_context>(*std::move(made));
}

} // namespace greenroom::internal

#endif
