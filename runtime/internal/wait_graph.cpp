#include <greenroom/runtime/internal/wait_graph.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace greenroom::internal {

using detail::end_kind;
using detail::wait_kind;

namespace {

bool is_mailbox_wait(wait_kind kind) noexcept { return kind == wait_kind::receive || kind == wait_kind::send; }

bool deadline_is_a_failure(wait_kind kind) noexcept {
  return kind == wait_kind::send || kind == wait_kind::lock || kind == wait_kind::semaphore || kind == wait_kind::reply;
}

// Nodes behind that of a mailbox.
constexpr std::uint32_t senders = 1;
constexpr std::uint32_t receivers = 2;

constexpr std::size_t most_named = 16;
constexpr std::size_t most_visited = 256; // to find them

} // namespace

wait_graph::wait_graph(const wait_snapshot& snapshot, bool timed_too)
    : snapshot_(snapshot), actors_(snapshot.actors().size()) {
  connect();
  come_to_life(timed_too);
}

/// Makes the nodes, and what each depends on.
void wait_graph::connect() {
  const auto& all = snapshot_.actors();
  depends_on_.resize(2 * actors_);
  shown_.resize(2 * actors_);
  for (std::size_t i = 0; i < actors_; ++i) position_[all[i].cell] = i;
  for (const auto& [at, box] : snapshot_.mailboxes()) place_for({wait_kind::receive, at}, box.reached_by);
  for (std::size_t i = 0; i < actors_; ++i) add_waits(i);
  for (std::size_t i = 0; i < actors_; ++i) add_family(i);
  for (std::size_t i = 0; i < actors_; ++i) add_ends(all[i].ends, frame_of(i));
  for (const auto& [at, box] : snapshot_.mailboxes()) add_ends(box.ends, place_at_.at(key_of(true, at)));
  for (std::size_t i = 0; i < actors_; ++i) {
    for (const auto& c : all[i].cases) show(static_cast<node>(i), shown_for(c));
  }
  for (const auto& [at, lock] : snapshot_.permits()) {
    const auto n = place_at_.at(key_of(false, at));
    if (!add_queue(lock, n)) place_of(n).strong = 0; // as if no end were found
  }
}

/// Starts with what is certainly alive, or not wholly known.
void wait_graph::come_to_life(bool timed_too) {
  const auto& all = snapshot_.actors();
  const auto nodes = depends_on_.size();
  dependents_.resize(nodes);
  for (node n = 0; n < nodes; ++n) {
    for (const auto on : depends_on_[n]) dependents_[on].push_back(n);
  }
  missing_.assign(nodes, 1);
  alive_.assign(nodes, false);
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const auto n = static_cast<node>(2 * actors_ + i);
    if (places_[i].kind == wait_kind::scope) missing_[n] = static_cast<std::uint32_t>(depends_on_[n].size());
  }
  for (std::size_t i = 0; i < actors_; ++i) {
    if (all[i].timed && !(timed_too && deadline_is_a_failure(all[i].kind))) revive(static_cast<node>(i));
    if (all[i].exposed || snapshot_.has_busy_child(all[i].cell)) revive(frame_of(i));
  }
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const auto n = static_cast<node>(2 * actors_ + i);
    if (!all_ends_found(places_[i], n)) revive(n);
  }
}

wait_graph::node wait_graph::add_place(const place& p) {
  places_.push_back(p);
  depends_on_.emplace_back();
  shown_.emplace_back();
  return static_cast<node>(depends_on_.size() - 1);
}

/// Returns the node of what a case waits in, making it if need be.
wait_graph::node wait_graph::place_for(const seen_case& c, std::size_t waiter) {
  const auto key = key_of(is_mailbox_wait(c.kind), c.place);
  if (const auto there = place_at_.find(key); there != place_at_.end()) return there->second;
  place p;
  p.kind = c.kind;
  p.at = c.place;
  p.waiter = waiter;
  const auto n = add_place(p);
  place_at_.emplace(key, n);
  if (is_mailbox_wait(c.kind)) {
    add_place({});
    add_place({});
  }
  if (c.kind == wait_kind::join) {
    const auto target = position_.find(static_cast<const detail::actor_cell*>(c.place));
    if (target != position_.end()) tie(n, static_cast<node>(target->second));
  }
  return n;
}

void wait_graph::add_waits(std::size_t i) {
  const auto self = static_cast<node>(i);
  for (const auto& c : snapshot_.actors()[i].cases) depend(self, place_for(c, i));
  tie(frame_of(i), self);
}

/// Ties an actor to its parent: it may use its variables, and is waited for.
void wait_graph::add_family(std::size_t i) {
  const auto& a = snapshot_.actors()[i];
  if (a.parent == nullptr) return;
  if (const auto parent = position_.find(a.parent); parent != position_.end())
    depend(frame_of(parent->second), frame_of(i));
  const auto scope = place_at_.find(key_of(false, a.group));
  if (scope != place_at_.end() && place_of(scope->second).kind == wait_kind::scope)
    tie(scope->second, static_cast<node>(i));
}

