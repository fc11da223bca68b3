#include <greenroom/runtime/internal/socket_address.hpp>

#include <cstring>
#include <memory>

#include <arpa/inet.h>
#include <netdb.h>

#include <fmt/format.h>

namespace greenroom::internal {
namespace {

struct info_deleter {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

/// Asks for the addresses of `at`; the number is getaddrinfo's, 0 for success.
int ask(const endpoint& at, int family, int flags, std::vector<socket_address>& found) {
  if (at.host.empty()) return EAI_NONAME;
  addrinfo wanted{};
  wanted.ai_family = family;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int failure = ::getaddrinfo(at.host.c_str(), std::to_string(at.port).c_str(), &wanted, &list);
  if (failure != 0) return failure;
  const std::unique_ptr<addrinfo, info_deleter> owner(list);
  for (; list != nullptr; list = list->ai_next) {
    if (list->ai_family != AF_INET && list->ai_family != AF_INET6) continue;
    auto& address = found.emplace_back();
    address.size = list->ai_addrlen;
    std::memcpy(&address.any, list->ai_addr, list->ai_addrlen);
  }
  return found.empty() ? EAI_NONAME : 0;
}

} // namespace

std::uint16_t socket_address::port() const noexcept {
  return ntohs(any.sa_family == AF_INET6 ? v6.sin6_port : v4.sin_port);
}

std::string socket_address::to_string() const {
  char text[INET6_ADDRSTRLEN] = "?";
  const bool six = any.sa_family == AF_INET6;
  const void* const number = six ? static_cast<const void*>(&v6.sin6_addr) : &v4.sin_addr;
  ::inet_ntop(any.sa_family, number, text, sizeof text);
  return endpoint{text, port()}.to_string();
}

result<socket_address> numeric_address(const endpoint& at) {
  socket_address address;
  if (::inet_pton(AF_INET, at.host.c_str(), &address.v4.sin_addr) == 1) { // getaddrinfo would take "127.1" too
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = htons(at.port);
    address.size = sizeof(address.v4);
    return address;
  }
  std::vector<socket_address> found;
  if (ask(at, AF_INET6, AI_NUMERICHOST, found) != 0) return errc::not_found;
  return found.front();
}

result<std::vector<socket_address>> look_up(const endpoint& at) {
  std::vector<socket_address> found;
  const int failure = ask(at, AF_UNSPEC, 0, found);
  if (failure == 0) return found;
  const bool unknown = failure == EAI_NONAME || failure == EAI_NODATA;
  return error(unknown ? errc::not_found : errc::io,
               fmt::format("cannot connect: {}: {}", at.to_string(), ::gai_strerror(failure)));
}

} // namespace greenroom::internal
