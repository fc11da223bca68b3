#include <greenroom/actors/internal/node_session.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include <greenroom/runtime/spawn.hpp>

namespace greenroom::internal {
namespace {

// More streams than any program has names; a limit, so that a stranger cannot have us make actors without end.
constexpr std::size_t most_streams = 4096;

error must_not(std::string what) { return {errc::parse, "it breaks the protocol of nodes: " + std::move(what)}; }

std::optional<trace_context> trace_of(const std::string& text) {
  return text.empty() ? std::nullopt : trace_context::parse(text);
}

} // namespace

session_owner::~session_owner() = default;

// -- what is published ------------------------------------------------------------------------------

result<void> publications::add(std::string name, published_flow what) {
  const std::lock_guard guard(lock_);
  const auto known = all_.find(name);
  if (known != all_.end() && known->second.is_open())
    return error(errc::already_exists,
                 fmt::format("cannot publish '{}': the name is taken; unpublish() it first", name));
  all_.insert_or_assign(std::move(name), std::move(what));
  return {};
}

void publications::remove(const std::string& name) {
  const std::lock_guard guard(lock_);
  all_.erase(name);
}

result<detail::flow_server> publications::find(const std::string& name, const detail::flow_types& wanted) const {
  const std::lock_guard guard(lock_);
  const auto found = all_.find(name);
  if (found != all_.end() && !found->second.is_open())
    return error(errc::not_found, fmt::format("what was published as '{}' has closed its mailbox", name));
  if (found == all_.end()) {
    std::string known;
    for (const auto& each : all_) {
      if (each.second.is_open()) known += (known.empty() ? "" : ", ") + each.first;
    }
    return error(errc::not_found,
                 fmt::format("nothing is published as '{}'; what is: {}", name, known.empty() ? "nothing" : known));
  }
  const auto& types = found->second.types;
  if (types.reply.has_value() != wanted.reply.has_value())
    return error(errc::type_mismatch, fmt::format("'{}' takes {}, not {}", name, types.reply ? "requests" : "items",
                                                  types.reply ? "items" : "requests"));
  auto same = compare_wire_types(types.item, wanted.item);
  if (same && types.reply) same = compare_wire_types(*types.reply, *wanted.reply);
  if (!same)
    return error(errc::type_mismatch, fmt::format("'{}' cannot be looked up: {}", name, same.error().message()));
  return found->second.serve;
}

// -- what comes in ----------------------------------------------------------------------------------

/// What the server of one stream says back. Its requests end with it.
class node_session::sink final : public detail::flow_sink {
public:
  sink(std::shared_ptr<node_link> link, std::uint32_t stream, std::uint32_t window, context within, actor_system& sys)
      : link_(std::move(link)),
        stream_(stream),
        told_together_(std::max(window / 4, 1u)),
        within_(std::move(within)),
        sys_(sys) {}

  void taken() override {
    if (++taken_ < told_together_) return;
    link_->reply(credit_part{stream_, taken_}, unsent_, taken_);
    taken_ = 0;
  }
  /// Notes that a request has come, which may be given up before it is begun.
  void arrived(std::uint64_t number) {
    const std::lock_guard guard(lock_);
    under_way_.try_emplace(number);
  }
  context begin(std::uint64_t number, std::int64_t time_left) override {
    auto work = within_.with_cancel();
    {
      const std::lock_guard guard(lock_);
      auto& known = under_way_[number];
      if (known.given_up) work.cancel();
      known.end = work.cancel;
    }
    if (time_left < 0) return work.ctx;
    return work.ctx.with_deadline(saturating_add(sys_.now(), duration(time_left)));
  }
  void answer(std::uint64_t number, detail::flow_answer what) override {
    {
      const std::lock_guard guard(lock_);
      under_way_.erase(number);
    }
    if (what && what->size() > link_->most_item())
      what = error(errc::limit, fmt::format("the answer has {} bytes, and the node that asks takes {} at most",
                                            what->size(), link_->most_item()));
    if (what) return link_->reply(answer_part{stream_, number, -1, *std::move(what)}, unsent_);
    const auto text = what.error().message().substr(0, link_->most_item());
    link_->reply(answer_part{stream_, number, static_cast<std::int16_t>(what.error().code()), std::string(text)},
                 unsent_);
  }
  void end(std::string why) override { link_->say(end_of_stream{stream_, std::move(why)}); }

