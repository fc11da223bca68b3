#include <greenroom/runtime/detail/loopback.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace greenroom::detail {

bool is_loopback(const std::string& host) noexcept {
  if (host == "localhost") return true;
  in_addr four{};
  if (::inet_pton(AF_INET, host.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24) == 127;
  in6_addr six{};
  return ::inet_pton(AF_INET6, host.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

} // namespace greenroom::detail
