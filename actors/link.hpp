// link: ties the fates of two actors: when one of them ends other than normally, the other is cancelled, with a cause that names the
// first and its exit reason. For partners that are of no use without each other and have no supervisor in common.
// Thread safety: any thread. Lifetime: a link lasts until one of its actors ends, or unlink().
// Source: Erlang/OTP, erlang:link/1; unlike there, an actor cannot trap the cancellation, only clean up while it unwinds.
#pragma once

#include <memory>

#include <greenroom/runtime/actor.hpp>

namespace greenroom {
namespace detail {
struct link_pair;
}

/// A link, to be taken back; dropping this handle leaves the link as it is. Thread safety: any thread.
class actor_link {
public:
  /// Unties the two. An end that has happened before may still have its effect.
  GREENROOM_EXPORT void unlink() const noexcept;

private:
  friend GREENROOM_EXPORT actor_link link(const actor& a, const actor& b);
  explicit actor_link(std::shared_ptr<detail::link_pair> pair) noexcept : pair_(std::move(pair)) {}
  std::shared_ptr<detail::link_pair> pair_;
};

/// Links `a` and `b`. If one of them has ended already other than normally, the other is cancelled at once; if normally, nothing
/// happens. Errors: usage_error if a handle names no actor, or both name the same.
GREENROOM_EXPORT actor_link link(const actor& a, const actor& b);

} // namespace greenroom
