#include <greenroom/actors/supervisor_spec.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <greenroom/actors/internal/supervisor_actor.hpp>

namespace greenroom {

const char* to_string(restart_strategy strategy) noexcept {
  static constexpr const char* names[] = {"one_for_one", "one_for_all", "rest_for_one", "dynamic"};
  const auto n = static_cast<std::size_t>(strategy);
  return n < std::size(names) ? names[n] : "";
}

namespace detail {

child_start::~child_start() = default;

void child_start::throw_given_up() {
  throw usage_error("its mailboxes and addresses were given up when it ended for good; remove it, and add it anew");
}

result<void> check(const child_spec& child, auto_shutdown of_supervisor) {
  const auto bad = [&child](std::string_view what) {
    return error(errc::invalid_argument, fmt::format("child '{}': {}", child.name, what));
  };
  if (child.name.empty()) return bad("its name must not be empty");
  if (auto ok = child.how.backoff.check(); !ok) return bad(ok.error().message());
  if (child.how.grace && *child.how.grace < duration::zero()) return bad("grace must be 0 or more");
  if (child.how.start_limit && *child.how.start_limit <= duration::zero())
    return bad("start_limit must be more than 0");
  if (child.start->work != nullptr) {
    if (auto ok = child.start->work->follow(child.how.queue, child.how.deliveries); !ok)
      return bad(ok.error().message());
  }
  if (!child.how.significant) return {};
  if (child.how.restart == permanent)
    return bad("a permanent child never ends for good, so it cannot be significant; make it transient or temporary");
  if (of_supervisor == auto_shutdown::off)
    return bad("it is significant, but its supervisor never shuts down by itself: see supervisor_options::shuts_down");
  return {};
}

nested_start::nested_start(std::shared_ptr<const supervisor_plan> plan, std::source_location w)
    : child_start(w),
      plan_(std::move(plan)),
      calls_(std::make_shared<call_place>()),
      family_(std::make_shared<family>()) {}

started nested_start::begin() {
  if (over_) throw_given_up();
  if (!in_ || in_.closed()) { // the first start, or one after a rest
    in_ = mailbox<supervisor_call>(bounded(internal::waiting_calls));
    calls_->set(in_.address());
  }
  using target =
      spawn_target<std::shared_ptr<const supervisor_plan>, mailbox<supervisor_call>, std::shared_ptr<family>>;
  return target(internal::run_supervisor)
      .begin(std::shared_ptr(plan_), mailbox<supervisor_call>(in_), std::shared_ptr(family_));
}

void nested_start::rest() noexcept {
  if (in_) in_.close(queued::drop); // who waits for an answer gets errc::no_reply
}

std::vector<actor> nested_start::take_orphans() {
  auto all = family_->take();
  for (const auto& child : plan_->children) {
    auto more = child.start->take_orphans();
    all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  return all;
}

void nested_start::give_up_ports() noexcept {
  over_ = true;
  rest();
  for (const auto& child : plan_->children) child.start->give_up();
}

} // namespace detail

supervisor_spec::supervisor_spec(std::string name, supervisor_options how)
    : plan_(std::make_shared<detail::supervisor_plan>()) {
  if (name.empty()) throw usage_error("supervisor: its name must not be empty");
  if (auto ok = how.intensity.check(); !ok) {
    throw usage_error(fmt::format("supervisor '{}': {}", name, ok.error().message()));
  }
  plan_->name = std::move(name);
  plan_->how = how;
}
supervisor_spec::supervisor_spec(supervisor_spec&&) noexcept = default;
supervisor_spec& supervisor_spec::operator=(supervisor_spec&&) noexcept = default;
supervisor_spec::~supervisor_spec() = default;

supervisor_spec& supervisor_spec::child(std::string name, child_options how, supervisor_spec below,
                                        std::source_location where) {
  if (below.plan_ == nullptr || below.plan_ == plan_) {
    throw usage_error(
        fmt::format("supervisor_spec::child: the spec for '{}' was moved from, or is this one itself", name));
  }
  auto start = std::make_shared<detail::nested_start>(below.plan_, where);
  return add({std::move(name), how, std::move(start), true});
}

supervisor_spec& supervisor_spec::dead_letters(address<dead_letter> to) {
  if (plan_ == nullptr) throw usage_error("supervisor_spec::dead_letters: this spec was moved from");
  plan_->dead_letters = std::move(to);
  return *this;
}

supervisor_spec& supervisor_spec::add(detail::child_spec fresh) {
  if (plan_ == nullptr)
    throw usage_error(fmt::format("supervisor_spec::child: '{}': this spec was moved from", fresh.name));
  const auto& own = plan_->name;
  const auto& name = fresh.name;
  if (plan_->how.strategy == dynamic) {
    throw usage_error(fmt::format(
        "supervisor '{}' is dynamic and begins without children: start '{}' with start_child()", own, name));
  }
  if (auto ok = check(fresh, plan_->how.shuts_down); !ok) {
    throw usage_error(fmt::format("supervisor '{}': {}", own, ok.error().message()));
  }
  const auto taken = std::any_of(plan_->children.begin(), plan_->children.end(),
                                 [&name](const detail::child_spec& c) { return c.name == name; });
  if (taken)
    throw usage_error(
        fmt::format("supervisor '{}' has a child '{}' already: name each of them differently", own, name));
  plan_->children.push_back(std::move(fresh));
  return *this;
}

} // namespace greenroom