/// Counts an end of a place; false if it is no end of such a place, but a word that looks like one.
bool wait_graph::count_end(place& p, const seen_end& e) noexcept {
  const bool is_lock = p.kind == wait_kind::lock || p.kind == wait_kind::semaphore;
  const bool is_shared = p.kind == wait_kind::reply || p.kind == wait_kind::turn;
  if (is_lock != (e.kind == end_kind::permit) || is_shared != (e.kind == end_kind::share)) return false;
  switch (e.kind) {
  case end_kind::mailbox: ++p.receiving; break;
  case end_kind::weak: ++p.weak; break;
  case end_kind::permit:
    if (__builtin_add_overflow(p.strong, e.permits, &p.strong)) return false;
    break;
  default: ++p.strong;
  }
  return true;
}

/// Notes that `holder` has these ends.
void wait_graph::add_ends(const std::vector<seen_end>& ends, node holder) {
  for (const auto& e : ends) {
    const auto there = place_at_.find(key_of(e.kind < end_kind::permit, e.of));
    if (there == place_at_.end()) continue;
    auto& p = place_of(there->second);
    if (!count_end(p, e)) continue;
    depend(there->second, holder);
    // What is queued in a mailbox is with those who receive from it.
    const bool is_queue = holder >= 2 * actors_;
    const auto view = !is_mailbox_wait(p.kind) ? 0 : e.kind == end_kind::mailbox ? receivers : senders;
    show(there->second + view, is_queue ? holder + receivers : holder);
  }
}

/// Who leaves the line early may make room for those behind who want less. Ties a lock to those who wait before such a one; false if one
/// of them was not read.
bool wait_graph::add_queue(const seen_permits& lock, node at) {
  const auto last =
      std::find_if(lock.waiters.rbegin(), lock.waiters.rend(), [&](const auto& w) { return w.want <= lock.free; });
  if (last == lock.waiters.rend()) return true;
  for (auto w = std::next(last); w != lock.waiters.rend(); ++w) {
    const auto there = position_.find(w->cell);
    if (there == position_.end()) return false;
    tie(at, static_cast<node>(there->second));
  }
  return true;
}

void wait_graph::tie(node dependent, node on) {
  depend(dependent, on);
  show(dependent, on);
}

void wait_graph::show(node dependent, node on) {
  auto& all = shown_[dependent];
  if (all.empty() || all.back() != on) all.push_back(on);
}

/// Returns the node that shows whom a case waits for.
wait_graph::node wait_graph::shown_for(const seen_case& c) const {
  const auto at = place_at_.at(key_of(is_mailbox_wait(c.kind), c.place));
  if (!is_mailbox_wait(c.kind)) return at;
  const auto wanted = at + (c.kind == wait_kind::receive ? senders : receivers);
  const auto others = at + (c.kind == wait_kind::receive ? receivers : senders);
  return shown_[wanted].empty() ? others : wanted;
}

void wait_graph::depend(node dependent, node on) {
  auto& all = depends_on_[dependent];
  if (all.empty() || all.back() != on) all.push_back(on);
}

/// Says whether what was found can be all there is; the second look compares with what is counted then.
bool wait_graph::all_ends_found(const place& p, node n) const {
  switch (p.kind) {
  case wait_kind::receive:
  case wait_kind::send: {
    const auto box = snapshot_.mailboxes().find(p.at);
    if (box == snapshot_.mailboxes().end() || !box->second.known) return false;
    const auto& count = box->second.count;
    return p.strong == count.strong && p.receiving == count.receiving && p.weak == count.weak;
  }
  case wait_kind::reply: return p.strong == 1;
  case wait_kind::lock:
  case wait_kind::semaphore: {
    const auto there = snapshot_.permits().find(p.at);
    return there != snapshot_.permits().end() && there->second.known && p.strong == there->second.held && p.strong > 0;
  }
  case wait_kind::turn: return p.strong > 0;
  case wait_kind::none: return true;       // for reports only
  default: return !depends_on_[n].empty(); // an actor or children that were read
  }
}

bool wait_graph::still_so(const place& p) const {
  switch (p.kind) {
  case wait_kind::receive:
  case wait_kind::send: return snapshot_.unchanged(snapshot_.mailboxes().at(p.at), p.at);
  case wait_kind::lock:
  case wait_kind::semaphore: return snapshot_.unchanged(snapshot_.permits().at(p.at), p.at);
  case wait_kind::turn: return snapshot_.seats(snapshot_.actors()[p.waiter], p.at) == p.strong;
  case wait_kind::none: return true;
  default: return snapshot_.still_waits(snapshot_.actors()[p.waiter]);
  }
}

