#include <greenroom/actors/internal/caf_wire.hpp>

#ifdef GREENROOM_HAS_NODES
#include <functional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/multiplexer.hpp>
#include <caf/io/scribe.hpp>
#include <caf/logger.hpp>
#include <caf/send.hpp>

#include <greenroom/actors/internal/driven_multiplexer.hpp>

namespace greenroom::internal {
namespace {

// BASP wants a port for each published actor; ours has one actor and no port.
constexpr std::uint16_t the_port = 1;

/// What stands in for a connection in the broker. Used where its multiplexer is driven.
class bridge final : public caf::io::scribe {
public:
  bridge(driven_multiplexer& mx, wire_host& host, std::size_t most_bytes, std::function<void(std::string)> lose)
      : scribe(caf::io::connection_handle::from_int(1)),
        mx_(mx),
        host_(host),
        most_bytes_(most_bytes),
        lose_(std::move(lose)) {}

  void feed(const std::string& bytes) {
    waiting_.append(bytes);
    consume_what_is_whole();
    host_.bytes_taken(bytes.size());
  }
  void hang_up(const std::string& why) {
    lose_(why);
    detach(&mx_, true);
  }

  void configure_read(caf::io::receive_policy::config how) override { wanted_ = how.second; }
  void ack_writes(bool) override {}
  std::vector<char>& wr_buf() override { return out_; }
  std::vector<char>& rd_buf() override { return in_; }
  void flush() override {
    if (!out_.empty()) host_.bytes_out({out_.data(), out_.size()});
    out_.clear();
  }
  /// The broker will have no more of it.
  void graceful_shutdown() override {
    lose_("it does not speak the protocol of nodes, or another version of it");
    detach(&mx_, false);
  }
  std::string addr() const override { return "node"; }
  std::uint16_t port() const override { return the_port; }
  void add_to_loop() override {}
  void remove_from_loop() override {}

private:
  /// BASP reads exactly the bytes of a header, then exactly those of the payload that it announces.
  void consume_what_is_whole() {
    std::string_view left(waiting_);
    while (!detached() && wanted_ != 0 && wanted_ <= most_bytes_ && left.size() >= wanted_) {
      in_.assign(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(wanted_));
      left.remove_prefix(wanted_);
      consume(&mx_, nullptr, in_.size());
    }
    waiting_.erase(0, waiting_.size() - left.size());
    if (wanted_ > most_bytes_ && !detached())
      hang_up("it announces a message of " + std::to_string(wanted_) + " bytes, and the limit is " +
              std::to_string(most_bytes_));
  }

  driven_multiplexer& mx_;
  wire_host& host_;
  const std::size_t most_bytes_;
  std::function<void(std::string)> lose_;
  std::size_t wanted_ = 0; // bytes that the broker asks for next
  std::string waiting_;    // bytes that it has not asked for
  std::vector<char> in_, out_;
};

struct config : caf::actor_system_config {
  config() {
    load<caf::io::middleman, driven_multiplexer>();
    set("scheduler.policy", caf::atom("testing")); // without threads: its jobs are run by the loop
    set("middleman.workers", std::size_t{0});
    set("middleman.manual-multiplexing", true);
    set("middleman.attach-utility-actors", true);
    set("middleman.app-identifiers", std::vector<std::string>{"greenroom-node/2"});
  }
};

/// In the one message that is no frame: who the other end is.
constexpr std::uint8_t greeting = 1;

} // namespace

struct caf_wire::impl {
  impl(wire_role role, wire_host& to, std::size_t most_bytes);
  ~impl();

  driven_multiplexer& loop() { return static_cast<driven_multiplexer&>(system.middleman().backend()); }
  caf::behavior begin(caf::io::broker* self, wire_role role);
  void meet(caf::io::broker* self, caf::actor other);
  void lose(std::string why);

