// What one connection does for both nodes: the streams that the other one has opened to what is published here, and those that were opened from here.
// Thread safety: heard() by the link's actor; the sinks and routes that it gives away by any thread. Lifetime: counted.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <greenroom/actors/detail/node_flow.hpp>
#include <greenroom/actors/internal/node_link.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/context.hpp>

namespace greenroom::internal {

struct published_flow {
  detail::flow_types types;
  detail::flow_server serve;
  std::function<bool()> is_open;
};

/// What is published by a node. Thread safety: any thread.
class publications {
public:
  result<void> add(std::string name, published_flow what);
  void remove(const std::string& name);
  /// Errors: not_found, type_mismatch.
  result<detail::flow_server> find(const std::string& name, const detail::flow_types& wanted) const;

private:
  mutable std::mutex lock_;
  std::map<std::string, published_flow> all_;
};

class node_session;

/// What a session tells the node that it belongs to.
class session_owner {
public:
  virtual ~session_owner();
  /// The other node is there. Returns the session of the same line that this one takes the place of, or null; or an error if it must not be
  /// talked to.
  virtual result<std::shared_ptr<node_session>> met(const introduction& who) = 0;
};

class node_session final : public link_user,
                           public detail::flow_route,
                           public std::enable_shared_from_this<node_session> {
public:
  node_session(actor_system& sys, std::shared_ptr<publications> offers, wire_role role, introduction us,
               std::uint32_t window, session_owner* owner);

  /// Runs over the stream until the connection is lost, and returns why.
  static task<std::string> run(std::shared_ptr<node_session> self, noted_connection with, link_settings how);

  /// Waits until what came over the connection has been taken; for a session whose run() has ended.
  static task<> drained(std::shared_ptr<node_session> self);

  /// Asks the other node for a stream. Thread safety: any thread, once met.
  void open(std::shared_ptr<detail::outflow> flow);

private:
  class sink;
  struct inflow {
    address<detail::flow_item> to;
    std::shared_ptr<sink> back;
    bool asks; // its items are requests
  };

  // link_user
  void up() override;
  result<void> heard(node_part part) override;
  // flow_route
  void carry(std::uint32_t stream, detail::flow_item item) override;
  void give_up(std::uint32_t stream, std::uint64_t number) override;
  void end(std::uint32_t stream) override;

  /// Says who we are as soon as the session that this one takes the place of is over, with its servers: what they still have must not come
  /// between the items that are sent from now on.
  static task<> greet(std::shared_ptr<node_session> self, std::shared_ptr<node_session> before);

  result<void> take(introduction& part);
  result<void> take(sign_of_life&) { return {}; }
  result<void> take(open_stream& part);
  result<void> take(stream_opened& part);
  result<void> take(stream_refused& part);
  result<void> take(item_part& part);
  result<void> take(credit_part& part);
  result<void> take(answer_part& part);
  result<void> take(give_up_part& part);
  result<void> take(end_of_stream& part);
  std::shared_ptr<detail::outflow> flow(std::uint32_t stream);
  std::vector<actor> servers();
  void over(const std::string& why);

  actor_system& sys_;
  const std::shared_ptr<publications> offers_;
  const wire_role role_;
  const introduction us_;
  const std::uint32_t window_;
  session_owner* const owner_;
  std::shared_ptr<node_link> link_;
  mailbox<bool> gone_; // closes when the connection is over
  // The link's actor's own.
  bool met_ = false;
  std::map<std::uint32_t, inflow> in_;
  const std::shared_ptr<unsent_count> unsent_ = std::make_shared<unsent_count>(0); // replies to open_stream
  std::mutex lock_;                                                                // guards the following
  bool over_ = false;
  std::vector<actor> servers_; // of streams; they go on with what has come when the connection is lost
  std::map<std::uint32_t, std::shared_ptr<detail::outflow>> out_;
};

} // namespace greenroom::internal
