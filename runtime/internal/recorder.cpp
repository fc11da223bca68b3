#include <greenroom/runtime/internal/recorder.hpp>

#include <algorithm>
#include <bit>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include <greenroom/runtime/detail/type_name.hpp>
#include <greenroom/runtime/internal/runtime_core.hpp>

namespace greenroom::internal {
namespace {

using detail::flight_words;
using std::chrono::milliseconds;

constexpr std::size_t most_line = 400;   // of a line of the log that is kept. Units: bytes
constexpr std::size_t usual_item = 200;  // of the text of an item, where only its mailbox asks for it. Units: bytes
constexpr std::size_t most_in_brief = 5; // events
constexpr std::uint32_t briefs_a_second = 20; // each reads all rings: 10 us for two workers

/// An event between its words and what is shown of it.
struct raw_event {
  std::uint32_t order = 0; // the time, but never less than that of an earlier event of the ring
  std::uint32_t ring = 0;
  std::uint64_t number = 0;
  flight_words words;
  kept_text text; // if words.kind() is none
  std::uint64_t actor() const noexcept { return words.kind() == flight_kind::none ? text.actor : words.actor(); }
  std::uint32_t at() const noexcept { return words.kind() == flight_kind::none ? text.at : words.at(); }
};

/// Cuts a text that is too long, between characters.
std::string shortened(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  text.resize(most);
  return text + "...";
}

const char* name_of(exit_kind kind) {
  static constexpr const char* names[] = {"normal", "failed", "cancelled", "killed"};
  return names[static_cast<std::size_t>(kind)];
}

/// An actor is spawned first and ends last, whatever the clocks say that its workers last looked at.
int place_in_life(const raw_event& e) {
  if (e.words.kind() == flight_kind::spawned) return 0;
  return e.words.kind() == flight_kind::ended ? 2 : 1;
}

/// Puts events of all rings into one order; `outside` is the ring of other threads, whose spawns come first within a millisecond.
void sort(std::vector<raw_event>& all, std::uint32_t outside, bool of_one_actor) {
  for (auto& e : all) e.ring = e.ring == outside ? 0 : e.ring + 1;
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return std::pair(a.ring, a.number) < std::pair(b.ring, b.number); });
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].order = all[i].at();
    if (i != 0 && all[i].ring == all[i - 1].ring) all[i].order = std::max(all[i].order, all[i - 1].order);
  }
  std::sort(all.begin(), all.end(), [of_one_actor](const auto& a, const auto& b) {
    if (of_one_actor && place_in_life(a) != place_in_life(b)) return place_in_life(a) < place_in_life(b);
    return std::tuple(a.order, a.ring, a.number) < std::tuple(b.order, b.ring, b.number);
  });
}

/// Finds the names of those actors that `events` do not name themselves.
class names {
public:
  void learn(std::uint64_t actor, std::string_view name) {
    auto& known = all_[actor];
    if (known.empty()) known = name;
  }
  void need(std::uint64_t actor) { all_.try_emplace(actor); }
  void ask(const detail::runtime_core& core) {
    core.living.for_each([this](const detail::actor_cell& cell) {
      if (const auto found = all_.find(cell.id); found != all_.end() && found->second.empty())
        found->second = cell.name;
    });
  }
  const std::string& of(std::uint64_t actor) { return all_[actor]; }

private:
  std::unordered_map<std::uint64_t, std::string> all_;
};

flight_event shown(const raw_event& raw, std::size_t mailbox) {
  flight_event e;
  e.at = milliseconds(raw.at());
  e.actor = raw.actor();
  e.what = raw.words.kind();
  switch (e.what) {
  case flight_kind::took:
    e.times = raw.words.number();
    e.type = detail::type_name(*static_cast<const std::type_info*>(raw.words.address()));
    e.mailbox = mailbox;
    break;
  case flight_kind::spawned: e.by = std::uint64_t{raw.words.tag()} << 32 | raw.words.number(); break;
  case flight_kind::ended: e.text = name_of(static_cast<exit_kind>(raw.words.tag())); break;
  default:
    e.what = raw.text.what;
    e.level = raw.text.level;
    e.text = raw.text.text;
    e.trace_id = raw.text.trace_id;
    if (raw.text.type == nullptr) break;
    e.type = detail::type_name(*raw.text.type);
    e.mailbox = mailbox;
  }
  return e;
}

