#include <greenroom/http/internal/connection.hpp>

#include <array>
#include <cstddef>
#include <mutex>
#include <span>

#include <fmt/format.h>

#include <greenroom/http/internal/give_back.hpp>
#include <greenroom/http/internal/request_span.hpp>

namespace greenroom::http::internal {
namespace {

// One read takes what a socket usually holds; each worker has one such buffer, whatever the number of connections.
constexpr std::size_t read_size = 65'536;
std::span<std::byte> read_buffer() noexcept {
  alignas(64) static thread_local std::array<std::byte, read_size> buffer;
  return buffer;
}

} // namespace

connection::connection(server_core& server, lane& in, std::shared_ptr<stream> io, const std::string& peer)
    : server_(server),
      lane_(in),
      io_(std::move(io)),
      peer_(peer),
      parser_(server.options.limits, server.options.tls.has_value(), &server.table.own_methods()) {
  std::lock_guard guard(lane_.lock);
  next_ = lane_.first;
  if (next_ != nullptr) next_->prev_ = this;
  lane_.first = this;
}

connection::~connection() {
  if (server_.draining() && is_cut_off()) {
    server_.count(event::cut_off);
    note_cut_off();
  }
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
      if (closing_ || parser_.at() == request_parser::state::failed) break;
      if (route_ != nullptr && route_->reads_body()) {
        begin_reading();
        if (answering_) return step::wait_for_answer;
      } else {
        parse();
      }
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
  if (input_.empty()) give_back(pending_);
  if (!has_output()) give_back(out_);
  parser_.release();
}

time_point connection::input_deadline() {
  switch (parser_.at()) {
  case request_parser::state::idle: {
    input_deadline_ = never;
    // Where what the coarse time is behind would count.
    const bool short_time = limits().idle_time < 100 * clock::coarse_step;
    return saturating_add(short_time ? now() : server_.system.time().coarse_now(), limits().idle_time);
  }
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

// -- output ---------------------------------------------------------------------------------------------

void connection::answer(const response& r, answer_form form, bool goes_on) {
  form.close |= server_.draining();
  closing_ = linger_ = form.close;
  write_response(out_, r, form, server_.system.time().wall_second());
  constexpr event classes[] = {event::answered_2xx, event::answered_2xx, event::answered_3xx, event::answered_4xx,
                               event::answered_5xx}; // an upgrade has succeeded
  server_.count(classes[r.status() / 100 - 1]);
  if (!goes_on) note_answer(r, form.without_body ? 0 : r.body().size());
}

/// Whether anybody wants to know how requests were answered.
bool connection::tells_of_answers() const noexcept {
  return server_.options.on_answer != nullptr || takes_spans(server_.system);
}

/// For server_options::on_answer and for spans, where the request may be gone.
void connection::note_request(const detail::request_data& data) {
  if (tells_of_answers()) noted_.reset(new noted{std::string(data.target), data.method, now()});
}

void connection::note_answer(const response& r, std::uint64_t body, bool cut_off) {
  if (!tells_of_answers()) return;
  const auto seen = std::exchange(noted_, nullptr);
  const auto trace = answering_ ? answering_->trace() : trace_context();
  const http::answered what{.method = seen ? to_string(seen->method) : std::string_view(),
                            .target = seen ? std::string_view(seen->target) : std::string_view(),
                            .route = seen && route_ != nullptr ? std::string_view(route_->pattern) : std::string_view(),
                            .peer = peer_,
                            .answer = r,
                            .body_bytes = body,
                            .took = seen ? now() - seen->since : duration::zero(),
                            .cut_off = cut_off,
                            .trace = trace};
  if (seen && trace.sampled()) report_request(server_.system, what, seen->since);
  if (server_.options.on_answer) server_.options.on_answer(what);
}

bool connection::write() {
  while (has_output()) {
    const auto rest = std::as_bytes(std::span(out_)).subspan(sent_);
    const auto put = io_->try_write(rest);
    if (!put) {
      if (!put.error().is(errc::full)) broken_ = true;
      note_progress(0);
      return false;
    }
    sent_ += *put;
    note_progress(*put);
  }
  out_.clear();
  sent_ = 0;
  slow_since_ = never;
  return true;
}

/// Sees to it that a client which takes a byte now and then does not keep us for ever. Called with 0 when it takes no more.
void connection::note_progress(std::size_t taken) noexcept {
  if (slow_since_ == never && taken != 0) return; // most take all at once
  const auto t = now();
  if (slow_since_ == never) {
    slow_since_ = t;
    taken_slowly_ = 0;
    output_deadline_ = saturating_add(t, limits().write_time);
  }
  if (taken == 0) return;
  taken_slowly_ += taken;
  output_deadline_ = saturating_add(t, limits().write_time);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(t - slow_since_);
  const bool patient = t - slow_since_ <= limits().write_time;
  if (!patient && taken_slowly_ / static_cast<std::uint64_t>(seconds.count() + 1) < limits().write_rate) broken_ = true;
}

bool connection::read_on() {
  const auto got = io_->try_read(read_buffer());
  return got ? *got != 0 : got.error().is(errc::empty);
}

} // namespace greenroom::http::internal
