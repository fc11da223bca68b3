#include <greenroom/tools/greenroom/graph_table.hpp>

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

using namespace graph_reading;

namespace {

constexpr std::size_t columns = 12;
using row = std::array<std::string, columns>;

/// Counts characters, not bytes.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string shown(const std::optional<std::uint64_t>& n) { return n ? std::to_string(*n) : "-"; }

std::string shown_time(double ns) {
  if (ns < 1e3) return fmt::format("{:.0f} ns", ns);
  if (ns < 1e6) return fmt::format("{:.1f} us", ns / 1e3);
  if (ns < 1e9) return fmt::format("{:.1f} ms", ns / 1e6);
  return fmt::format("{:.1f} s", ns / 1e9);
}

std::string state_of(const node& n) {
  std::string state = n.state.value_or(n.running == n.replicas ? "running" : n.running == 0 ? "down" : "partly");
  return n.knot ? state + " DEADLOCK" : state;
}

std::string fill_of(const input& in) {
  if (!in.capacity || *in.capacity == 0) return in.blocked_senders.value_or(0) != 0 ? "[full]" : "";
  constexpr std::uint64_t cells = 10;
  const auto full = std::min<std::uint64_t>(cells, (in.queued * cells + *in.capacity - 1) / *in.capacity);
  return "[" + std::string(full, '#') + std::string(cells - full, '.') + "]";
}

/// Finds the same input in an earlier reading; null if it is not there, or has counted more: then it is another one.
const input* same(const graph_reading::graph* before, std::size_t node, const input& in) {
  if (before == nullptr || node >= before->nodes.size()) return nullptr;
  for (const auto& old : before->nodes[node].inputs) {
    if (old.number == in.number && old.replica == in.replica && old.handled <= in.handled) return &old;
  }
  return nullptr;
}

/// Returns the mean time in hand of the items since then, or of all if there were none.
std::string handling_of(const input* old, const input& in) {
  if (!in.handling_ns || in.handled == 0) return "-";
  if (old != nullptr && old->handling_ns && in.handled > old->handled && *in.handling_ns >= *old->handling_ns)
    return shown_time(static_cast<double>(*in.handling_ns - *old->handling_ns) /
                      static_cast<double>(in.handled - old->handled));
  return shown_time(static_cast<double>(*in.handling_ns) / static_cast<double>(in.handled));
}

void fill_in(row& r, const input* old, const input& in, double seconds) {
  if (old != nullptr && seconds > 0)
    r[3] = fmt::format("{:.1f}", static_cast<double>(in.handled - old->handled) / seconds);
  r[4] = handling_of(old, in);
  r[5] = in.capacity ? fmt::format("{}/{}", in.queued, *in.capacity) : std::to_string(in.queued);
  r[6] = fill_of(in);
  r[7] = in.oldest_ms ? shown_time(static_cast<double>(*in.oldest_ms) * 1e6) : "-";
  r[8] = shown(in.blocked_senders);
  r[9] = std::to_string(in.handled);
  r[10] = fmt::format("{}/{}", in.failed, in.dropped);
}

std::string name_of(const node& n, const input& in) {
  const bool by_key = std::any_of(n.inputs.begin(), n.inputs.end(), [](const auto& i) { return i.replica != 0; });
  return by_key ? fmt::format("  {}[{}] {}", in.number, in.replica, in.type)
                : fmt::format("  {} {}", in.number, in.type);
}

} // namespace

std::vector<std::string> table_of(const reading* before, const reading& now) {
  const auto* const old = before == nullptr ? nullptr : &before->what;
  const double seconds = before == nullptr ? 0 : std::chrono::duration<double>(now.when - before->when).count();
  std::vector<row> rows{{"NODE", "STATE", "RUN", "RATE/s", "HANDLING", "QUEUED", "FILL", "OLDEST", "BLOCKED", "HANDLED",
                         "FAIL/DROP", "RESTARTS"}};
  for (std::size_t n = 0; n < now.what.nodes.size(); ++n) {
    const auto& node = now.what.nodes[n];
    const bool holds = std::any_of(node.inputs.begin(), node.inputs.end(), [](const auto& i) { return i.queued != 0; });
    if (node.junction && !holds) continue;
    row r;
    r.fill("-");
    r[0] = node.name;
    r[1] = state_of(node);
    r[2] = node.elsewhere ? "-" : fmt::format("{}/{}", node.running, node.replicas);
    r[6].clear();
    r[11] = std::to_string(node.restarts);
    if (node.inputs.size() == 1) fill_in(r, same(old, n, node.inputs[0]), node.inputs[0], seconds);
    rows.push_back(r);
    if (node.inputs.size() < 2) continue;
    for (const auto& in : node.inputs) {
      row more;
      more[0] = name_of(node, in);
      fill_in(more, same(old, n, in), in, seconds);
      rows.push_back(more);
    }
  }
  std::array<std::size_t, columns> width{};
  for (const auto& r : rows) {
    for (std::size_t c = 0; c < columns; ++c) width[c] = std::max(width[c], width_of(r[c]));
  }
  std::vector<std::string> lines;
  for (const auto& r : rows) {
    std::string line;
    for (std::size_t c = 0; c < columns; ++c) {
      const std::string space(width[c] - width_of(r[c]), ' ');
      const bool is_text = c < 2 || c == 6;
      line += (c == 0 ? "" : "  ") + (is_text ? r[c] + space : space + r[c]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

void describe(greenroom::http::schema<input_rate>& s) {
  s.field("node", &input_rate::node);
  s.field("input", &input_rate::input);
  s.field("replica", &input_rate::replica);
  s.field("per_second", &input_rate::per_second);
}

std::vector<input_rate> rates_of(const reading& before, const reading& now) {
  const double seconds = std::chrono::duration<double>(now.when - before.when).count();
  std::vector<input_rate> rates;
  for (std::size_t n = 0; n < now.what.nodes.size(); ++n) {
    for (const auto& in : now.what.nodes[n].inputs) {
      const auto* const old = same(&before.what, n, in);
      if (old == nullptr || seconds <= 0) continue;
      rates.push_back(
          {now.what.nodes[n].name, in.number, in.replica, static_cast<double>(in.handled - old->handled) / seconds});
    }
  }
  return rates;
}

std::string cut(std::string text, std::size_t most) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80 && seen++ == most) return text.substr(0, i);
  }
  return text;
}
