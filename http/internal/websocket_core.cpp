#include <greenroom/http/internal/websocket_core.hpp>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <fmt/format.h>

#include <greenroom/http/internal/give_back.hpp>

namespace greenroom::http::internal {
namespace {

// One read takes what a socket usually holds; each worker has one such buffer, whatever the number of sockets.
constexpr std::size_t read_size = 65'536;
// A peer that sends without pause has the worker for so long, some milliseconds at worst; then others run.
constexpr int most_reads = 4;
// Pongs and the like that wait for room. Beyond it each pong replaces the one before, as the standard allows.
constexpr std::size_t most_queued_control = 4'096;
// What a peer may send behind its fault until it has read our last words.
constexpr std::size_t most_dropped = 1'048'576;

std::span<std::byte> read_buffer() noexcept {
  alignas(64) static thread_local std::array<std::byte, read_size> buffer;
  return buffer;
}

double seconds_of(std::chrono::milliseconds t) { return static_cast<double>(t.count()) / 1000; }

} // namespace

websocket_core::websocket_core(std::shared_ptr<stream> io, websocket_role me, const websocket_limits& most,
                               std::string protocol, std::string input)
    : io_(std::move(io)),
      most_(most),
      protocol_(std::move(protocol)),
      reader_(me, most_),
      pending_(std::move(input)),
      input_(pending_),
      me_(me) {
  if (auto sound = most_.check(); !sound) throw usage_error(std::string(sound.error().message()));
}

websocket_core::~websocket_core() {
  if (is_done()) return;
  try {
    say_goodbye();
  } catch (...) { // no memory for it: then the peer sees the connection end
  }
  io_->close();
}

/// Whoever lets go of an open socket goes away, for whatever reason: 1000 would say that all was done, which only close() can know.
void websocket_core::say_goodbye() {
  if (greenroom::detail::this_turn.cell == nullptr) return; // not in an actor: the system may be gone
  if (state_ == state::open) {
    if (sent_ == 0) out_.clear(); // not begun: it need not go any more, and the close goes better alone
    control_.clear();
    queue_control(frame_kind::close, close_payload(close_code::going_away, ""));
  }
  while (has_output()) { // a frame that was begun first; if that does not go, nothing may follow it
    if (sent_ == out_.size()) {
      out_ = std::exchange(control_, {});
      sent_ = 0;
    }
    const auto put = io_->try_write(std::as_bytes(std::span(out_)).subspan(sent_));
    if (!put) return;
    sent_ += *put;
  }
  (void)io_->try_read(read_buffer()); // closing on unread input would take back what was just sent
}

// -- input ------------------------------------------------------------------------------------------------

result<websocket_message> websocket_core::try_receive(time_point now) {
  const bool listened = std::exchange(listening_, false);
  if (heard_ == never) heard_ = now;
  for (int reads = 0; !is_done(); ++reads) {
    auto message = next(now); // of the last read, too: nothing would tell of it
    keep_input();
    if (message) {
      write(now);
      return *std::move(message);
    }
    if (is_done() || reads == most_reads || !read(now)) break;
  }
  if (!is_done()) write(now);
  if (!is_done()) judge_input(now, listened);
  if (!is_done()) judge_output(now);
  if (is_done()) return why();
  return errc::empty;
}

/// Parses what was read, up to the first message.
std::optional<websocket_message> websocket_core::next(time_point now) {
  while ((state_ == state::open || state_ == state::closing) && !input_.empty()) {
    switch (reader_.read(input_)) {
    case frame_reader::event::more: break;
    case frame_reader::event::message:
      message_deadline_ = never;
      if (state_ == state::open) return websocket_message(reader_.is_text(), reader_.take_message());
      break;
    case frame_reader::event::ping: pong(reader_.payload()); break;
    case frame_reader::event::pong: break;
    case frame_reader::event::close: peer_closes(now); break;
    case frame_reader::event::failed: {
      const auto& f = reader_.fault();
      fault(f.code, f.code == close_code::too_big ? errc::limit : errc::parse, f.why, now);
    }
    }
  }
  input_ = {};
  if (reader_.between_messages())
    message_deadline_ = never;
  else if (message_deadline_ == never)
    message_deadline_ = saturating_add(now, most_.message_time);
  return std::nullopt;
}

/// Moves what is left from the worker's buffer to one of our own.
void websocket_core::keep_input() {
  if (input_.empty()) {
    pending_.clear();
  } else if (pending_.empty()) {
    pending_.assign(input_);
    input_ = pending_;
  }
}

/// Reads what is there; false if there is nothing to parse.
bool websocket_core::read(time_point now) {
  if (input_ended_ || is_done()) return false;
  const auto buffer = read_buffer();
  const auto got = io_->try_read(buffer);
  if (!got) {
    if (!got.error().is(errc::empty)) give_up(got.error());
    return false;
  }
  if (*got == 0) {
    input_ended_ = true;
    if (state_ == state::leaving) {
      if (!has_output()) finish();
    } else {
      stop_with(errc::io, "the connection ended without a close frame");
    }
    return false;
  }
  heard_ = now;
  pinged_ = never;
  if (state_ == state::leaving) {
    dropped_ += *got;
    if (dropped_ > most_dropped) finish();
    return !is_done();
  }
  input_ = {reinterpret_cast<const char*>(buffer.data()), *got};
  return true;
}

void websocket_core::pong(std::string_view payload) {
  if (state_ != state::open) return;
  if (control_.size() > most_queued_control) control_.resize(last_pong_);
  last_pong_ = control_.size();
  queue_control(frame_kind::pong, std::string(payload));
}

void websocket_core::peer_closes(time_point now) {
  peer_code_ = reader_.code();
  peer_reason_ = reader_.reason();
  in_order_ = true;
  if (state_ == state::open) {
    queue_control(frame_kind::close, close_payload(peer_code_, "")); // the same code says that it was understood
    why_ = error(errc::closed, fmt::format("the websocket is closed: {}: the peer has closed it with code {}",
                                           io_->peer(), peer_code_));
  }
  leave(me_ == websocket_role::client, now); // the server is the one to end the connection
}

void websocket_core::judge_input(time_point now, bool listened) {
  if (state_ != state::open) {
    if (now < end_deadline_) return;
    if (state_ == state::closing) {
      why_ = error(errc::timed_out,
                   fmt::format("the websocket was not closed in order: {}: the peer did not answer our close frame "
                               "within {} s",
                               io_->peer(), seconds_of(most_.close_time)));
    }
    return finish();
  }
  if (listened && now >= message_deadline_) {
    return fault(close_code::policy, errc::timed_out,
                 fmt::format("the peer did not complete a message within {} s", seconds_of(most_.message_time)), now);
  }
  if (pinged_ != never) {
    if (now < saturating_add(pinged_, most_.pong_time)) return;
    return stop_with(errc::timed_out,
                     fmt::format("the peer did not answer a ping within {} s", seconds_of(most_.pong_time)));
  }
  if (now < saturating_add(heard_, most_.ping_after)) return;
  pinged_ = now;
  queue_control(frame_kind::ping, "");
  write(now);
}

// -- output -----------------------------------------------------------------------------------------------

std::string websocket_core::framed(frame_kind kind, std::string payload) const {
  if (me_ == websocket_role::client) {
    const auto key = random_mask();
    make_frame(payload, kind, &key);
  } else {
    make_frame(payload, kind, nullptr);
  }
  return payload;
}

void websocket_core::queue_control(frame_kind kind, std::string payload) {
  control_ += framed(kind, std::move(payload));
}

void websocket_core::begin(frame_kind kind, std::string payload, time_point now) {
  if (kind == frame_kind::ping && pinged_ == never) pinged_ = now;
  out_ = framed(kind, std::move(payload));
  sent_ = 0;
}

void websocket_core::begin_close(std::uint16_t code, std::string_view reason, time_point now) {
  if (state_ != state::open) return;
  queue_control(frame_kind::close, close_payload(code, reason));
  state_ = state::closing;
  end_deadline_ = saturating_add(now, most_.close_time);
  why_ = error(errc::closed, fmt::format("the websocket is closed: {}: it was closed on this side", io_->peer()));
}

bool websocket_core::write(time_point now) {
  while (has_output() && !is_done()) {
    if (sent_ == out_.size()) {
      out_ = std::exchange(control_, {});
      sent_ = 0;
    }
    const auto put = io_->try_write(std::as_bytes(std::span(out_)).subspan(sent_));
    if (put) {
      sent_ += *put;
      write_deadline_ = never;
    } else if (put.error().is(errc::full)) {
      if (write_deadline_ == never) write_deadline_ = saturating_add(now, most_.write_time);
      return false;
    } else {
      give_up(put.error());
    }
  }
  if (state_ == state::leaving) {
    if (!await_end_ || input_ended_) {
      finish();
    } else if (!std::exchange(shut_, true)) {
      io_->shutdown_send();
    }
  }
  return true;
}

void websocket_core::judge_output(time_point now) {
  if (now < write_deadline_) return;
  if (state_ == state::leaving) return finish();
  stop_with(errc::timed_out,
            fmt::format("the peer took nothing of what is sent to it for {} s", seconds_of(most_.write_time)));
}

// -- the end ----------------------------------------------------------------------------------------------

/// Tells the peer why, and lets it read that.
void websocket_core::fault(std::uint16_t code, errc as, std::string_view what, time_point now) {
  if (state_ == state::open) queue_control(frame_kind::close, close_payload(code, what));
  why_ = error(as, fmt::format("the websocket has failed: {}: {} (code {})", io_->peer(), what, code));
  leave(true, now);
}

void websocket_core::leave(bool await_end, time_point now) {
  state_ = state::leaving;
  await_end_ = await_end;
  end_deadline_ = std::min(end_deadline_, saturating_add(now, most_.close_time));
}

void websocket_core::stop_with(errc code, std::string_view what) {
  give_up(error(code, fmt::format("the websocket has failed: {}: {}", io_->peer(), what)));
}

/// The connection is of no more use. What was known of its end before holds.
void websocket_core::give_up(error why) {
  if (state_ != state::leaving) why_ = std::move(why);
  finish();
}

void websocket_core::finish() noexcept {
  if (is_done()) return;
  if (!input_ended_) (void)io_->try_read(read_buffer()); // closing on unread input would take back what was just sent
  state_ = state::done;
  io_->close();
}

time_point websocket_core::due(time_point now) noexcept {
  listening_ = true;
  if (is_done()) return now;
  if (state_ != state::open) return std::min(end_deadline_, write_deadline_);
  if (heard_ == never) heard_ = now;
  // It may have been we who did not read: then the peer has its time once more.
  if (message_deadline_ <= now) message_deadline_ = saturating_add(now, most_.message_time);
  const auto sign =
      pinged_ != never ? saturating_add(pinged_, most_.pong_time) : saturating_add(heard_, most_.ping_after);
  return std::min({sign, message_deadline_, write_deadline_});
}

void websocket_core::release_memory() noexcept {
  if (input_.empty()) give_back(pending_);
  if (!has_output()) {
    give_back(out_);
    sent_ = 0;
  }
}

} // namespace greenroom::http::internal
