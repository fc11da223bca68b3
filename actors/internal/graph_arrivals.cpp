#include <greenroom/actors/internal/graph_arrivals.hpp>

#include <any>
#include <utility>

#include <fmt/format.h>

#include <greenroom/runtime/detail/item_trace.hpp>
#include <greenroom/runtime/spawn.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom::internal {

namespace {

// Each node sends one batch at a time, so nobody waits for room.
constexpr std::uint32_t most_senders = 64;

/// One batch, until it is answered; whatever ends the work on it, the answer says how far that came.
class receipt {
public:
  receipt(std::shared_ptr<way_in> way, request<crossing_batch> asked) : asked_(std::move(asked)) {
    const auto& batch = asked_.message;
    const auto fits = way->check_type(batch.type);
    const auto found = fits ? way->find(batch) : result<way_in::progress*>(fits.error());
    if (!found) {
      asked_.fail(found.error());
    } else if (*found == nullptr) { // it comes late, by a connection that was thought lost
      asked_.reply(static_cast<std::uint32_t>(batch.items.size()));
    } else {
      seen_ = *found;
    }
  }
  receipt(const receipt&) = delete;
  receipt& operator=(const receipt&) = delete;
  ~receipt() {
    if (seen_ != nullptr) asked_.reply(std::uint32_t{seen_->taken});
  }

  /// Returns the next item, and has the actor work for its trace; null if there is none.
  const std::string* next() {
    if (seen_ == nullptr || seen_->taken >= asked_.message.items.size()) return nullptr;
    const auto& item = asked_.message.items[seen_->taken];
    if (traced_ || !item.trace.empty()) {
      const auto trace = item.trace.empty() ? std::nullopt : trace_context::parse(item.trace);
      detail::keep_trace(trace ? *trace : trace_context());
      traced_ = trace.has_value();
    }
    return &item.bytes;
  }
  /// The input has it.
  void took() noexcept { ++seen_->taken; }
  /// It cannot have it, nor those behind it.
  void refuse(error why) {
    if (seen_->taken == 0) { // else it is told when they come again
      asked_.fail(std::move(why));
      seen_ = nullptr;
    }
    stopped_ = true;
  }
  bool stopped() const noexcept { return stopped_; }

private:
  request<crossing_batch> asked_;
  way_in::progress* seen_ = nullptr; // null once answered
  bool traced_ = false;              // the actor works for the trace of an item
  bool stopped_ = false;
};

task<> take_items(mailbox<request<crossing_batch>> from, std::any to, std::shared_ptr<way_in> way) {
  while (auto asked = co_await from.receive()) {
    receipt batch(way, std::move(*asked));
    while (const auto* const bytes = batch.stopped() ? nullptr : batch.next()) {
      auto putting = way->kind.put(&to, bytes);
      const auto done = co_await std::move(putting);
      if (done) {
        batch.took();
      } else {
        batch.refuse(done.error());
      }
    }
  }
}

task<> answer(request<crossing_call> asked, std::any to, std::shared_ptr<way_in> way) {
  auto asking = way->kind.ask(std::move(to), std::move(asked.message.bytes));
  auto done = co_await within(asked.context(), std::move(asking));
  asked.reply(std::move(done));
}

task<> take_requests(mailbox<request<crossing_call>> from, std::any to, std::shared_ptr<way_in> way) {
  while (auto asked = co_await from.receive()) {
    const auto fits = way->check_type(asked->message.type);
    if (fits) {
      spawn({.name = "crossing request"}, answer, std::move(*asked), to, way);
    } else {
      asked->fail(fits.error());
    }
  }
}

} // namespace

way_in::way_in(std::string in, const detail::crossing_kind& of)
    : input(std::move(in)),
      kind(of),
      type(of.type()),
      batches(bounded(most_senders)),
      to_batches(batches.address()),
      asked(bounded(most_senders)),
      to_asked(asked.address()) {}

result<void> way_in::check_type(std::uint64_t fingerprint) const {
  if (fingerprint == type.fingerprint) return {};
  return error(errc::type_mismatch, fmt::format("{} takes {}: run the same program on all nodes", input, type.text));
}

result<way_in::progress*> way_in::find(const crossing_batch& batch) {
  if (seen_.size() >= most_senders && !seen_.contains(batch.from))
    return error(errc::limit, fmt::format("{} is sent to by {} nodes already", input, most_senders));
  auto& seen = seen_[batch.from];
  if (seen.life != batch.life || seen.number < batch.number) seen = {batch.life, batch.number, 0};
  return seen.number == batch.number ? &seen : nullptr;
}

std::shared_ptr<detail::child_start> start_way_in(std::source_location at, const detail::node_wires& wires,
                                                  std::shared_ptr<way_in> way) {
  const auto& to = wires.outputs[0]->out;
  if (way->kind.ask != nullptr) return detail::start_of_node(at, wires, &take_requests, way->asked, to, way);
  return detail::start_of_node(at, wires, &take_items, way->batches, to, way);
}

} // namespace greenroom::internal
