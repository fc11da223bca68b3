#include <greenroom/actors/internal/node_link.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/blocking.hpp>
#include <greenroom/runtime/detail/duration_text.hpp>
#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom::internal {
namespace {

// What one write, and one frame, may gather: large enough that calls cost little, small enough that nobody waits behind it.
constexpr std::size_t gathered_bytes = 64 * 1024;
constexpr std::size_t gathered_parts = 256;
// CAF ends its threads in milliseconds.
constexpr auto closing_time = std::chrono::seconds(10);

// Of a part beside its texts, and of a frame and what CAF puts around it.
constexpr std::size_t around_a_part = 128;
constexpr std::size_t around_a_frame = 1024;
// Who wants to hear more often than that has other things in mind.
constexpr auto least_beat = std::chrono::milliseconds(1);

std::size_t size_of(const wire_type& t) { return t.name.size() + t.layout.size(); }
std::size_t size_of(const introduction& p) { return p.name.size(); }
std::size_t size_of(const sign_of_life&) { return 0; }
std::size_t size_of(const open_stream& p) {
  return p.name.size() + size_of(p.item) + (p.reply ? size_of(*p.reply) : 0);
}
std::size_t size_of(const stream_opened&) { return 0; }
std::size_t size_of(const stream_refused& p) { return p.why.size(); }
std::size_t size_of(const item_part& p) { return p.trace.size() + p.bytes.size(); }
std::size_t size_of(const credit_part&) { return 0; }
std::size_t size_of(const answer_part& p) { return p.bytes.size(); }
std::size_t size_of(const give_up_part&) { return 0; }
std::size_t size_of(const end_of_stream& p) { return p.why.size(); }
/// At least as many bytes as it takes in a frame.
std::size_t size_in_frame(const node_part& part) {
  return around_a_part + std::visit([](const auto& each) { return size_of(each); }, part);
}

std::string show(duration limit) {
  return greenroom::detail::show_duration(std::chrono::ceil<std::chrono::milliseconds>(limit));
}

} // namespace

link_user::~link_user() = default;

result<node_frame> read_frame(const std::string& bytes) {
  std::uint32_t parts = 0; // which is what a sequence begins with
  if (bytes.size() >= sizeof parts) std::memcpy(&parts, bytes.data(), sizeof parts);
  if (parts > gathered_parts)
    return error(errc::parse, fmt::format("it puts {} parts into a frame, and the limit is {}", parts, gathered_parts));
  return wire_decode<node_frame>(bytes);
}

node_link::node_link(std::unique_ptr<stream> io, wire_role role, link_settings how,
                     std::shared_ptr<const read_note> seen)
    : io_(std::move(io)),
      role_(role),
      how_(how),
      seen_(std::move(seen)),
      bytes_(unbounded()),
      to_bytes_(bytes_.address()),
      events_(unbounded()),
      to_events_(events_.address()),
      parts_(unbounded()),
      to_say_(parts_.address()),
      beat_every_(how.heartbeat),
      most_out_(least_most_bytes),
      beat_now_(bounded(1, overflow::drop_newest)),
      to_beat_now_(beat_now_.address()) {}

void node_link::meet(const introduction& who) {
  most_out_ = std::max<std::size_t>(who.most_bytes, least_most_bytes);
  if (who.detection <= 0) return;
  beat_every_ = std::min(how_.heartbeat, std::max<duration>(duration(who.detection) / 3, least_beat));
  (void)to_beat_now_.try_send(true);
}

std::size_t node_link::most_item() const noexcept { return most_out_.load() - around_a_frame - 2 * around_a_part; }

// -- by who uses the wire ---------------------------------------------------------------------------

void node_link::bytes_out(std::string_view bytes) noexcept {
  unwritten_.more(bytes.size());
  (void)to_bytes_.try_send(std::string(bytes));
}
void node_link::ready() noexcept { (void)to_events_.try_send({event::is::ready, {}}); }
void node_link::frame_in(std::string frame) noexcept {
  behind_.more(frame.size());
  (void)to_events_.try_send({event::is::frame, std::move(frame)});
}
void node_link::bytes_taken(std::size_t count) noexcept { behind_.less(count); }
void node_link::closed(std::string why) noexcept {
  why_ = std::move(why);
  to_events_.close();
}

// -- actors -----------------------------------------------------------------------------------------

task<> node_link::read(std::shared_ptr<node_link> self) {
  std::vector<std::byte> into(gathered_bytes);
  for (;;) {
    const auto got = co_await self->io_->read_some(into);
    if (!got) co_return self->wire_->hang_up(std::string(got.error().message()));
    if (*got == 0) co_return self->wire_->hang_up("it has closed the connection");
    self->behind_.more(*got);
    self->wire_->bytes_in(
        {reinterpret_cast<const char*>(into.data()), *got}); // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast)
    while (self->behind_.full()) (void)co_await self->behind_.drained();
  }
}

