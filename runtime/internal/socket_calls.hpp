// Calls that move bytes through a socket and never block. The C library's functions are points at which a thread can be cancelled, for which
// they take two locked instructions each in a process with threads; nobody cancels ours. The sanitizers watch those functions, and so get
// them; so does who compiles the library with GREENROOM_PLAIN_SOCKET_CALLS, for a program that puts functions of its own in their place.
// Thread safety: any thread. They return what the functions do, with errno.
#pragma once

#include <cstddef>
#include <span>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <greenroom/runtime/detail/sanitized.hpp>

#if !defined(GREENROOM_PLAIN_SOCKET_CALLS) &&                                                                          \
    (defined(GREENROOM_SANITIZED) || !defined(SYS_recvfrom) || !defined(SYS_sendto))
#define GREENROOM_PLAIN_SOCKET_CALLS
#endif

namespace greenroom::internal {

inline ssize_t receive_now(int fd, std::span<std::byte> into) noexcept {
#ifdef GREENROOM_PLAIN_SOCKET_CALLS
  return ::recv(fd, into.data(), into.size(), MSG_DONTWAIT);
#else
  return ::syscall(SYS_recvfrom, fd, into.data(), into.size(), MSG_DONTWAIT, nullptr, nullptr);
#endif
}

inline ssize_t send_now(int fd, std::span<const std::byte> bytes) noexcept {
#ifdef GREENROOM_PLAIN_SOCKET_CALLS
  return ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
#else
  return ::syscall(SYS_sendto, fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL, nullptr, 0);
#endif
}

} // namespace greenroom::internal
