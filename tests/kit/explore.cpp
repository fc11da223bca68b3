#include <greenroom/testkit/explore.hpp>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <greenroom/runtime/error.hpp>

namespace greenroom::testkit {
namespace {

// Runs that shrinking may take: a fault that is found should be shown at once, not shortest at any price.
constexpr int most_shrinking_runs = 500;

std::string path_text(std::uint64_t seed, const std::vector<std::uint32_t>& path) {
  std::string text = fmt::format("path:{}:", seed);
  for (std::size_t i = 0; i < path.size(); ++i) text += fmt::format("{}{}", i == 0 ? "" : ",", path[i]);
  return text;
}

template <class Number>
std::optional<Number> take_number(std::string_view& text) {
  Number n{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (problem != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return n;
}

/// What a failure says first, without its numbers: ids, times and amounts differ from run to run.
std::string gist(const run_report& r) {
  auto line = r.why.substr(0, r.why.find('\n'));
  std::erase_if(line, [](char c) { return c >= '0' && c <= '9'; });
  return line;
}

/// A shorter schedule must show the same fault, not another one that lies nearer.
bool is_same_fault(const run_report& a, const run_report& b) { return a.how == b.how && gist(a) == gist(b); }

/// One exploration: the program, the world it runs in, and how many runs there were.
class explorer {
public:
  explorer(const exploration& how, std::function<task<>(std::uint64_t)> program)
      : how_(how), program_(std::move(program)), world_(how.world) {}

  run_report run(schedule& by) {
    world_.disk().clear(); // a run must not hang on those before it
    return world_.run(by, program_, by.seed());
  }
  run_report run_path(std::uint64_t seed, std::vector<std::uint32_t> path) {
    path_schedule by(seed, std::move(path));
    return run(by);
  }
  std::unique_ptr<schedule> schedule_of(exploration::strategy how, std::uint64_t seed) const {
    if (how == exploration::strategy::pct) return std::make_unique<pct_schedule>(seed, how_.pct_depth, how_.pct_length);
    return std::make_unique<random_schedule>(seed);
  }
  /// Notes a run; true if it failed.
  bool note(exploration_report& all, run_report r, std::string replay) {
    ++all.runs;
    all.trace_hash = (all.trace_hash ^ r.trace_hash) * 0x100000001b3;
    if (r.passed()) return false;
    all.failure = std::move(r);
    all.replay = std::move(replay);
    return true;
  }

  /// Looks for a shorter path that fails in the same way: first without its end, then with first choices.
  std::vector<std::uint32_t> shrink(std::uint64_t seed, std::vector<std::uint32_t> path, const run_report& failure) {
    int left = most_shrinking_runs;
    const auto fails = [&](const std::vector<std::uint32_t>& candidate) {
      return left-- > 0 && is_same_fault(run_path(seed, candidate), failure);
    };
    for (auto cut = path.size() / 2; cut > 0; cut /= 2) {
      while (cut <= path.size()) {
        const std::vector<std::uint32_t> shorter(path.begin(), path.end() - static_cast<std::ptrdiff_t>(cut));
        if (!fails(shorter)) break;
        path = shorter;
      }
    }
    for (std::size_t i = 0; i < path.size(); ++i) {
      if (path[i] == 0) continue;
      auto simpler = path;
      simpler[i] = 0;
      if (fails(simpler)) path = std::move(simpler);
    }
    while (!path.empty() && path.back() == 0) path.pop_back();
    return path;
  }

private:
  const exploration& how_;
  std::function<task<>(std::uint64_t)> program_;
  simulation world_;
};

// What a report shows of them: the first ones, since the last are often only what the first led to.
constexpr std::size_t most_faults_shown = 20;

std::string list_of_faults(const std::vector<std::string>& all) {
  std::string text;
  if (!all.empty()) text = "\nfaults in that run:";
  const auto shown = std::min(all.size(), most_faults_shown);
  for (std::size_t i = 0; i < shown; ++i) text += "\n  " + all[i];
  if (shown < all.size()) text += fmt::format("\n  and {} more", all.size() - shown);
  return text;
}

std::string strategy_name(exploration::strategy how) { return how == exploration::strategy::pct ? "pct" : "random"; }

/// Depth first: the next path differs in the last choice that has an alternative left.
std::optional<std::vector<std::uint32_t>> next_path(const run_report& r) {
  for (auto i = r.choices.size(); i-- > 0;) {
    if (r.choices[i] + 1 >= r.widths[i]) continue;
    std::vector<std::uint32_t> path(r.choices.begin(), r.choices.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    ++path.back();
    return path;
  }
  return std::nullopt;
}

void try_all(explorer& x, const exploration& how, exploration_report& all) {
  std::optional<std::vector<std::uint32_t>> path = std::vector<std::uint32_t>();
  while (path && all.runs < how.runs) {
    auto r = x.run_path(how.first_seed, *path);
    path = next_path(r);
    auto replay = r.passed() ? std::string() : path_text(how.first_seed, r.choices);
    if (x.note(all, std::move(r), std::move(replay))) return;
  }
  all.complete = !path;
}

/// Runs what TESTKIT_REPLAY names.
exploration_report replay(explorer& x, std::string_view text) {
  const auto whole = text;
  const auto fail = [whole] {
    throw usage_error(fmt::format(
        "TESTKIT_REPLAY: cannot read '{}'; it is what a failing test printed, as random:17 or path:17:0,2,1", whole));
  };
  const auto colon = text.find(':');
  const auto kind = text.substr(0, colon);
  if (colon == text.npos) fail();
  text.remove_prefix(colon + 1);
  const auto seed = take_number<std::uint64_t>(text);
  if (!seed) fail();
  exploration_report all;
  if (kind == "path") {
    std::vector<std::uint32_t> path;
    while (text.size() > 1 && (text.front() == ':' || text.front() == ',')) {
      text.remove_prefix(1);
      const auto choice = take_number<std::uint32_t>(text);
      if (!choice) fail();
      path.push_back(*choice);
    }
    x.note(all, x.run_path(*seed, path), std::string(whole));
  } else if (kind == "random" || kind == "pct") {
    const auto by = x.schedule_of(kind == "pct" ? exploration::strategy::pct : exploration::strategy::random, *seed);
    x.note(all, x.run(*by), std::string(whole));
  } else {
    fail();
  }
  return all;
}

} // namespace

exploration_report explore(const exploration& how, std::function<task<>(std::uint64_t)> program) {
  explorer x(how, std::move(program));
  if (const char* const wanted = std::getenv("TESTKIT_REPLAY"); wanted != nullptr && *wanted != '\0')
    return replay(x, wanted);
  exploration_report all;
  if (how.how == exploration::strategy::all) {
    try_all(x, how, all);
  } else {
    for (std::uint64_t i = 0; i < how.runs; ++i) {
      const auto seed = how.first_seed + i;
      const auto by = x.schedule_of(how.how, seed);
      if (x.note(all, x.run(*by), fmt::format("{}:{}", strategy_name(how.how), seed))) break;
    }
  }
  if (!all.nothing() && how.shrink) {
    const auto seed = how.how == exploration::strategy::all ? how.first_seed : how.first_seed + all.runs - 1;
    all.shortest = path_text(seed, x.shrink(seed, all.failure.choices, all.failure));
  }
  return all;
}

std::string exploration_report::to_string() const {
  if (nothing())
    return fmt::format("nothing was found in {} run(s){}", runs, complete ? ", which are all there are" : "");
  auto text = fmt::format("run {} {}: {}{}\nreplay with TESTKIT_REPLAY={}", runs, testkit::to_string(failure.how),
                          failure.why, list_of_faults(failure.faults), replay);
  if (!shortest.empty()) text += fmt::format("\nthe shortest schedule found: TESTKIT_REPLAY={}", shortest);
  return text;
}

} // namespace greenroom::testkit
