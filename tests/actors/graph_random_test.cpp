// Random graphs: what passes the check never stops half-way, under any schedule tried, as long as nodes receive from all of their inputs;
// and each cycle that is refused has a behaviour of its nodes under which it does.
#include <algorithm>
#include <optional>

#include <greenroom/actors/graph_service.hpp>
#include <greenroom/tests/actors/supervision_kit.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::test::graph_random_test {
namespace {

/// An item: how many nodes it may still pass.
using hops = int;
using inputs = std::vector<mailbox<hops>>;
using outputs = std::vector<address<hops>>;

/// What a node does with an item.
struct behaviour {
  std::vector<int> copies;  // sent to each output
  bool uses_up_hops = true; // false: what it sends goes as far as what it took
};

/// Takes the next item of any input by select; nothing when all have ended.
task<std::optional<hops>> next_of(inputs* in) {
  while (!in->empty()) {
    std::optional<hops> item;
    std::size_t from = 0;
    if (in->size() == 1) {
      item = co_await in->front().receive();
    } else {
      auto s = co_await select((*in)[0].receive(), (*in)[1].receive());
      from = s.index();
      item = from == 0 ? s.get<0>() : s.get<1>();
    }
    if (item) co_return item;
    in->erase(in->begin() + static_cast<std::ptrdiff_t>(from));
  }
  co_return std::nullopt;
}

task<> work(inputs in, outputs out, behaviour how) {
  for (;;) {
    const auto item = co_await next_of(&in);
    if (!item) co_return;
    if (*item == 0) continue;
    for (std::size_t o = 0; o < out.size(); ++o) {
      for (int n = 0; n < how.copies[o]; ++n) {
        const hops left = how.uses_up_hops ? *item - 1 : *item;
        (void)co_await out[o].send(left);
      }
    }
  }
}

inputs list(mailbox<hops> a) { return {std::move(a)}; }
inputs list(mailbox<hops> a, mailbox<hops> b) { return {std::move(a), std::move(b)}; }
outputs list() { return {}; }
outputs list(address<hops> a) { return {std::move(a)}; }
outputs list(address<hops> a, address<hops> b) { return {std::move(a), std::move(b)}; }

task<> node10(mailbox<hops> a, behaviour b) { return work(list(a), list(), b); }
task<> node11(mailbox<hops> a, address<hops> x, behaviour b) { return work(list(a), list(x), b); }
task<> node12(mailbox<hops> a, address<hops> x, address<hops> y, behaviour b) { return work(list(a), list(x, y), b); }
task<> node20(mailbox<hops> a, mailbox<hops> c, behaviour b) { return work(list(a, c), list(), b); }
task<> node21(mailbox<hops> a, mailbox<hops> c, address<hops> x, behaviour b) { return work(list(a, c), list(x), b); }
task<> node22(mailbox<hops> a, mailbox<hops> c, address<hops> x, address<hops> y, behaviour b) {
  return work(list(a, c), list(x, y), b);
}

struct shape {
  struct edge {
    std::size_t from, output, to, input;
    mailbox_limits limits;
  };
  std::vector<std::pair<int, int>> nodes; // how many inputs and outputs
  std::vector<edge> edges;
};

bool waits(const mailbox_limits& l) { return l.when_full == overflow::wait && l.capacity != detail::no_bound; }

mailbox_limits random_limits(xoshiro& random) {
  const auto room = static_cast<std::int64_t>(random.below(3));
  switch (random.below(8)) {
  case 0: return bounded(room + 1, overflow::reject);
  case 1: return bounded(room + 1, overflow::drop_oldest);
  case 2: return bounded(room, overflow::drop_newest);
  case 3: return unbounded();
  default: return bounded(room);
  }
}

/// 2 to 6 nodes, each of whose outputs leads to some input; edges to the same input have the same limits.
shape random_shape(xoshiro& random) {
  shape s;
  const auto count = 2 + random.below(5);
  std::vector<std::vector<mailbox_limits>> limits;
  for (std::size_t n = 0; n < count; ++n) {
    const int in = 1 + static_cast<int>(random.below(2));
    s.nodes.emplace_back(in, static_cast<int>(random.below(3)));
    limits.emplace_back();
    for (int i = 0; i < in; ++i) limits.back().push_back(random_limits(random));
  }
  for (std::size_t n = 0; n < count; ++n) {
    for (int o = 0; o < s.nodes[n].second; ++o) {
      // Mostly onwards, so that many have no cycle.
      const auto to =
          random.below(4) == 0 || n + 1 == count ? random.below(count) : n + 1 + random.below(count - n - 1);
      const auto input = random.below(limits[to].size());
      s.edges.push_back({n, static_cast<std::size_t>(o), to, input, limits[to][input]});
    }
  }
  return s;
}

/// Finds edges that wait and form a cycle, by trying all ways: not as the check does it.
std::optional<std::vector<std::size_t>> cycle_of(const shape& s) {
  std::vector<std::size_t> way;
  std::vector<bool> on_way(s.nodes.size());
  const std::function<bool(std::size_t, std::size_t)> search = [&](std::size_t at, std::size_t start) {
    for (std::size_t e = 0; e < s.edges.size(); ++e) {
      if (s.edges[e].from != at || !waits(s.edges[e].limits)) continue;
      way.push_back(e);
      if (s.edges[e].to == start) return true;
      if (!on_way[s.edges[e].to]) {
        on_way[s.edges[e].to] = true;
        if (search(s.edges[e].to, start)) return true;
        on_way[s.edges[e].to] = false;
      }
      way.pop_back();
    }
    return false;
  };
  for (std::size_t n = 0; n < s.nodes.size(); ++n) {
    on_way.assign(s.nodes.size(), false);
    if (search(n, n)) return way;
  }
  return std::nullopt;
}

struct made_graph {
  graph g{"random"};
  std::vector<entry_port<hops>> entries; // one for each input
};

made_graph build(const shape& s, const std::vector<behaviour>& how, const std::string& why_allowed) {
  made_graph made;
  std::vector<std::vector<input_port<hops>>> in;
  std::vector<std::vector<output_port<hops>>> out;
  for (std::size_t n = 0; n < s.nodes.size(); ++n) {
    const auto name = std::string(1, static_cast<char>('a' + n));
    const auto add = [&](auto node) {
      auto& i = in.emplace_back();
      auto& o = out.emplace_back();
      for (int k = 0; k < s.nodes[n].first; ++k) i.push_back({node.index, static_cast<std::size_t>(k), node.graph});
      for (int k = 0; k < s.nodes[n].second; ++k) o.push_back({node.index, static_cast<std::size_t>(k), node.graph});
    };
    switch (s.nodes[n].first * 10 + s.nodes[n].second) {
    case 10: add(made.g.add(name, node10, how[n])); break;
    case 11: add(made.g.add(name, node11, how[n])); break;
    case 12: add(made.g.add(name, node12, how[n])); break;
    case 20: add(made.g.add(name, node20, how[n])); break;
    case 21: add(made.g.add(name, node21, how[n])); break;
    default: add(made.g.add(name, node22, how[n]));
    }
  }
  for (const auto& e : s.edges)
    made.g.connect(out[e.from][e.output], in[e.to][e.input], e.limits, {.allow_cycle = why_allowed});
  for (std::size_t n = 0; n < s.nodes.size(); ++n) {
    for (std::size_t i = 0; i < in[n].size(); ++i) {
      auto limits = bounded(2);
      for (const auto& e : s.edges) {
        if (e.to == n && e.input == i) limits = e.limits;
      }
      made.entries.push_back(made.g.entry(in[n][i], limits));
    }
  }
  return made;
}

task<> feed(address<hops> to, int count, hops each) {
  for (int i = 0; i < count; ++i) {
    const auto sent = co_await to.send(each);
    if (!sent) co_return;
  }
}

/// Runs the graph until nothing moves, and gives what it looks like then.
task<graph_look> run_until_still(made_graph* made, int count, hops each) {
  auto s = co_await run(made->g);
  require(s.has_value(), "it does not run");
  std::vector<actor> feeders;
  for (const auto entry : made->entries) feeders.push_back(spawn(feed, s->to(entry), count, each));
  co_await sleep_for(1h); // of virtual time, which passes when all wait
  auto look = s->look();
  require(look.conserved(), look.to_json());
  for (const auto& f : feeders) f.cancel();
  for (const auto& f : feeders) (void)co_await f.join();
  s->stop();
  (void)co_await s->self().join();
  require(s->look().conserved(), s->look().to_json());
  co_return look;
}

bool is_done(const graph_look& look) {
  for (const auto& node : look.nodes) {
    for (const auto& in : node.inputs) {
      if (in.items.queued != 0 || in.items.in_hand != 0) return false;
    }
  }
  return true;
}

task<> check_and_run(std::uint64_t seed) {
  xoshiro random(seed);
  const auto s = random_shape(random);
  const auto cycle = cycle_of(s);
  std::vector<behaviour> how(s.nodes.size());
  for (std::size_t n = 0; n < s.nodes.size(); ++n) {
    how[n].copies.assign(static_cast<std::size_t>(s.nodes[n].second), 0);
    for (auto& c : how[n].copies) c = static_cast<int>(random.below(3));
  }
  if (!cycle) {
    auto made = build(s, how, "");
    const auto faults = made.g.faults();
    require(faults.empty(), "refused without a cycle: " + (faults.empty() ? "" : faults.front()));
    const auto look = co_await run_until_still(&made, 4, 3);
    require(is_done(look), "it passed the check, and stopped half-way: " + look.to_json());
    co_return;
  }
  const auto refused = build(s, how, "").g.faults();
  require(!refused.empty() && refused.front().find("can stop for ever") != std::string::npos, "not refused");
  // Now each node of the cycle sends two items onwards for one it takes.
  for (auto& b : how) b.copies.assign(b.copies.size(), 0);
  for (const auto e : *cycle) {
    how[s.edges[e].from].copies[s.edges[e].output] = 2;
    how[s.edges[e].from].uses_up_hops = false;
  }
  auto made = build(s, how, "the test wants to see it stop");
  const auto look = co_await run_until_still(&made, 4, 3);
  require(!is_done(look), "it was refused, and did not stop: " + look.to_json());
}

TEST(GraphCheck, LetsPassWhatCannotStopAndRefusesWhatCan) {
  const auto runs = from_environment("GRAPH_RUNS", 2'000);
  const auto found = testkit::explore({.runs = runs, .shrink = false}, check_and_run);
  EXPECT_TRUE(found.nothing()) << found.to_string();
}

} // namespace
} // namespace greenroom::test::graph_random_test
