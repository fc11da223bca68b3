#include <greenroom/actors/node.hpp>

#include <utility>

#include <greenroom/actors/internal/node_core.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom {

node::node(actor_system& sys, node_setup options)
    : core_(std::make_shared<internal::node_core>(sys, std::move(options))) {}
node::~node() { core_->stop(); }

result<void> node::start() { return core_->start(); }
const std::string& node::name() const noexcept { return core_->options.name; }
std::uint16_t node::port() const { return core_->port(); }

result<void> node::publish(std::string name, detail::flow_types types, detail::flow_server serve,
                           std::function<bool()> is_open) {
  return core_->offers->add(std::move(name), {std::move(types), std::move(serve), std::move(is_open)});
}
void node::unpublish(const std::string& name) { core_->offers->remove(name); }

node_peer node::connect(std::string host, std::uint16_t port, std::string name) {
  auto peer = std::make_shared<internal::peer_core>(core_, endpoint(std::move(host), port), std::move(name));
  peer->start();
  return node_peer(std::move(peer));
}

mailbox<node_down> node_peer::monitor() const { return core_->monitor(); }
link_state node_peer::state() const { return core_->state(); }
void node_peer::close() const noexcept { core_->close(); }
actor_system& node_peer::system_of(const internal::peer_core& core) noexcept { return core.sys(); }

task<result<std::shared_ptr<detail::outflow>>> node_peer::open(std::shared_ptr<internal::peer_core> core,
                                                               std::string name, detail::flow_types types,
                                                               remote_options how) {
  struct unless_opened { // also when the asker is cancelled or killed: the other node has a stream open for it
    internal::peer_core* core;
    std::shared_ptr<detail::outflow> flow;
    ~unless_opened() {
      if (flow) core->forget(flow);
    }
  };
  unless_opened kept{core.get(),
                     core->begin(std::move(name), std::move(types), how.down == remote_options::when_down::wait)};
  auto opening = with_timeout(how.limit, detail::outflow::opened(kept.flow));
  const auto opened = co_await std::move(opening);
  if (opened) co_return std::exchange(kept.flow, nullptr);
  if (opened.error().is(errc::timed_out)) co_return core->why_not(how.limit);
  co_return opened.error();
}

} // namespace greenroom
