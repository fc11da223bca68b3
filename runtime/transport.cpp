#include <greenroom/runtime/transport.hpp>

#include <fmt/format.h>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/internal/asio_transport.hpp>
#include <greenroom/runtime/internal/runtime_core.hpp>

namespace greenroom {

stream::~stream() = default;
listener::~listener() = default;
transport::~transport() = default;

std::string endpoint::to_string() const {
  const bool six = host.find(':') != std::string::npos;
  return six ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

transport& real_transport(actor_system& system) noexcept { return *system.core().sockets; }

} // namespace greenroom