/// Returns what tells the mailboxes of a log apart; nothing if there is none.
std::optional<std::pair<const void*, std::uint16_t>> mailbox_of(const raw_event& raw) {
  if (raw.words.kind() == flight_kind::took) return std::pair(raw.words.address(), raw.words.tag());
  if (raw.text.type != nullptr) return std::pair(static_cast<const void*>(raw.text.type), raw.text.mailbox);
  return std::nullopt;
}

} // namespace

recorder::recorder(const detail::runtime_core& core)
    : core_(&core),
      most_bytes_(core.opts.flight_items == 0 ? usual_item : core.opts.flight_items),
      lines_(core.opts.flight_lines),
      items_(core.opts.flight_lines) {
  const auto events = std::bit_ceil(core.opts.flight_events);
  for (std::size_t i = 0; i <= core.runs_on->workers(); ++i)
    rings_.push_back(std::make_unique<detail::flight_ring>(events, i, core.opts.flight_items != 0));
}

void recorder::note(flight_kind kind, const detail::actor_cell& cell, std::uint64_t where) noexcept {
  const auto& turn = detail::this_turn;
  if (turn.flight != nullptr && turn.core == cell.home)
    return turn.flight->note(kind, cell.id, cell.name, where, turn.now_ms);
  const auto now = cell.home->milliseconds(cell.home->env.time->now());
  std::lock_guard guard(outside_);
  rings_.back()->note(kind, cell.id, cell.name, where, now);
}

void recorder::note_spawn(const detail::actor_cell& cell) noexcept {
  const auto& turn = detail::this_turn;
  note(flight_kind::spawned, cell, turn.cell != nullptr && turn.core == cell.home ? turn.cell->id : 0);
}

void recorder::note_end(const detail::actor_cell& cell, exit_kind how) noexcept {
  note(flight_kind::ended, cell, static_cast<std::uint64_t>(how) << 32);
}

void recorder::keep(log_level level, std::string_view text, log_origin origin) noexcept {
  try {
    kept_text one{.what = flight_kind::logged, .level = level, .actor = origin.actor_id};
    one.name = origin.actor_name;
    one.trace_id = origin.trace_id;
    one.text = shortened(std::string(text.substr(0, most_line + 4)), most_line);
    const auto put = [&one](const detail::runtime_core& core, detail::flight_ring& ring) {
      one.at = core.milliseconds(core.env.time->now());
      one.ring = ring.index();
      one.number = ring.leave_place();
    };
    const auto& turn = detail::this_turn;
    if (turn.flight != nullptr && turn.core == core_.load(std::memory_order_relaxed)) {
      put(*turn.core, *turn.flight);
    } else {
      std::lock_guard guard(outside_);
      const auto* const core = core_.load(std::memory_order_relaxed);
      if (core == nullptr) return;
      put(*core, *rings_.back());
    }
    lines_.add(std::move(one));
  } catch (...) { // no memory: the line is not kept
  }
}

void recorder::keep_item(detail::flight_ring& ring, const std::type_info& type, const detail::mailbox_base* from,
                         std::string text) noexcept {
  const auto& turn = detail::this_turn;
  try {
    kept_text one{.what = flight_kind::took, .at = turn.now_ms, .actor = turn.cell->id, .ring = ring.index()};
    one.type = &type;
    one.mailbox = detail::flight_words::tag_of(from);
    one.text = shortened(std::move(text), most_bytes_);
    one.number = ring.leave_place();
    items_.add(std::move(one));
  } catch (...) { // as above
  }
}