  /// Returns of how many items the other side cannot know yet that it may send others.
  std::size_t under_way() const {
    const std::lock_guard guard(lock_);
    return under_way_.size() + *unsent_;
  }
  void give_up(std::uint64_t number) {
    const std::lock_guard guard(lock_);
    const auto found = under_way_.find(number);
    if (found == under_way_.end()) return; // it was answered
    found->second.given_up = true;
    if (const auto& end = found->second.end) (*end)();
  }

private:
  struct request_state {
    bool given_up = false;
    std::optional<canceller> end; // since it was begun
  };

  const std::shared_ptr<node_link> link_;
  const std::uint32_t stream_;
  const std::uint32_t told_together_; // so that the sender still has most of its room
  const context within_;
  actor_system& sys_;
  const std::shared_ptr<unsent_count> unsent_ = std::make_shared<unsent_count>(0);
  std::uint32_t taken_ = 0;                          // the server's own: taken and not told
  mutable std::mutex lock_;                          // guards the following
  std::map<std::uint64_t, request_state> under_way_; // requests that have come and were not answered
};

node_session::node_session(actor_system& sys, std::shared_ptr<publications> offers, wire_role role, introduction us,
                           std::uint32_t window, session_owner* owner)
    : sys_(sys),
      offers_(std::move(offers)),
      role_(role),
      us_(std::move(us)),
      window_(window),
      owner_(owner),
      gone_(bounded(1)) {}

task<std::string> node_session::run(std::shared_ptr<node_session> self, noted_connection with, link_settings how) {
  self->link_ = std::make_shared<node_link>(std::move(with.io), self->role_, how, std::move(with.note));
  struct ending {
    node_session* of;
    ~ending() { of->over("the connection was lost"); }
  };
  const ending then{self.get()};
  auto why = co_await node_link::run(self->link_, self.get());
  self->over(why);
  co_return why;
}

void node_session::over(const std::string& why) {
  std::map<std::uint32_t, std::shared_ptr<detail::outflow>> lost;
  {
    const std::lock_guard guard(lock_);
    over_ = true;
    lost.swap(out_);
  }
  for (auto& each : lost) each.second->lose({errc::unavailable, why});
  in_.clear();
  gone_.close();
}

void node_session::up() {
  if (role_ == wire_role::connects) link_->say(us_);
}

result<void> node_session::heard(node_part part) {
  if (!met_ && !std::holds_alternative<introduction>(part) && !std::holds_alternative<sign_of_life>(part))
    return must_not("it has not said who it is");
  return std::visit([this](auto& each) { return take(each); }, part);
}

result<void> node_session::take(introduction& part) {
  if (std::exchange(met_, true)) return must_not("it says twice who it is");
  link_->meet(part);
  auto before = owner_->met(part);
  if (!before) return before.error();
  if (role_ == wire_role::serves)
    spawn({.name = "node greeting", .ctx = this_actor::context()}, greet, shared_from_this(), *std::move(before));
  return {};
}

std::vector<actor> node_session::servers() {
  const std::lock_guard guard(lock_);
  return servers_;
}

task<> node_session::drained(std::shared_ptr<node_session> self) {
  const auto servers = self->servers();
  for (const auto& each : servers) (void)co_await each.join();
}

task<> node_session::greet(std::shared_ptr<node_session> self, std::shared_ptr<node_session> before) {
  if (before) {
    before->link_->end("the same node has connected again");
    (void)co_await before->gone_.receive();
    for (const auto& each : before->servers()) each.cancel();
    co_await drained(before);
  }
  self->link_->say(self->us_);
}

result<void> node_session::take(open_stream& part) {
  if (in_.contains(part.stream)) return must_not("it opens a stream twice");
  if (*unsent_ >= most_streams)
    return must_not(fmt::format("it does not take the answers to {} streams that it wants to open", most_streams));
  auto serve = offers_->find(part.name, {part.item, part.reply});
  if (serve && in_.size() >= most_streams)
    serve = error(
        errc::limit,
        fmt::format(
            "'{}' would be the address number {} that this connection has at a time, and {} is the limit: give up what "
            "is not needed any more, and look up once what is used often",
            part.name, in_.size() + 1, most_streams));
  if (!serve) {
    link_->reply(stream_refused{part.stream, static_cast<std::uint8_t>(serve.error().code()),
                                std::string(serve.error().message())},
                 unsent_);
    return {};
  }
  auto ends = make_mailbox<detail::flow_item>(bounded(window_, overflow::reject));
  auto back = std::make_shared<sink>(link_, part.stream, window_, this_actor::context(), sys_);
  auto server = spawn({.made_name = "published " + part.name}, *serve, std::move(ends.in), back);
  in_.emplace(part.stream, inflow{std::move(ends.out), std::move(back), part.reply.has_value()});
  {
    const std::lock_guard guard(lock_);
    std::erase_if(servers_, [](const actor& each) { return each.finished(); });
    servers_.push_back(std::move(server));
  }
  link_->reply(stream_opened{part.stream, window_}, unsent_);
  return {};
}

result<void> node_session::take(item_part& part) {
  const auto found = in_.find(part.stream);
  if (found == in_.end()) return {}; // it had ended when this was sent
  // Those that wait to be taken are in the mailbox, which has no more room than the window either.
  if (found->second.back->under_way() >= window_)
    return must_not(fmt::format("it sends more than the {} items or requests at once that it may", window_));
  if (found->second.asks) found->second.back->arrived(part.number);
  auto trace = trace_of(part.trace);
  const auto sent = found->second.to.try_send(
      {part.number, part.time_left, trace ? *std::move(trace) : trace_context(), std::move(part.bytes)});
  if (!sent && sent.error().is(errc::full))
    return must_not(fmt::format("it sends more than the {} items that it may", window_));
  if (!sent) in_.erase(found);
  return {};
}

result<void> node_session::take(give_up_part& part) {
  if (const auto found = in_.find(part.stream); found != in_.end()) found->second.back->give_up(part.number);
  return {};
}

// -- what goes out ----------------------------------------------------------------------------------

void node_session::open(std::shared_ptr<detail::outflow> flow) {
  open_stream ask{flow->stream(), flow->name(), flow->types().item, flow->types().reply};
  {
    const std::lock_guard guard(lock_);
    if (over_) return; // whoever connects again opens it
    out_.emplace(flow->stream(), std::move(flow));
  }
  link_->say(std::move(ask));
}

std::shared_ptr<detail::outflow> node_session::flow(std::uint32_t stream) {
  const std::lock_guard guard(lock_);
  const auto found = out_.find(stream);
  return found == out_.end() ? nullptr : found->second;
}

result<void> node_session::take(stream_opened& part) {
  if (const auto to = flow(part.stream)) to->open(shared_from_this(), part.window, link_->most_item());
  return {};
}

result<void> node_session::take(stream_refused& part) {
  if (const auto to = flow(part.stream)) to->refuse({errc{part.code}, std::move(part.why)});
  const std::lock_guard guard(lock_);
  out_.erase(part.stream);
  return {};
}

result<void> node_session::take(credit_part& part) {
  if (const auto to = flow(part.stream)) to->more(part.more);
  return {};
}

result<void> node_session::take(answer_part& part) {
  const auto to = flow(part.stream);
  if (!to) return {};
  if (part.code < 0) {
    to->answered(part.number, std::move(part.bytes));
  } else {
    to->answered(part.number, error(errc{static_cast<std::uint16_t>(part.code)}, std::move(part.bytes)));
  }
  to->more(1);
  return {};
}

result<void> node_session::take(end_of_stream& part) {
  in_.erase(part.stream); // whose server ends when it has taken what is there
  if (const auto to = flow(part.stream)) {
    to->close({errc::closed, std::move(part.why)});
    const std::lock_guard guard(lock_);
    out_.erase(part.stream);
  }
  return {};
}

void node_session::carry(std::uint32_t stream, detail::flow_item item) {
  link_->say(item_part{stream, item.number, item.time_left, item.trace ? item.trace.traceparent() : std::string(),
                       std::move(item.bytes)});
}

void node_session::give_up(std::uint32_t stream, std::uint64_t number) { link_->say(give_up_part{stream, number}); }

void node_session::end(std::uint32_t stream) {
  {
    const std::lock_guard guard(lock_);
    out_.erase(stream);
  }
  link_->say(end_of_stream{stream, "nobody sends any more"});
}

} // namespace greenroom::internal
