// Strategies, kinds of restart and exit reasons: OTP's table, each cell under several schedules.
#include <greenroom/tests/actors/supervision_kit.hpp>

namespace greenroom::test::supervisor_strategy_test {
namespace {

/// Three children: a, b of the kind in question, and c.
task<supervisor> abc(stage s, restart_strategy how, restart_kind kind_of_b, restart_intensity limit) {
  supervisor_spec spec("top", {.strategy = how, .intensity = limit});
  const child_options b{.restart = kind_of_b};
  if (how != dynamic) {
    spec.child("a", performer, s, std::string("a"))
        .child("b", b, performer, s, std::string("b"))
        .child("c", performer, s, std::string("c"));
  }
  auto top = co_await started(std::move(spec));
  if (how == dynamic) {
    (void)co_await top.start_child("a", performer, s, std::string("a"));
    (void)co_await top.start_child("b", b, performer, s, std::string("b"));
    (void)co_await top.start_child("c", performer, s, std::string("c"));
  }
  co_await settle_all();
  co_return top;
}

/// How often a, b and c have been started after b has ended once and was restarted.
std::string after_restart(restart_strategy how) {
  switch (how) {
  case one_for_all: return "a2 b2 c2";
  case rest_for_one: return "a1 b2 c2";
  default: return "a1 b2 c1";
  }
}

using cell = std::tuple<restart_strategy, restart_kind, ending>;
class SupervisorTable : public testing::TestWithParam<cell> {};

task<> one_end(cell c) {
  const auto [how, kind, reason] = c;
  const auto s = std::make_shared<cast>();
  const auto top = co_await abc(s, how, kind, {3, 5s});
  co_await end(s, "b", reason);
  const bool disorder = reason == ending::failed || reason == ending::killed;
  const bool restarted = kind == permanent || (kind == transient && disorder);
  require_equal(s->counts(), restarted ? after_restart(how) : std::string("a1 b1 c1"), "starts");
  const auto known = co_await top.children();
  require(known.has_value(), "the supervisor is gone");
  require_equal<std::size_t>(known->size(), kind == temporary || (how == dynamic && !restarted) ? 2 : 3,
                             "children known");
  for (const auto& child : *known) {
    if (child.name != "b") continue;
    require_equal<std::string>(greenroom::to_string(child.state), restarted ? "running" : "ended", "state of b");
    require_equal<std::size_t>(child.restarts, restarted ? 1 : 0, "restarts of b");
    require(child.last_exit.has_value(), "there is no exit reason");
    require_equal<int>(static_cast<int>(child.last_exit->kind()),
                       reason == ending::normal      ? static_cast<int>(exit_kind::normal)
                       : reason == ending::failed    ? static_cast<int>(exit_kind::failed)
                       : reason == ending::cancelled ? static_cast<int>(exit_kind::cancelled)
                                                     : static_cast<int>(exit_kind::killed),
                       "exit reason of b");
  }
  const auto why = co_await stop(top);
  require(why.kind() == exit_kind::cancelled, "the supervisor ended: " + why.to_string());
  for (const auto& [name, who] : s->who) require(who.finished(), name + " has survived");
}

TEST_P(SupervisorTable, RestartsAsTheKindSaysWhoTheStrategySays) {
  const auto c = GetParam();
  play([c] { return one_end(c); });
}

std::string name_of(restart_strategy how, restart_kind kind) {
  static constexpr const char* strategies[] = {"OneForOne", "OneForAll", "RestForOne", "Dynamic"};
  return std::string(strategies[static_cast<int>(how)]) + "_" + to_string(kind);
}

std::string name_of_cell(const testing::TestParamInfo<cell>& info) {
  const auto [how, kind, reason] = info.param;
  return name_of(how, kind) + "_" + to_string(reason);
}
INSTANTIATE_TEST_SUITE_P(All, SupervisorTable,
                         testing::Combine(testing::Values(one_for_one, one_for_all, rest_for_one, dynamic),
                                          testing::Values(permanent, transient, temporary),
                                          testing::ValuesIn(all_endings)),
                         name_of_cell);

// -- intensity ------------------------------------------------------------------------------------------

enum class rhythm { at, above, spaced };
using pace = std::tuple<restart_strategy, restart_kind, rhythm>;
class SupervisorIntensity : public testing::TestWithParam<pace> {};

task<> many_ends(pace p) {
  const auto [how, kind, when] = p;
  const auto s = std::make_shared<cast>();
  const auto top =
      co_await abc(s, how, kind, when == rhythm::spaced ? restart_intensity{1, 1s} : restart_intensity{3, 5s});
  const int ends = when == rhythm::spaced ? 10 : when == rhythm::at ? 3 : 4;
  const bool gives_up = when == rhythm::above && kind != temporary;
  for (int i = 0; i < ends; ++i) {
    if (gives_up && i == ends - 1) s->log.clear();
    if (kind == temporary && i != 0) break; // it is gone
    co_await end(s, "b", ending::failed);
    if (when == rhythm::spaced) co_await sleep_for(1100ms);
  }
  require_equal(top.self().finished(), gives_up, "the supervisor has ended");
  if (!gives_up) {
    require_equal(s->starts["b"], kind == temporary ? 1 : ends + 1, "starts of b");
    co_await stop(top);
    co_return;
  }
  const auto why = co_await top.self().join();
  require(why.kind() == exit_kind::failed, "it ended: " + why.to_string());
  const auto text = std::string(why.why().message());
  require(text.find("supervisor 'top' gives up: more than 3 restart(s) within 5000 ms") != text.npos &&
              text.find("child 'b'") != text.npos && text.find("as ordered") != text.npos,
          "the reason does not say what happened: " + text);
  if (how != dynamic) require_equal<std::string>(s->story(), "end b, end c, end a", "the stop");
  for (const auto& [name, who] : s->who) require(who.finished(), name + " has survived");
}

TEST_P(SupervisorIntensity, ExactlySoManyRestartsAreMadeWithinThePeriod) {
  const auto p = GetParam();
  play([p] { return many_ends(p); });
}

std::string name_of_pace(const testing::TestParamInfo<pace>& info) {
  static constexpr const char* rhythms[] = {"At", "Above", "Spaced"};
  const auto [how, kind, when] = info.param;
  return name_of(how, kind) + "_" + rhythms[static_cast<int>(when)];
}
INSTANTIATE_TEST_SUITE_P(All, SupervisorIntensity,
                         testing::Combine(testing::Values(one_for_one, one_for_all, rest_for_one, dynamic),
                                          testing::Values(permanent, transient, temporary),
                                          testing::Values(rhythm::at, rhythm::above, rhythm::spaced)),
                         name_of_pace);

} // namespace
} // namespace greenroom::test::supervisor_strategy_test
