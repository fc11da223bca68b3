#include <greenroom/http/body.hpp>

#include <fmt/format.h>

#include <greenroom/http/detail/body_pipe.hpp>
#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/error.hpp>

namespace greenroom::http {

body_reader::~body_reader() {
  if (from_) from_->leave();
}

task<result<std::string>> body_reader::read() {
  from_->ask();
  co_await detail::body_pipe::with_bytes(from_.get());
  co_return from_->take();
}

task<result<std::string>> body_reader::read_all(std::size_t most) {
  std::string all;
  for (;;) {
    auto part = co_await read();
    if (!part || part->empty()) {
      if (!part) co_return part.error();
      co_return all;
    }
    if (part->size() > most - all.size())
      co_return error(errc::limit, fmt::format("cannot read the body: it is longer than {} bytes", most));
    all += *part;
  }
}

std::span<const field> body_reader::trailers() const noexcept { return detail::fields_of(from_->trailers()); }

task<result<void>> body_writer::write(std::string part) {
  co_await detail::body_pipe::with_room(to_.get());
  co_return to_->put(std::move(part));
}

namespace detail {

continuation::~continuation() = default;

task<> continuation::write(body_writer) { co_return; } // of an upgrade: never called, as is the next of the others

task<> continuation::take_over(upgraded_connection) { co_return; }

response with_continuation(response head, std::shared_ptr<continuation> next) {
  if (!head.body().empty())
    throw usage_error("http::streamed: the head has a body already; give what goes on from the function");
  head.next_ = std::move(next);
  if (greenroom::detail::this_turn.cell != nullptr) head.next_->made_under.emplace(this_actor::context());
  if (head.next_->is == continuation::kind::upgrade) head.status_ = 101;
  return head;
}

} // namespace detail
} // namespace greenroom::http