  // Before the system, whose end still uses them.
  wire_host& host;
  bool over = false; // used where the loop is driven
  config cfg;
  caf::actor_system system{cfg};
  // After it, since they are its own; the destructor waits until the broker has ended, which uses them.
  caf::intrusive_ptr<bridge> line;
  caf::actor end;
  caf::actor far_end; // set before ready(), and not changed
};

caf_wire::impl::impl(wire_role role, wire_host& to, std::size_t most_bytes) : host(to) {
  line.reset(new bridge(loop(), host, most_bytes, [this](std::string why) { lose(std::move(why)); }), false);
  // With an argument: CAF 0.17.6 refers to a null tuple if there is none.
  end = system.middleman().spawn_broker(
      [this](caf::io::broker* self, std::uint8_t connects) { return begin(self, wire_role{connects}); },
      static_cast<std::uint8_t>(role));
  loop().drive();
  // A system's end waits until no thread counts on its logger, and the thread that makes the system goes on doing so until it ends itself.
  caf::logger::set_current_actor_system(nullptr);
}

caf_wire::impl::~impl() {
  caf::anon_send_exit(end, caf::exit_reason::kill);
  loop().settle(); // the broker uses what is destroyed next
}

caf::behavior caf_wire::impl::begin(caf::io::broker* self, wire_role role) {
  self->set_down_handler([this](caf::scheduled_actor*, caf::down_msg&) { lose("the other end is gone"); });
  const auto basp = system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
  caf::io::scribe_ptr talks(line);
  if (role == wire_role::serves) {
    caf::anon_send(basp, caf::publish_atom::value, std::move(talks), the_port,
                   caf::actor_cast<caf::strong_actor_ptr>(self), std::set<std::string>{});
  } else {
    self->request(basp, caf::infinite, caf::connect_atom::value, std::move(talks), the_port)
        .then(
            [this, self](const caf::node_id&, caf::strong_actor_ptr& gate, const std::set<std::string>&) {
              meet(self, caf::actor_cast<caf::actor>(gate));
            },
            [this](const caf::error& why) { lose("it does not speak the protocol of nodes: " + system.render(why)); });
  }
  return {
      [this](std::string& frame) {
        if (!over) host.frame_in(std::move(frame));
      },
      [this, self](std::uint8_t, caf::actor& other) { meet(self, std::move(other)); },
  };
}

void caf_wire::impl::meet(caf::io::broker* self, caf::actor other) {
  if (over || far_end) return;
  far_end = std::move(other);
  self->monitor(far_end);
  caf::send_as(end, far_end, greeting,
               end); // so each knows the other: who served gets it first, and its own is too much
  host.ready();
}

void caf_wire::impl::lose(std::string why) {
  if (std::exchange(over, true)) return;
  host.closed(std::move(why));
}

caf_wire::caf_wire(wire_role role, wire_host& host, std::size_t most_bytes)
    : impl_(std::make_unique<impl>(role, host, most_bytes)) {}
caf_wire::~caf_wire() = default;

void caf_wire::bytes_in(std::string bytes) {
  impl_->loop().post([line = impl_->line, bytes = std::move(bytes)] { line->feed(bytes); });
  impl_->loop().drive();
}

void caf_wire::send(std::string frame) {
  caf::send_as(impl_->end, impl_->far_end, std::move(frame));
  impl_->loop().drive();
}

void caf_wire::hang_up(std::string why) {
  impl_->loop().post([line = impl_->line, why = std::move(why)] { line->hang_up(why); });
  impl_->loop().drive();
}

} // namespace greenroom::internal

#else

namespace greenroom::internal {

struct caf_wire::impl {};

// Not reached: who makes one asks before.
caf_wire::caf_wire(wire_role, wire_host&, std::size_t) {}
caf_wire::~caf_wire() = default;
void caf_wire::bytes_in(std::string) {}
void caf_wire::send(std::string) {}
void caf_wire::hang_up(std::string) {}

} // namespace greenroom::internal

#endif

namespace greenroom::internal {

wire_host::~wire_host() = default;

bool caf_wire::is_built() noexcept {
#ifdef GREENROOM_HAS_NODES
  return true;
#else
  return false;
#endif
}

} // namespace greenroom::internal
