#include <greenroom/http/progress_events.hpp>

#include <string>

#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::http::progress_events_test {
namespace {

using namespace test;

TEST(ProgressJson, SaysWhatIsKnown) {
  progress p{work_state::running, true, 1'000, 520, 0, 1, 5'200ms};
  EXPECT_EQ(progress_json(p), R"({"state":"running","total":1000,"done":520,"fraction":0.5200,"rate":100,)"
                              R"("remaining_ms":4800,"elapsed_ms":5200,"retries":1})");
  p.elapsed = {};
  EXPECT_NE(progress_json(p).find(R"("rate":0,"remaining_ms":null)"), std::string::npos);
}

struct ProgressEvents : testing::Test {
  ProgressEvents() {
    r.front.get(
        "/events", [](const request& q, progress_meter of) { return progress_events(q, of, 250ms); }, meter);
    r.start();
  }
  rig r; // first: its server lets go of the meter
  progress_meter meter;
};

TEST_F(ProgressEvents, OneComesAtOnceThenOneForEachChangeThenTheLast) {
  meter.begin(r.sys.now(), 100);
  auto c = r.connect();
  r.say(c, get("/events"));
  EXPECT_NE(r.hear_until(c, "\"retries\":0}\n\n").find("event: progress\ndata: {\"state\":\"running\""),
            std::string::npos);
  r.advance(300ms);
  r.advance(300ms); // nothing has changed
  meter.add(40);
  r.advance(300ms);
  const auto second = r.hear_until(c, "\"retries\":0}\n\n");
  EXPECT_NE(second.find("\"done\":40"), std::string::npos) << second;
  EXPECT_NE(second.find("\"elapsed_ms\":900"), std::string::npos) << second;
  meter.end(r.sys.now(), work_state::done);
  r.advance(300ms);
  const auto last = r.hear_until(c, "0\r\n\r\n");
  EXPECT_NE(last.find("event: done\ndata: {\"state\":\"done\""), std::string::npos) << last;
}

TEST_F(ProgressEvents, AJobThatIsOverSaysSoAtOnce) {
  meter.begin(r.sys.now(), 100);
  meter.end(r.sys.now(), work_state::cancelled);
  auto c = r.connect();
  r.say(c, get("/events"));
  EXPECT_NE(r.hear_until(c, "0\r\n\r\n").find("event: cancelled\n"), std::string::npos);
}

TEST_F(ProgressEvents, ALongSilenceIsBroken) {
  meter.begin(r.sys.now(), 100);
  auto c = r.connect();
  r.say(c, get("/events"));
  (void)r.hear_until(c, "\"elapsed_ms\":0,\"retries\":0}\n\n");
  for (int i = 0; i < 55; ++i) r.advance(300ms);
  const auto second = r.hear_until(c, "\"retries\":0}\n\n");
  EXPECT_NE(second.find("\"elapsed_ms\":15"), std::string::npos) << second;
}

} // namespace
} // namespace greenroom::http::progress_events_test
