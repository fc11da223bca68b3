#include <greenroom/tools/greenroom/graph_reading.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include <greenroom/tools/greenroom/plain_text.hpp>

namespace graph_reading {

using namespace greenroom;

void describe(http::schema<input>& s) {
  s.ignore_unknown();
  s.field("number", &input::number);
  s.field("replica", &input::replica).optional();
  s.field("type", &input::type).optional();
  s.field("limits", &input::limits).optional();
  s.field("accepted", &input::accepted).optional();
  s.field("handled", &input::handled).optional();
  s.field("failed", &input::failed).optional();
  s.field("dropped", &input::dropped).optional();
  s.field("queued", &input::queued).optional();
  s.field("capacity", &input::capacity);
  s.field("oldest_ms", &input::oldest_ms);
  s.field("blocked_senders", &input::blocked_senders);
  s.field("handling_ns", &input::handling_ns);
}

void describe(http::schema<node>& s) {
  s.ignore_unknown();
  s.field("name", &node::name);
  s.field("replicas", &node::replicas).optional();
  s.field("running", &node::running).optional();
  s.field("restarts", &node::restarts).optional();
  s.field("junction", &node::junction).optional();
  s.field("state", &node::state);
  s.field("knot", &node::knot);
  s.field("place", &node::place).optional();
  s.field("elsewhere", &node::elsewhere).optional();
  s.field("inputs", &node::inputs).optional();
}

void describe(http::schema<edge>& s) {
  s.ignore_unknown();
  s.field("from", &edge::from);
  s.field("to", &edge::to);
  s.field("input", &edge::input).optional();
  s.field("replica", &edge::replica).optional();
  s.field("dead_letters", &edge::dead_letters).optional();
  s.field("crosses", &edge::crosses).optional();
}

void describe(http::schema<entry>& s) {
  s.ignore_unknown();
  s.field("name", &entry::name).optional();
  s.field("to", &entry::to);
}

void describe(http::schema<place>& s) {
  s.ignore_unknown();
  s.field("name", &place::name);
  s.field("address", &place::address).optional();
  s.field("state", &place::state).optional();
}

void describe(http::schema<graph>& s) {
  s.ignore_unknown();
  s.field("name", &graph::name).optional();
  s.field("nodes", &graph::nodes);
  s.field("edges", &graph::edges).optional();
  s.field("entries", &graph::entries).optional();
  s.field("places", &graph::places).optional();
}

namespace {

/// Takes the capacity out of "bounded(64, overflow::wait)", for services that do not say it otherwise.
std::optional<std::uint64_t> capacity_in(std::string_view limits) {
  constexpr std::string_view begin = "bounded(";
  if (!limits.starts_with(begin)) return std::nullopt;
  std::uint64_t n = 0;
  const auto digits = limits.substr(begin.size());
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), n);
  return read.ec == std::errc() ? std::optional(n) : std::nullopt;
}

} // namespace

bool is_full(const input& in) {
  return in.blocked_senders.value_or(0) != 0 || (in.capacity.value_or(0) != 0 && in.queued >= *in.capacity);
}

result<graph> parse(std::string_view json) {
  auto g = http::from_json<graph>(json);
  if (!g) return g;
  cli::make_plain(g->name);
  for (auto& n : g->nodes) {
    cli::make_plain(n.name);
    if (n.state) cli::make_plain(*n.state);
    for (auto& in : n.inputs) {
      cli::make_plain(in.type);
      if (!in.capacity) in.capacity = capacity_in(in.limits);
    }
  }
  for (auto& e : g->entries) cli::make_plain(e.name);
  for (auto& p : g->places) {
    cli::make_plain(p.name);
    cli::make_plain(p.address);
    cli::make_plain(p.state);
  }
  const auto is_there = [&g](std::uint64_t n) { return n < g->nodes.size(); };
  const bool whole = std::all_of(g->edges.begin(), g->edges.end(),
                                 [&](const auto& e) { return is_there(e.from) && is_there(e.to); }) &&
                     std::all_of(g->entries.begin(), g->entries.end(), [&](const auto& e) { return is_there(e.to); });
  if (!whole) return error(errc::parse, fmt::format("an edge leads to none of the {} nodes", g->nodes.size()));
  const bool placed = std::all_of(g->nodes.begin(), g->nodes.end(),
                                  [&g](const auto& n) { return g->places.empty() || n.place < g->places.size(); });
  if (!placed) return error(errc::parse, fmt::format("a node runs at none of the {} places", g->places.size()));
  return g;
}

source::source(cli::service_address at) : from_(std::move(at), "is this a service that shows its graph?") {}

result<reading> source::read() {
  const auto body = from_.read();
  if (!body) return body.error();
  const auto now = std::chrono::steady_clock::now();
  auto g = parse(*body);
  if (!g) return error(g.error().code(), fmt::format("{}: {}", url(), g.error().message()));
  return reading{*std::move(g), now};
}

} // namespace graph_reading
