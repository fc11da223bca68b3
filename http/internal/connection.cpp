#include <greenroom/http/internal/connection.hpp>

#include <array>
#include <cstddef>
#include <mutex>
#include <span>

#include <fmt/format.h>

#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/select.hpp>

namespace greenroom::http::internal {
namespace {

// One read takes what a socket usually holds; each worker has one such buffer, whatever the number of connections.
constexpr std::size_t read_size = 65'536;
// More than this is not read while a request is answered, nor answered while the client takes nothing: back-pressure.
constexpr std::size_t most_read_ahead = 65'536;
constexpr std::size_t most_output = 65'536;
// How long a client gets to read our last answer and close, before we do.
constexpr auto linger_time = std::chrono::seconds(1);

std::span<std::byte> read_buffer() noexcept {
  alignas(64) static thread_local std::array<std::byte, read_size> buffer;
  return buffer;
}

double seconds_of(std::chrono::milliseconds t) { return static_cast<double>(t.count()) / 1000; }

} // namespace

connection::connection(server_core& server, lane& in, std::unique_ptr<stream> io)
    : server_(server), lane_(in), io_(std::move(io)), parser_(server.options.limits) {
  std::lock_guard guard(lane_.lock);
  next_ = lane_.first;
  if (next_ != nullptr) next_->prev_ = this;
  lane_.first = this;
}

connection::~connection() {
  if (server_.draining() && is_cut_off()) server_.count(event::cut_off);
  std::lock_guard guard(lane_.lock);
  (prev_ != nullptr ? prev_->next_ : lane_.first) = next_;
  if (next_ != nullptr) next_->prev_ = prev_;
}

// -- input ----------------------------------------------------------------------------------------------

connection::step connection::advance() {
  const auto next = take_input();
  keep_input();
  return next;
}

connection::step connection::take_input() {
  for (;;) {
    if (closing_ || broken_) return step::finish;
    if (out_.size() - sent_ > most_output) return step::send;
    switch (parser_.at()) {
    case request_parser::state::failed: refuse(parser_.why().status, parser_.why().reason); break;
    case request_parser::state::complete:
      begin();
      if (answering_) return step::wait_for_answer;
      break;
    case request_parser::state::head_done:
      admit();
      if (!closing_) parse();
      break;
    default:
      if (input_.empty()) return step::wait_for_input;
      parse();
    }
  }
}

/// Moves what is left from the worker's buffer to one of our own.
void connection::keep_input() {
  if (input_.empty()) {
    pending_.clear();
  } else if (pending_.empty()) {
    pending_.assign(input_);
    input_ = pending_;
  }
}

void connection::read_ahead() {
  read();
  keep_input();
}

bool connection::read() {
  const auto buffer = read_buffer();
  const auto got = io_->try_read(buffer);
  if (!got) {
    if (got.error().is(errc::empty)) return false;
    broken_ = true;
    return true;
  }
  if (*got == 0) {
    ended_ = true;
    return true;
  }
  const std::string_view bytes(reinterpret_cast<const char*>(buffer.data()), *got);
  if (input_.empty()) {
    input_ = bytes;
    return true;
  }
  pending_.erase(0, pending_.size() - input_.size());
  pending_.append(bytes);
  input_ = pending_;
  return true;
}

void connection::release_memory() noexcept {
  if (input_.empty()) pending_ = std::string();
  if (!has_output()) out_ = std::string();
  parser_.release();
}

time_point connection::input_deadline() {
  switch (parser_.at()) {
  case request_parser::state::idle: input_deadline_ = never; return saturating_add(now(), limits().idle_time);
  case request_parser::state::head:
    if (input_deadline_ == never) input_deadline_ = saturating_add(now(), limits().head_time);
    break;
  default:
    if (input_deadline_ == never) input_deadline_ = saturating_add(now(), limits().body_time);
  }
  return input_deadline_;
}

void connection::input_is_late() {
  switch (parser_.at()) {
  case request_parser::state::idle: closing_ = true; break; // nobody is waiting for an answer
  case request_parser::state::head:
    refuse(408, fmt::format("the header section did not arrive within {} s", seconds_of(limits().head_time)));
    break;
  default: refuse(408, fmt::format("the body did not arrive within {} s", seconds_of(limits().body_time)));
  }
}

bool connection::should_close() const noexcept {
  const bool between = parser_.at() == request_parser::state::idle || parser_.at() == request_parser::state::head;
  return server_.draining() && between;
}

// -- one request ----------------------------------------------------------------------------------------

/// The header section is complete: finds the route, and says whether the body is wanted.
void connection::admit() {
  auto& data = parser_.data();
  input_deadline_ = never;
  instead_.reset();
  const auto found = server_.router.find(data.method, data.path, data.parameters);
  route_ = found.found;
  if (route_ == nullptr) {
    if (data.method == method::options && (found.path_exists || data.path == "*")) {
      instead_ = response(204);
      if (found.path_exists) instead_->header("Allow", found.allow);
    } else if (found.path_exists) {
      instead_ = text(fmt::format("{} is not allowed here; {} are\n", to_string(data.method), found.allow), 405);
      instead_->header("Allow", found.allow);
    } else {
      instead_ = text("there is nothing at this path\n", 404);
    }
  }
  if (!parser_.expects_continue()) return;
  if (instead_) { // the client still holds its body back: it need not send it
    answer(*instead_, {data.method == method::head, true, false});
  } else if (input_.empty()) {
    out_ += "HTTP/1.1 100 Continue\r\n\r\n";
  }
}

/// The request is complete: answers it, or starts the actor that does.
void connection::begin() {
  input_deadline_ = never;
  auto& data = parser_.data();
  const bool keep = parser_.keep_alive();
  form_ = {data.method == method::head, !keep, keep && data.minor_version == 0};
  if (instead_) {
    parser_.take();
    return answer(*instead_, form_);
  }
  data.peer = io_->peer();
  auto* const x =
      new exchange(server_, *route_, parser_.take(), lane_.ctx.ctx.node(), saturating_add(now(), route_->how.limit));
  answering_.hold(x);
  x->start();
}

/// Whether the client had its request read, is there, and has not got its answer.
bool connection::is_cut_off() const noexcept {
  const auto at = parser_.at();
  const bool under_way = at == request_parser::state::head_done || at == request_parser::state::body ||
                         at == request_parser::state::complete;
  return !broken_ && !left_ && (answering_ || has_output() || under_way);
}

void connection::take_answer() {
  auto& x = *answering_.operator->();
  if (x.why().normal()) {
    answer(x.answer(), form_);
  } else if (x.why().kind() == exit_kind::cancelled && left_) {
    server_.count(event::abandoned);
    broken_ = true;
  } else if (x.why().kind() == exit_kind::cancelled) {
    answer(text("the request was cancelled: " + std::string(x.why().why().message()) + "\n", 503), form_);
  } else { // the log has the reason, with the name of the route; it is not the client's business
    server_.count(event::failed);
    answer(text("the server failed to answer this request\n", 500), form_);
  }
  answering_.drop(errc::cancelled);
}

void connection::answer_is_late() {
  server_.count(event::timed_out);
  answer(answering_->to().how.late, form_);
  answering_.drop(errc::timed_out);
}

void connection::client_has_left() {
  left_ = true;
  answering_->cancel(error(errc::cancelled, "the client has left"));
}

void connection::connection_is_lost() {
  server_.count(event::abandoned);
  answering_.drop(error(errc::cancelled, "the client has left"));
}

bool connection::may_read_ahead() const noexcept { return input_.size() < most_read_ahead; }

void connection::refuse(int status, std::string reason) {
  server_.count(event::refused);
  server_.system.log().debug("refused a request of {} with {}: {}", io_->peer(), status, reason);
  answer(text(std::move(reason) + "\n", status), {.without_body = parser_.is_head(), .close = true});
}

// -- output ---------------------------------------------------------------------------------------------

void connection::answer(const response& r, answer_form form) {
  form.close |= server_.draining();
  closing_ = linger_ = form.close;
  write_response(out_, r, form, server_.system.wall_now());
  constexpr event classes[] = {event::answered_2xx, event::answered_3xx, event::answered_4xx, event::answered_5xx};
  server_.count(classes[r.status() / 100 - 2]);
}

bool connection::write() {
  while (has_output()) {
    const auto rest = std::as_bytes(std::span(out_)).subspan(sent_);
    const auto put = io_->try_write(rest);
    if (!put) {
      if (!put.error().is(errc::full)) broken_ = true;
      return false;
    }
    sent_ += *put;
  }
  out_.clear();
  sent_ = 0;
  return true;
}

bool connection::read_on() {
  const auto got = io_->try_read(read_buffer());
  return got ? *got != 0 : got.error().is(errc::empty);
}

// -- the actor ------------------------------------------------------------------------------------------

namespace {

/// Waits for the request actor, sends what is due meanwhile, and looks whether the client is still there.
task<> await_answer(connection* c) {
  auto& x = c->under_way();
  if (c->gone()) c->client_has_left(); // it had asked for more before
  c->write();
  while (!c->broken()) {
    const auto input = c->may_read_ahead() && !c->gone() ? c->io().readable() : stream::not_ready();
    const auto output = c->has_output() ? c->io().writable() : stream::not_ready();
    auto s = co_await select(x.end(), input, output, at(x.deadline()));
    if (s.index() == 0) {
      c->take_answer();
      co_return;
    }
    if (s.index() == 3) {
      c->answer_is_late();
      co_return;
    }
    if (s.index() == 1) {
      c->read_ahead();
      // One that only ends its sending looks the same: as in Go the work is cancelled, but what has an answer all the same sends it.
      if (c->gone()) c->client_has_left();
    } else {
      c->write();
    }
  }
  c->connection_is_lost();
}

task<> send_all(connection* c) {
  while (!c->write() && !c->broken()) {
    const bool taken = co_await c->io().writable_until(saturating_add(c->now(), c->limits().write_time));
    if (!taken) c->output_is_late();
  }
}

/// Lets the client read our last answer: closing on unread input resets the connection, and the answer may be lost with it.
/// Source: RFC 9112 section 9.6.
task<> linger(connection* c) {
  c->io().shutdown_send();
  const auto end = saturating_add(c->now(), linger_time);
  for (bool more = true; more && c->now() < end;) {
    more = co_await c->io().readable_until(end);
    if (more) more = c->read_on();
  }
}

} // namespace

task<> serve_connection(open_connection here, lane* in, std::unique_ptr<stream> io) {
  connection c(here.server(), *in, std::move(io));
  for (;;) {
    const auto next = c.advance();
    if (next == connection::step::wait_for_answer) {
      co_await yield(); // most requests are answered when this returns, and nothing need be armed for them
      if (c.answered()) {
        c.take_answer();
      } else {
        auto waiting = await_answer(&c);
        co_await std::move(waiting);
      }
      continue;
    }
    if (c.has_output()) {
      auto sending = send_all(&c);
      co_await std::move(sending);
    }
    if (next == connection::step::finish || c.broken()) break;
    if (next == connection::step::send) continue;
    if (c.gone()) break;
    if (c.should_close()) {
      if (!c.read()) break; // nothing came in the last moment
      continue;
    }
    c.release_memory();
    const bool came = co_await c.io().readable_until(c.input_deadline());
    // Tried in both cases: a worker that is stuck may be late to learn that something has come.
    if (!c.read() && !came) c.input_is_late();
  }
  if (c.must_linger()) {
    auto lingering = linger(&c);
    co_await std::move(lingering);
  }
}

} // namespace greenroom::http::internal