task<> node_link::write(std::shared_ptr<node_link> self) {
  auto& sys = this_actor::system();
  while (auto bytes = co_await self->bytes_.receive()) {
    while (bytes->size() < gathered_bytes) {
      const auto more = self->bytes_.try_receive();
      if (!more) break;
      bytes->append(*more);
    }
    for (auto left = std::as_bytes(std::span(*bytes)); !left.empty();) {
      const auto piece = left.first(std::min(left.size(), gathered_bytes));
      self->writes_since_ = sys.now();
      const auto written = co_await self->io_->write_all(piece);
      if (!written) co_return self->wire_->hang_up(std::string(written.error().message()));
      left = left.subspan(piece.size());
    }
    self->writes_since_ = never;
    self->unwritten_.less(bytes->size());
  }
}

task<> node_link::send(std::shared_ptr<node_link> self) {
  std::optional<said> next;
  for (;;) {
    while (self->unwritten_.full()) (void)co_await self->unwritten_.drained();
    if (!next) {
      auto first = co_await self->parts_.receive();
      if (!first) co_return;
      next = *std::move(first);
      co_await yield(); // who is ready to say something does so first: a frame of many costs little more than one
    }
    const auto room = std::min(gathered_bytes, self->most_out_.load() - around_a_frame);
    node_frame frame;
    for (std::size_t size = 0; next && frame.size() < gathered_parts;) {
      size += size_in_frame(next->part);
      if (size > room && !frame.empty()) break;
      frame.push_back(std::move(next->part));
      if (next->unsent) *next->unsent -= next->count;
      auto more = self->parts_.try_receive();
      next = more ? std::optional(*std::move(more)) : std::nullopt;
    }
    self->wire_->send(wire_encode(frame));
  }
}

task<> node_link::beat(std::shared_ptr<node_link> self) {
  for (;;) {
    (void)co_await self->beat_now_.receive_for(self->beat_every_.load());
    self->say(sign_of_life{});
    self->end_if_stuck(this_actor::system().now());
  }
}

/// Who lives and takes nothing lets all that is said to it pile up here.
void node_link::end_if_stuck(time_point now) {
  const auto since = writes_since_.load();
  if (since != never && now - since > how_.stuck) end("it has taken nothing for " + show(how_.stuck));
}

task<std::string> node_link::follow(scope& here, std::shared_ptr<node_link> self, link_user* user) {
  const duration patience = self->how_.detection;
  bool is_met = false;
  for (auto limit = patience;;) {
    auto got = co_await self->events_.receive_for(limit);
    if (!got) {
      if (got.error().is(errc::closed)) co_return self->why_;
      limit = is_met && self->seen_ ? self->seen_->load() + patience - this_actor::system().now() : duration();
      if (limit > duration()) continue; // it is within a frame that takes its time
      co_return "it has been silent for " + show(patience);
    }
    limit = patience;
    if (got->what == event::is::end) co_return std::move(got->text);
    if (got->what == event::is::ready) {
      is_met = true;
      here.spawn({.name = "node link send"}, send, self);
      here.spawn({.name = "node link beat"}, beat, self);
      user->up();
      continue;
    }
    auto frame = read_frame(got->text);
    self->behind_.less(got->text.size());
    if (!frame) co_return std::string(frame.error().message());
    for (auto& part : *frame) {
      const auto fine = user->heard(std::move(part));
      if (!fine) co_return std::string(fine.error().message());
    }
  }
}

task<std::string> node_link::live(scope& here, std::shared_ptr<node_link> self, link_user* user) {
  here.spawn({.name = "node link read"}, read, self);
  here.spawn({.name = "node link write"}, write, self);
  auto why = co_await follow(here, self, user);
  here.cancel();
  co_return why;
}

/// CAF's threads are waited for, which no worker may.
task<> node_link::close_wire(std::shared_ptr<node_link> self) {
  self->io_->close();
  const auto end = [me = self.get()] { me->wire_.reset(); };
  co_await blocking(end);
}

task<std::string> node_link::run(std::shared_ptr<node_link> self, link_user* user) {
  const auto begin = [me = self.get()] { me->wire_ = std::make_unique<caf_wire>(me->role_, *me, me->how_.most_bytes); };
  co_await blocking(begin);
  result<std::string> why = error(errc::cancelled);
  std::exception_ptr thrown;
  try {
    why = co_await with_scope(live, self, user);
  } catch (...) {
    thrown = std::current_exception();
  }
  co_await shielded(closing_time, close_wire(self));
  if (thrown) std::rethrow_exception(thrown);
  co_return why ? *std::move(why) : std::string(why.error().message());
}

} // namespace greenroom::internal
