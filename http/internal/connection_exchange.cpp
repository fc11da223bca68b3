// The part of a connection that is about the request under way.
#include <greenroom/http/internal/connection.hpp>

#include <algorithm>
#include <new>
#include <utility>

#include <fmt/format.h>

#include <greenroom/http/internal/give_back.hpp>

namespace greenroom::http::internal {
namespace {

constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

answer_form form_of(request_parser& parser) {
  const auto& data = parser.data();
  const bool keep = parser.keep_alive();
  return {.without_body = data.method == method::head,
          .close = !keep,
          .old_keep_alive = keep && data.minor_version == 0,
          .chunked = data.minor_version >= 1};
}

} // namespace

// -- one request ----------------------------------------------------------------------------------------

/// The header section is complete: finds the route, and says whether the body is wanted.
void connection::admit() {
  auto& data = parser_.data();
  input_deadline_ = never;
  instead_.reset();
  const auto found = server_.table.find(data.method, data.path, data.parameters);
  route_ = found.found;
  if (route_ == nullptr)
    instead_ = std::make_unique<response>(server_core::without_route(found, data.method, data.path));
  parser_.limit_body(route_ != nullptr ? route_->most_body : limits().body);
  if (parser_.at() == request_parser::state::failed || !parser_.expects_continue()) return;
  if (instead_) { // the client still holds its body back: it need not send it
    note_request(data);
    answer(*instead_, {.without_body = data.method == method::head, .close = true});
  } else if (input_.empty() && !route_->reads_body()) {
    out_ += continue_line;
  }
}

/// The request is complete: answers it, or starts the actor that does.
void connection::begin() {
  input_deadline_ = never;
  auto& data = parser_.data();
  form_ = form_of(parser_);
  body_left_ = false;
  note_request(data);
  if (instead_) {
    route_ = server_.fallback();
    if (route_ == nullptr) {
      parser_.take();
      return answer(*instead_, form_);
    }
  }
  if (server_.overloaded()) {
    parser_.take();
    return refuse_overload();
  }
  start(parser_.take(), nullptr);
}

/// The header section is complete: starts the actor that reads the body as it comes.
void connection::begin_reading() {
  form_ = form_of(parser_);
  note_request(parser_.data());
  if (server_.overloaded()) {
    form_.close = true; // rather than read what is not wanted
    return refuse_overload();
  }
  owes_continue_ = parser_.expects_continue() && input_.empty();
  body_taken_ = body_left_ = body_full_ = false;
  input_deadline_ = saturating_add(now(), limits().body_time);
  start(parser_.take_head(), std::make_shared<detail::body_pipe>(owes_continue_));
}

void connection::start(request r, std::shared_ptr<detail::body_pipe> body) {
  r.data().peer = peer_;
  const auto t = now();
  head_taken_ = left_ = false;
  auto* const x =
      new exchange(server_, *route_, std::move(r), std::move(body), lane_, t, saturating_add(t, route_->how.limit));
  x->take_back_at = saturating_add(t, limits().queue_age);
  answering_.hold(x);
  x->start();
}

/// Whether the client had its request read, is there, and has not got its answer.
bool connection::is_cut_off() const noexcept {
  const auto at = parser_.at();
  const bool under_way = !closing_ && (at == request_parser::state::head_done || at == request_parser::state::body ||
                                       at == request_parser::state::complete);
  return !broken_ && !left_ && (answering_ || has_output() || under_way);
}

void connection::note_cut_off() noexcept {
  try {
    const auto age = answering_ ? now() - answering_->made() : duration::zero();
    server_.note_cut_off({.route = route_ != nullptr ? route_->actor_name : "", .peer = peer_, .age = age});
  } catch (const std::bad_alloc&) {} // it is counted; what is missing is its name
}

void connection::take_answer() {
  auto& x = *answering_.operator->();
  form_.close |= body_is_unread(); // what is left of it is not read
  if (x.why().normal() && x.came_too_late()) {
    refuse_overload();
  } else if (x.why().normal() && x.answer().status() == 101) { // to HEAD, or to HTTP/1.0
    answer(text("this path speaks another protocol, to GET in HTTP/1.1\n", 400), form_);
  } else if (x.why().normal()) {
    answer(x.answer(), form_);
  } else if (x.why().kind() == exit_kind::cancelled && left_) {
    server_.count(event::abandoned);
    note_left();
    broken_ = true;
  } else if (x.why().kind() == exit_kind::cancelled) {
    answer(x.marked(text("the request was cancelled: " + std::string(x.why().why().message()) + "\n", 503)), form_);
  } else { // the log has the reason, with the name of the route; it is not the client's business
    server_.count(event::failed);
    answer(x.marked(text("the server failed to answer this request\n", 500)), form_);
  }
  answering_.drop(errc::cancelled);
}

void connection::answer_is_late() {
  server_.count(event::timed_out);
  answering_->log_late();
  form_.close |= body_is_unread();
  answer(answering_->marked(answering_->to().how.late), form_);
  answering_.drop(errc::timed_out);
}

bool connection::take_back() {
  if (!answering_->withdraw()) return false;
  form_.close |= body_is_unread();
  refuse_overload();
  answering_.drop(error(errc::limit, "the server is overloaded"));
  return true;
}

void connection::refuse_overload() {
  server_.count(event::shed);
  auto r = text("the server is overloaded; try again later\n", 503);
  answer(r.header("Retry-After", "1"), form_);
}

void connection::client_has_left() {
  left_ = true;
  answering_->cancel(error(errc::cancelled, "the client has left"));
  if (!body_is_coming()) return;
  body_taken_ = body_left_ = true;
  answering_->body_in()->fail(
      error(errc::closed, "cannot read on in the body of a request: the client has left before its end"));
}

/// Where there is no answer: as nginx writes it.
void connection::note_left() {
  if (tells_of_answers()) note_answer(answering_->marked(response(499)), 0, true);
}

void connection::connection_is_lost() {
  server_.count(event::abandoned);
  if (head_taken_)
    note_answer(answering_->answer(), answering_->body_sent, true);
  else
    note_left();
  answering_.drop(error(errc::cancelled, "the client has left"));
}

void connection::look_for_client() {
  answering_->look_for_client_at = never;
  if (left_ || broken_) return;
  const auto client = ended_ ? peer_state::ended : io_->peer_state();
  broken_ = client == peer_state::broken;
  if (client == peer_state::ended && !body_is_to_be_read()) client_has_left();
}

/// Whether the handler has bytes of the body before it, or may have.
bool connection::body_is_to_be_read() noexcept {
  auto* const body = answering_->body_in();
  if (body == nullptr || body_left_) return false;
  return body_is_coming() ? !ended_ || !input_.empty() : !body->drained();
}

bool connection::may_read_ahead() const noexcept { return input_.size() < most_read_ahead; }

void connection::refuse(int status, std::string reason) {
  server_.count(event::refused);
  server_.system.log().debug("refused a request of {} with {}: {}", peer_, status, reason);
  const bool without_body = answering_ ? form_.without_body : parser_.is_head();
  answer(text(std::move(reason) + "\n", status), {.without_body = without_body, .close = true});
}

time_point connection::answer_deadline() noexcept {
  auto due = head_taken_ ? never : answering_->deadline();
  if (!answering_->begun()) due = std::min(due, answering_->take_back_at);
  if (left_ || (may_read_ahead() && !ended_))
    answering_->look_for_client_at = never;
  else if (answering_->look_for_client_at == never)
    answering_->look_for_client_at = saturating_add(now(), look_interval);
  due = std::min(due, answering_->look_for_client_at);
  if (has_output()) due = std::min(due, output_deadline_);
  if (body_is_coming() && !body_full_) due = std::min(due, input_deadline_);
  return due;
}

void connection::something_is_late() {
  const auto t = now();
  if (!answering_->begun() && answering_->take_back_at <= t) {
    if (lane_.late.lasts(t) && take_back()) return;
    answering_->take_back_at = saturating_add(t, lateness::hiccup); // a hiccup, as it seems so far
  }
  if (answering_->look_for_client_at <= t) look_for_client();
  if (!head_taken_ && answering_->deadline() <= t) return answer_is_late();
  if (has_output() && output_deadline_ <= t) return output_is_late();
  if (body_is_coming() && input_deadline_ <= t && !body_full_)
    refuse_body(408, fmt::format("no part of the body came within {} s", seconds_of(limits().body_time)));
}

// -- a body that is read as it comes --------------------------------------------------------------------

bool connection::body_is_coming() const noexcept {
  return answering_ && answering_->body_in() != nullptr && !body_taken_;
}

void connection::feed() {
  if (!body_is_coming()) return;
  auto& pipe = *answering_->body_in();
  using state = request_parser::state;
  if (owes_continue_ && pipe.wanted()) {
    owes_continue_ = false;
    if (input_.empty() && !head_taken_) out_ += continue_line; // behind a head it would be a part of the answer
  }
  const bool waited = body_full_;
  body_full_ = !pipe.has_room();
  if (waited && !body_full_)
    input_deadline_ = saturating_add(now(), limits().body_time); // it was not the client's fault
  while (!body_taken_ && !pipe.abandoned() && !body_full_ &&
         (parser_.at() == state::head_done || (parser_.at() == state::body && !input_.empty()))) {
    parse();
    auto part = parser_.take_body();
    // Framing alone is no progress: a chunk's extension could go on for hours.
    if (!part.empty()) input_deadline_ = saturating_add(now(), limits().body_time);
    (void)pipe.put(std::move(part)); // fails when nobody takes it any more, which is seen below
    body_full_ = !pipe.has_room();
    if (parser_.at() == state::complete) {
      pipe.end(parser_.take_trailers());
      parser_.end_body();
      body_taken_ = true;
      input_deadline_ = never;
    } else if (parser_.at() == state::failed) {
      refuse_body(parser_.why().status, parser_.why().reason);
    }
  }
  if (!body_taken_ && pipe.abandoned()) body_taken_ = body_left_ = true; // the client need not send the rest
  keep_input();
}

/// The handler cannot have the rest: answers in its place if it has not, and cancels it.
void connection::refuse_body(int status, std::string reason) {
  body_taken_ = true;
  if (head_taken_) {
    server_.count(event::refused);
    broken_ = true;
    return;
  }
  auto why = error(errc::closed, reason);
  refuse(status, std::move(reason));
  answering_.drop(std::move(why));
}

detail::body_pipe* connection::full_pipe() noexcept {
  return body_is_coming() && body_full_ ? answering_->body_in() : nullptr;
}

// -- an answer that goes on -----------------------------------------------------------------------------

void connection::take_head() {
  const auto& head = answering_->answer();
  if (head.announced_length()) form_.chunked = false;
  form_.close |= !form_.chunked && !head.announced_length() && head.status() != 101;
  answer(head, form_, true);
  head_taken_ = true;
}

bool connection::pump() {
  if (!head_taken_ || upgrades()) return false;
  if (sent_ > most_output) {
    out_.erase(0, sent_);
    sent_ = 0;
  }
  bool any = false;
  const auto announced = answering_->answer().announced_length();
  while (out_.size() - sent_ < most_output && !broken_) {
    const auto part = answering_->body_out()->take();
    if (!part || part->empty()) break;
    any = true;
    if (announced && part->size() > *announced - answering_->body_sent) {
      server_.system.log().error("the body of an answer is longer than announced: {}: {} bytes of {} so far; cut off",
                                 route_->actor_name, answering_->body_sent + part->size(), *announced);
      broken_ = true;
      break;
    }
    answering_->body_sent += part->size();
    if (form_.chunked) {
      append_chunk(out_, *part);
    } else {
      out_ += *part;
    }
  }
  return any;
}

detail::body_pipe* connection::empty_pipe() noexcept {
  const bool room = head_taken_ && !upgrades() && out_.size() - sent_ < most_output;
  return room ? answering_->body_out() : nullptr;
}

void connection::end_body() {
  auto& x = *answering_.operator->();
  const auto& why = x.why();
  const auto announced = x.answer().announced_length();
  const bool stopped = ends_with_server() && server_.draining() && why.kind() == exit_kind::cancelled && !left_;
  if ((why.normal() || stopped) && announced && answering_->body_sent < *announced) {
    server_.system.log().error("the body of an answer is shorter than announced: {}: {} bytes of {}; cut off",
                               route_->actor_name, answering_->body_sent, *announced);
    broken_ = true;
  } else if (why.normal() || stopped) {
    if (form_.chunked) out_ += last_chunk;
  } else { // the client sees that the body has no end
    server_.count(left_ ? event::abandoned : event::failed);
    write();
    broken_ = true;
  }
  closing_ = linger_ = closing_ || body_is_unread();
  note_answer(x.answer(), answering_->body_sent, broken_);
  answering_.drop(errc::cancelled);
}

bool connection::ends_with_server() noexcept {
  return head_taken_ && answering_->answer().continuation()->is != detail::continuation::kind::body;
}

void connection::end_feed() {
  if (server_.draining() && ends_with_server()) answering_->cancel(error(errc::stopped, "the server is stopping"));
}

greenroom::detail::context_node* connection::feed_ends_with() noexcept {
  return ends_with_server() && !server_.draining() ? &server_.stopping().node() : nullptr;
}

void connection::hand_over() {
  answering_->hand_over(io_, std::string(input_));
  input_ = {};
  give_back(pending_);
}

void connection::upgrade_has_ended() {
  note_answer(answering_->answer(), 0);
  if (!answering_->why().normal() && answering_->why().kind() != exit_kind::cancelled) server_.count(event::failed);
  answering_.drop(errc::cancelled);
  closing_ = broken_ = true; // there is nothing more to say here
}

} // namespace greenroom::http::internal
