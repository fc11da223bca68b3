// What the sources of TLS share of OpenSSL: owners for its objects, and its reasons as texts. Only builds with GREENROOM_HAS_TLS
// include it.
// Thread safety: the queue of reasons belongs to the thread, so it is read by the call that failed.
#pragma once

#include <memory>
#include <string>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <greenroom/runtime/tls.hpp>

namespace greenroom::internal {

template <auto Free>
struct openssl_free {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
template <class T, auto Free>
using openssl_ptr = std::unique_ptr<T, openssl_free<Free>>;

using ssl_ptr = openssl_ptr<SSL, &SSL_free>;
using ssl_ctx_ptr = openssl_ptr<SSL_CTX, &SSL_CTX_free>;
using bio_ptr = openssl_ptr<BIO, &BIO_free_all>;
using x509_ptr = openssl_ptr<X509, &X509_free>;
using key_ptr = openssl_ptr<EVP_PKEY, &EVP_PKEY_free>;

/// Takes the reasons off the thread's queue and says the first one, which is the innermost.
std::string take_openssl_reason();
/// The same for a failed handshake or a broken session, in words for who must mend it. `host` is whom a client wanted.
std::string take_tls_reason(const SSL& session, const std::string& host);

tls_certificate describe(const X509& certificate);

} // namespace greenroom::internal