namespace {

/// Gathers what is kept of one actor, or of all for 0.
std::vector<raw_event> gather(std::uint64_t actor, const std::vector<std::unique_ptr<detail::flight_ring>>& rings,
                              const line_ring& lines, const line_ring& items) {
  std::vector<raw_event> all;
  for (std::uint32_t i = 0; i < rings.size(); ++i) {
    rings[i]->read([&](std::uint64_t number, const flight_words& words) {
      if (actor == 0 || words.actor() == actor)
        all.push_back({.ring = i, .number = number, .words = words, .text = {}});
    });
  }
  const auto add = [&](const kept_text& t) {
    if (actor != 0 && t.actor != actor) return;
    all.push_back({.ring = static_cast<std::uint32_t>(t.ring), .number = t.number, .words = {}, .text = t});
  };
  lines.read(add);
  items.read(add);
  sort(all, static_cast<std::uint32_t>(rings.size() - 1), actor != 0);
  return all;
}

} // namespace

flight_log recorder::read(const flight_query& wanted) const {
  const auto& core = *core_.load(std::memory_order_relaxed); // who asks has the system
  flight_log log;
  auto all = gather(wanted.actor, rings_, lines_, items_);
  names known;
  for (const auto& raw : all) {
    const auto kind = raw.words.kind();
    known.need(raw.actor());
    if (kind == flight_kind::spawned || kind == flight_kind::ended)
      known.learn(raw.actor(), static_cast<const char*>(raw.words.address()));
    if (kind == flight_kind::none) known.learn(raw.actor(), raw.text.name);
  }
  known.ask(core);
  if (all.size() > wanted.most) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(wanted.most));
  std::map<std::pair<const void*, std::uint16_t>, std::size_t> mailboxes;
  for (const auto& raw : all) {
    const auto box = mailbox_of(raw);
    const auto number = box ? mailboxes.try_emplace(*box, mailboxes.size() + 1).first->second : 0;
    log.events.push_back(shown(raw, number));
    if (raw.actor() != 0) log.events.back().name = known.of(raw.actor());
  }
  if (wanted.actor != 0) {
    core.living.for_each([&](const detail::actor_cell& cell) {
      if (cell.id == wanted.actor) log.actor = core.describe(cell);
    });
  }
  log.now = milliseconds(core.milliseconds(core.env.time->now()));
  return log;
}

/// Says whether the log may have one more; some of a burst are enough.
bool recorder::may_tell(std::uint32_t now) const noexcept {
  const std::uint64_t second = now / 1000;
  auto seen = told_.load(std::memory_order_relaxed);
  for (;;) {
    const auto count = seen >> 32 == second ? static_cast<std::uint32_t>(seen) : 0;
    if (count == briefs_a_second) return false;
    if (told_.compare_exchange_weak(seen, second << 32 | (count + 1), std::memory_order_relaxed)) return true;
  }
}

std::string recorder::brief(std::uint64_t actor) const {
  const auto& core = *core_.load(std::memory_order_relaxed);
  flight_log log;
  log.now = milliseconds(core.milliseconds(core.env.time->now()));
  if (!may_tell(static_cast<std::uint32_t>(log.now.count()))) return {};
  const auto all = gather(actor, rings_, lines_, items_);
  for (std::size_t i = all.size() - std::min(all.size(), most_in_brief); i < all.size(); ++i)
    log.events.push_back(shown(all[i], 0)); // their names are not needed, and would take a look at all that live
  return log.in_brief();
}

} // namespace greenroom::internal

namespace greenroom::detail {

void keep_item_text(flight_ring& ring, const std::type_info& type, const mailbox_base* from,
                    std::string text) noexcept {
  this_turn.core->flight->keep_item(ring, type, from, std::move(text));
}

std::string last_events_in_brief(runtime_core& core, std::uint64_t actor) {
  return core.flight == nullptr ? std::string() : core.flight->brief(actor);
}

flight_ring* flight_ring_of(runtime_core& core, std::size_t worker) noexcept {
  return core.flight == nullptr ? nullptr : &core.flight->ring(worker);
}

} // namespace greenroom::detail
