#if GREENROOM_HAS_TLS

#include <greenroom/runtime/internal/openssl.hpp>

#include <algorithm>
#include <array>
#include <ctime>
#include <string_view>

#include <arpa/inet.h>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/err.h>

namespace greenroom::internal {
namespace {

std::string text_of(unsigned long reason) {
  if (const char* const text = ERR_reason_error_string(reason)) return text;
  return fmt::format("OpenSSL error {:#x}", reason);
}

/// Names with anything but printable ASCII are none: a NUL in them is an old trick, and they go into logs.
std::string printable(const ASN1_STRING* text) {
  const auto* const data = ASN1_STRING_get0_data(text);
  const std::string all(data, data + ASN1_STRING_length(text));
  const bool fine = std::ranges::all_of(all, [](char c) { return c > ' ' && c <= '~'; });
  return fine ? all : std::string();
}

std::string address(const ASN1_STRING* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = ASN1_STRING_length(bytes) == 4 ? AF_INET : ASN1_STRING_length(bytes) == 16 ? AF_INET6 : AF_UNSPEC;
  if (family == AF_UNSPEC) return {};
  return ::inet_ntop(family, ASN1_STRING_get0_data(bytes), text.data(), text.size());
}

std::vector<std::string> names_of(const X509& certificate) {
  using list = openssl_ptr<GENERAL_NAMES, &GENERAL_NAMES_free>;
  const list all(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> names;
  for (int i = 0; i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const auto* const name = sk_GENERAL_NAME_value(all.get(), i);
    std::string_view kind;
    std::string text;
    switch (name->type) {
    case GEN_DNS: kind = "DNS", text = printable(name->d.dNSName); break;
    case GEN_URI: kind = "URI", text = printable(name->d.uniformResourceIdentifier); break;
    case GEN_EMAIL: kind = "email", text = printable(name->d.rfc822Name); break;
    case GEN_IPADD: kind = "IP", text = address(name->d.iPAddress); break;
    default: break; // rare, and of no use to a server
    }
    if (!text.empty()) names.push_back(fmt::format("{}:{}", kind, text));
  }
  return names;
}

std::string text_of(const X509_NAME* name) {
  const bio_ptr out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253); // escapes what is not printable
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

std::chrono::sys_seconds moment(const ASN1_TIME* at) {
  std::tm fields{};
  if (ASN1_TIME_to_tm(at, &fields) != 1) return {};
  return std::chrono::sys_seconds(std::chrono::seconds(::timegm(&fields)));
}

std::string warning_of(const tls_certificate& about) {
  const auto now = std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto date = [](std::chrono::sys_seconds at) {
    return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(at.time_since_epoch().count()));
  };
  if (about.valid_until < now) return fmt::format("the certificate expired at {}: renew it", date(about.valid_until));
  if (about.valid_from > now) return fmt::format("the certificate is not valid before {}", date(about.valid_from));
  return {};
}

std::string refusal_of_certificate(const SSL& session, const std::string& host) {
  const long verdict = SSL_get_verify_result(&session);
  if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    return fmt::format("the server's certificate is not for {}", host);
  }
  return fmt::format("the peer's certificate is refused: {}", X509_verify_cert_error_string(verdict));
}

} // namespace

std::string take_openssl_reason() {
  const auto first = ERR_get_error();
  ERR_clear_error();
  return first == 0 ? "OpenSSL gives no reason" : text_of(first);
}

std::string take_tls_reason(const SSL& session, const std::string& host) {
  const auto first = ERR_get_error();
  ERR_clear_error();
  if (first == 0) return "OpenSSL gives no reason";
  const auto text = text_of(first);
  if (ERR_GET_LIB(first) != ERR_LIB_SSL) return text;
  const int reason = ERR_GET_REASON(first);
  if (reason > SSL_AD_REASON_OFFSET && reason <= SSL_AD_REASON_OFFSET + 255) {
    const std::string alert = SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET);
    return fmt::format("the peer refuses: {}", alert == "unknown" ? text : alert); // it does not know the newest
  }
  switch (reason) {
  case SSL_R_CERTIFICATE_VERIFY_FAILED: return refusal_of_certificate(session, host);
  case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return "the client shows no certificate, and one is required";
  case SSL_R_HTTP_REQUEST:
  case SSL_R_HTTPS_PROXY_REQUEST: return "the client speaks plain HTTP, and this port TLS: use https://";
  case SSL_R_UNEXPECTED_EOF_WHILE_READING: return "the peer ended the connection without announcing it (close_notify)";
  case SSL_R_WRONG_VERSION_NUMBER: return fmt::format("what the peer sends is not TLS ({})", text);
  case SSL_R_UNSUPPORTED_PROTOCOL: return fmt::format("the peer has no version of TLS that is allowed here ({})", text);
  default: return text;
  }
}

tls_certificate describe(const X509& certificate) {
  tls_certificate made;
  made.subject = text_of(X509_get_subject_name(&certificate));
  made.issuer = text_of(X509_get_issuer_name(&certificate));
  made.names = names_of(certificate);
  made.valid_from = moment(X509_get0_notBefore(&certificate));
  made.valid_until = moment(X509_get0_notAfter(&certificate));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  X509_digest(&certificate, EVP_sha256(), digest.data(), &size);
  for (unsigned int i = 0; i < size; ++i) made.sha256 += fmt::format("{:02x}", digest[i]);
  made.warning = warning_of(made);
  ERR_clear_error();
  return made;
}

} // namespace greenroom::internal

#endif
