// faulty_network: a network in memory whose connections break, lag, crawl and go silent as a fault_source says. It wraps both ends of
// each connection of a memory_transport, which carries the bytes and has the rules of TCP; here it is decided how many of them a call
// may see, and when.
// Thread safety: any thread. Lifetime: outlives the systems that use it; streams and listeners may outlive it.
#pragma once

#include <memory>

#include <greenroom/runtime/memory_transport.hpp>
#include <greenroom/testkit/internal/fault_source.hpp>

namespace greenroom::testkit::internal {

class faulty_network final : public transport {
public:
  explicit faulty_network(std::shared_ptr<fault_source> faults);
  ~faulty_network() override;

  result<std::unique_ptr<listener>> listen(const endpoint& at, const listen_options& how) override;
  task<result<std::unique_ptr<stream>>> connect(endpoint to) override;

private:
  class registry;

  const std::shared_ptr<fault_source> faults_;
  memory_transport inner_;
  const std::shared_ptr<registry> listening_;
};

} // namespace greenroom::testkit::internal
