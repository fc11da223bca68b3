#include <greenroom/actors/detail/child_work.hpp>

#include <fmt/format.h>

#include <greenroom/runtime/detail/type_name.hpp>

namespace greenroom::detail {

void child_work::add_input(child_input in) {
  in.box->watch(*in.kind, false);
  inputs_.push_back(std::move(in));
}

result<void> child_work::follow(queue_fate fate, std::uint32_t deliveries) {
  if (deliveries == 0) return error(errc::invalid_argument, "deliveries must be 1 or more");
  const bool keeps = fate == queue_fate::keep || fate == queue_fate::dead_letter;
  for (const auto& in : inputs_) {
    if (keeps && in.kind->copy == nullptr) {
      return error(errc::invalid_argument,
                   fmt::format("queue_fate::{} needs a copy of the item in hand, but {} cannot be copied: make it "
                               "copyable, or take drop_poison or drop",
                               to_string(fate), type_name(in.kind->type)));
    }
  }
  most_deliveries_ = fate == queue_fate::keep ? deliveries : 0;
  for (const auto& in : inputs_) in.box->watch(*in.kind, keeps);
  return {};
}

std::vector<child_work::left> child_work::take_left() {
  std::lock_guard guard(mutex_);
  return std::exchange(left_, {});
}

void child_work::note(child_phase phase, const actor& who) {
  std::lock_guard guard(mutex_);
  note_.phase = phase;
  note_.who = who;
}

void child_work::note_failure(std::string why) {
  std::lock_guard guard(mutex_);
  note_.last_failure = std::move(why);
}

child_note child_work::noted() const {
  std::lock_guard guard(mutex_);
  return note_;
}

child_run::child_run(std::shared_ptr<child_work> work) : work_(std::move(work)), who_(this_turn.cell) {
  std::size_t entered = 0;
  try {
    for (; entered < work_->inputs_.size(); ++entered) {
      auto& box = *work_->inputs_[entered].box;
      std::lock_guard guard(box.lock());
      box.meter_locked()->enter(who_);
    }
  } catch (...) { // no memory
    leave(entered);
    throw;
  }
  ++work_->starts;
  ++work_->running;
}

child_run::~child_run() {
  leave(work_->inputs_.size());
  --work_->running;
}

/// Leaves the first inputs.
void child_run::leave(std::size_t entered) noexcept {
  for (std::size_t i = 0; i < entered; ++i) {
    auto& box = *work_->inputs_[i].box;
    actor_cell* wake = nullptr;
    left_item left; // destroyed without the lock
    {
      std::lock_guard guard(box.lock());
      left = box.meter_locked()->leave(who_, in_order_, work_->most_deliveries_, box, wake);
    }
    if (wake != nullptr) make_ready(*wake);
    if (!left.failed) continue;
    std::lock_guard guard(work_->mutex_);
    try {
      work_->left_.emplace_back(i, std::move(left));
    } catch (...) { // it is counted, but nobody will tell of it
    }
  }
}

} // namespace greenroom::detail