void wait_graph::drop_what_has_changed() {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const auto n = static_cast<node>(2 * actors_ + i);
    if (!alive_[n] && !still_so(places_[i])) revive(n);
  }
  for (std::size_t i = 0; i < actors_; ++i) {
    if (!alive_[i] && !snapshot_.still_waits(snapshot_.actors()[i])) revive(static_cast<node>(i));
  }
}

void wait_graph::revive(node n) {
  if (alive_[n]) return;
  alive_[n] = true;
  std::vector<node> fresh{n};
  while (!fresh.empty()) {
    const auto one = fresh.back();
    fresh.pop_back();
    for (const auto d : dependents_[one]) {
      if (alive_[d] || --missing_[d] != 0) continue;
      alive_[d] = true;
      fresh.push_back(d);
    }
  }
}

/// Strongly connected components of what is left. Source: Tarjan 1972; without recursion, as chains of waits may be long.
struct wait_graph::components {
  explicit components(const wait_graph& graph)
      : g(graph), of(graph.shown_.size(), none), index_(of.size(), none), low_(of.size(), 0) {
    for (node n = 0; n < g.actors_; ++n) {
      if (!g.alive_[n] && index_[n] == none) visit(n);
    }
  }

  const wait_graph& g;
  // The component of a node, if it was reached; numbered such that a node depends on lower ones and its own.
  std::vector<node> of;
  std::vector<std::vector<node>> each; // the nodes of a component

private:
  struct step {
    node n;
    std::size_t next; // position in shown_
  };

  void visit(node start) {
    std::vector<step> path{{start, 0}};
    enter(start);
    while (!path.empty()) {
      auto& [n, next] = path.back();
      const auto& on = g.shown_[n];
      if (next < on.size()) {
        const auto d = on[next++];
        if (g.alive_[d]) continue; // a living child of a scope that another one holds up
        if (index_[d] == none) {
          enter(d);
          path.push_back({d, 0});
        } else if (of[d] == none) {
          low_[n] = std::min(low_[n], index_[d]);
        }
        continue;
      }
      const auto done = n;
      path.pop_back();
      if (!path.empty()) low_[path.back().n] = std::min(low_[path.back().n], low_[done]);
      if (low_[done] == index_[done]) close(done);
    }
  }
  void enter(node n) {
    index_[n] = low_[n] = count_++;
    open_.push_back(n);
  }
  void close(node head) {
    each.emplace_back();
    node n = none;
    do {
      n = open_.back();
      open_.pop_back();
      of[n] = static_cast<node>(each.size() - 1);
      each.back().push_back(n);
    } while (n != head);
  }

  std::vector<node> index_;
  std::vector<node> low_;
  std::vector<node> open_; // entered, not in a component yet
  node count_ = 0;
};

std::vector<wait_graph::group> wait_graph::groups() const {
  const components parts(*this);
  std::vector<group> all;
  std::vector<std::size_t> group_of(parts.each.size(), SIZE_MAX);
  std::vector<bool> is_knot(parts.each.size(), true);
  for (std::size_t c = 0; c < parts.each.size(); ++c) { // what a component depends on comes before it
    for (const auto n : parts.each[c]) {
      for (const auto on : shown_[n]) {
        if (alive_[on] || parts.of[on] == c) continue;
        is_knot[c] = false;
        if (group_of[c] == SIZE_MAX) group_of[c] = group_of[parts.of[on]];
      }
    }
    const bool has_actor =
        std::any_of(parts.each[c].begin(), parts.each[c].end(), [this](node n) { return n < actors_; });
    if (is_knot[c] && has_actor) {
      group_of[c] = all.size();
      all.emplace_back();
    }
  }
  std::vector<node> seen(depends_on_.size(), none);
  for (node i = 0; i < actors_; ++i) {
    if (alive_[i] || group_of[parts.of[i]] == SIZE_MAX) continue;
    auto& mine = all[group_of[parts.of[i]]];
    mine.push_back({i, is_knot[parts.of[i]], who_holds_up(i, seen)});
  }
  for (auto& g : all) { // the knot first
    std::sort(g.begin(), g.end(), [](const member& a, const member& b) {
      return std::pair(!a.in_knot, a.actor) < std::pair(!b.in_knot, b.actor);
    });
  }
  return all;
}

/// Lists the actors that this one waits for through places and variables, itself only if it is the only one. `seen` holds for each node
/// by whom it was last visited.
std::vector<std::size_t> wait_graph::who_holds_up(node waiting, std::vector<node>& seen) const {
  std::vector<std::size_t> found;
  std::vector<node> path{waiting};
  seen[waiting] = waiting;
  for (std::size_t next = 0; next < path.size(); ++next) {
    for (const auto on : shown_[path[next]]) {
      if (alive_[on] || seen[on] == waiting) continue;
      seen[on] = waiting;
      if (on >= actors_) {
        if (path.size() < most_visited) path.push_back(on);
      } else {
        found.push_back(on);
        if (found.size() == most_named) return found;
      }
    }
  }
  if (found.empty()) found.push_back(waiting);
  return found;
}

} // namespace greenroom::internal
