#include <greenroom/actors/link.hpp>

#include <utility>

#include <fmt/format.h>

namespace greenroom {
namespace detail {

/// Stands as a listener with both.
struct link_pair final : exit_listener {
  link_pair(const actor& one, const actor& other) noexcept : a(one), b(other) {}
  void on_exit(actor_cell& cell, const exit_reason& why) noexcept override {
    const auto& ended = &cell == a.cell() ? a : b;
    const auto& left = &cell == a.cell() ? b : a;
    remove_listener(*left.cell(), this);
    if (why.normal()) return;
    left.cancel(error(why.why().code(), fmt::format("linked to actor {} '{}', which ended: {}", ended.id(),
                                                    ended.name(), why.to_string())));
  }
  const actor a;
  const actor b;
};

} // namespace detail

actor_link link(const actor& a, const actor& b) {
  if (!a || !b) throw usage_error("link: a handle names no actor: it was default-constructed or moved from");
  if (a == b) throw usage_error(fmt::format("link: actor {} '{}' cannot be linked to itself", a.id(), a.name()));
  auto pair = std::make_shared<detail::link_pair>(a, b);
  if (!detail::add_listener(*a.cell(), pair)) {
    pair->on_exit(*a.cell(), detail::extras_of(*a.cell()).reason);
  } else if (!detail::add_listener(*b.cell(), pair)) {
    pair->on_exit(*b.cell(), detail::extras_of(*b.cell()).reason);
  } else if (detail::is_finished(*a.cell())) {
    detail::remove_listener(*b.cell(), pair.get()); // `a` may have ended in between, and told nobody to take this away
  }
  return actor_link(std::move(pair));
}

void actor_link::unlink() const noexcept {
  if (pair_ == nullptr) return; // moved from
  detail::remove_listener(*pair_->a.cell(), pair_.get());
  detail::remove_listener(*pair_->b.cell(), pair_.get());
}

} // namespace greenroom
