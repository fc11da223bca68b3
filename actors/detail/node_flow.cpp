#include <greenroom/actors/detail/node_flow.hpp>

#include <utility>

#include <fmt/format.h>

namespace greenroom::detail {

flow_sink::~flow_sink() = default;
flow_route::~flow_route() = default;

outflow::outflow(std::uint32_t stream, std::string name, flow_types types, bool waits)
    : stream_(stream),
      name_(std::move(name)),
      types_(std::move(types)),
      waits_(waits),
      credits_(unbounded()),
      to_credits_(credits_.address()),
      opening_(bounded(1, overflow::reject)),
      to_opening_(opening_.address()) {}

task<bool> outflow::room(std::shared_ptr<outflow> self) {
  while (self->room_ == 0 || self->room_life_ != self->life_.load()) {
    const auto got = co_await self->credits_.receive();
    if (!got) co_return false;
    if (got->life != self->room_life_) self->room_ = 0;
    self->room_life_ = got->life;
    self->room_ += got->more;
  }
  --self->room_;
  co_return true;
}

bool outflow::put(std::string& bytes) {
  const std::lock_guard guard(lock_);
  if (!send(bytes, -1, next_number_)) return false;
  ++next_number_;
  return true;
}

bool outflow::ask(std::string& bytes, std::int64_t time_left, address<flow_answer> to, std::uint64_t& number) {
  const std::lock_guard guard(lock_);
  number = next_number_;
  if (!send(bytes, time_left, number)) return false;
  ++next_number_;
  asked_.emplace(number, std::move(to));
  return true;
}

bool outflow::send(std::string& bytes, std::int64_t time_left, std::uint64_t number) {
  if (!via_ || room_life_ != life_.load()) return false;
  via_->carry(stream_, {number, time_left, current_trace(), std::move(bytes)});
  return true;
}

void outflow::give_up(std::uint64_t number) {
  const std::lock_guard guard(lock_);
  if (asked_.erase(number) != 0 && via_) via_->give_up(stream_, number);
}

void outflow::end() {
  const std::lock_guard guard(lock_);
  ended_ = true;
  if (const auto via = std::exchange(via_, nullptr)) via->end(stream_);
  to_credits_.close(queued::drop);
}

result<void> outflow::fits(std::size_t bytes) {
  const std::lock_guard guard(lock_);
  if (bytes <= most_bytes_) return {};
  ++room_;
  return error(errc::limit, fmt::format("what is sent to '{}' has {} bytes, and its node takes {} at most (its "
                                        "node_setup::most_bytes, less what goes with it)",
                                        name_, bytes, most_bytes_));
}

error outflow::why() const {
  const std::lock_guard guard(lock_);
  return why_;
}

task<result<void>> outflow::opened(std::shared_ptr<outflow> self) {
  auto said = co_await self->opening_.receive();
  co_return said ? *std::move(said) : result<void>(self->why());
}

void outflow::open(std::shared_ptr<flow_route> via, std::uint32_t window, std::size_t most_bytes) {
  std::uint64_t life = 0;
  {
    const std::lock_guard guard(lock_);
    if (ended_) return via->end(stream_); // nobody waits for it any more
    via_ = std::move(via);
    most_bytes_ = most_bytes;
    life = life_.fetch_add(1) + 1;
  }
  (void)to_credits_.try_send({life, window});
  (void)to_opening_.try_send(result<void>());
}

void outflow::refuse(error why) {
  (void)to_opening_.try_send(why);
  close(std::move(why));
}

void outflow::more(std::uint32_t items) { (void)to_credits_.try_send({life_.load(), items}); }

void outflow::answered(std::uint64_t number, flow_answer what) {
  address<flow_answer> to;
  {
    const std::lock_guard guard(lock_);
    const auto found = asked_.find(number);
    if (found == asked_.end()) return; // given up
    to = std::move(found->second);
    asked_.erase(found);
  }
  (void)to.try_send(std::move(what));
}

void outflow::lose(const error& why) {
  if (!waits_) return close(why);
  std::map<std::uint64_t, address<flow_answer>> lost;
  const std::lock_guard guard(lock_);
  why_ = why;
  via_ = nullptr;
  life_.fetch_add(1);
  lost.swap(asked_); // whose addresses close: no answer will come
}

void outflow::close(error why) {
  std::map<std::uint64_t, address<flow_answer>> lost;
  {
    const std::lock_guard guard(lock_);
    why_ = std::move(why);
    via_ = nullptr;
    lost.swap(asked_);
  }
  to_credits_.close(queued::drop);
}

} // namespace greenroom::detail
