#include <greenroom/http/jobs_routes.hpp>

#include <string>

#include <greenroom/runtime/timer.hpp>
#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::http::jobs_routes_test {
namespace {

using namespace test;

task<> work(duration length) { co_await sleep_for(length); }
task<result<void>> fails() { co_return error(errc::upstream, "the \"bank\" is closed"); }

struct JobsRoutes : testing::Test {
  JobsRoutes() : jobs(server.sys) {
    (void)jobs.add({.name = "a", .when = schedule::every(1h)}, work, duration(1min));
    (void)jobs.add({.name = "b", .when = cron::parse("0 12 * * *").value(), .overlap = overlap_rule::queue}, fails);
    server.front.mount("/jobs", jobs_routes(jobs));
    server.start();
  }
  void TearDown() override { jobs.stop(); }

  rig server;
  scheduled_jobs jobs;
};

TEST_F(JobsRoutes, ListTheJobs) {
  const auto all = server.ask(get("/jobs"));
  EXPECT_EQ(all.status, 200);
  EXPECT_EQ(all.field("Content-Type"), "application/json");
  EXPECT_EQ(
      all.body,
      R"([{"name":"a","schedule":"every 1h","paused":false,"next":"1970-01-01T01:00:00Z","queued":0,"runs":0,"failures":0,"skipped":0},)"
      R"({"name":"b","schedule":"cron 0 12 * * *","paused":false,"next":"1970-01-01T12:00:00Z","queued":0,"runs":0,"failures":0,"skipped":0}])"
      "\n");
}

TEST_F(JobsRoutes, ShowOneWithItsHistory) {
  EXPECT_EQ(server.ask(post("/jobs/b/run", "")).status, 200);
  server.settle();
  const auto one = server.ask(get("/jobs/b"));
  EXPECT_EQ(
      one.body,
      R"({"name":"b","schedule":"cron 0 12 * * *","paused":false,"next":"1970-01-01T12:00:00Z","queued":0,"runs":1,"failures":1,"skipped":0,)"
      R"("history":[{"number":1,"due":"1970-01-01T00:00:00Z","started":"1970-01-01T00:00:00Z","ended":"1970-01-01T00:00:00Z",)"
      R"("outcome":"failed","error":"the \"bank\" is closed","by_hand":true}]})"
      "\n");
}

TEST_F(JobsRoutes, RunPauseResumeAndCancel) {
  EXPECT_NE(server.ask(post("/jobs/a/run", "")).body.find(R"("running":{"number":1,)"), std::string::npos);
  const auto again = server.ask(post("/jobs/a/run", ""));
  EXPECT_EQ(again.status, 409);
  EXPECT_NE(again.body.find("the job 'a' runs already, since 1970-01-01T00:00:00Z"), std::string::npos) << again.body;
  EXPECT_NE(server.ask(post("/jobs/a/pause", "")).body.find(R"("paused":true,"running")"), std::string::npos);
  EXPECT_NE(server.ask(post("/jobs/a/resume", "")).body.find(R"("paused":false,"next")"), std::string::npos);
  EXPECT_EQ(server.ask(post("/jobs/a/cancel", "")).status, 200);
  server.settle();
  EXPECT_NE(server.ask(get("/jobs/a")).body.find(R"("outcome":"cancelled","error":"it was cancelled by hand")"),
            std::string::npos);
}

TEST_F(JobsRoutes, SayWhatIsNotThere) {
  const auto none = server.ask(get("/jobs/c"));
  EXPECT_EQ(none.status, 404);
  EXPECT_NE(none.body.find("there is no job 'c'"), std::string::npos);
  EXPECT_EQ(server.ask(post("/jobs/c/run", "")).status, 404);
  EXPECT_EQ(server.ask(post("/jobs/a", "")).status, 405);
  EXPECT_EQ(server.ask(get("/jobs/a/run")).status, 405) << "no link that is followed begins a run";
  jobs.stop();
  EXPECT_EQ(server.ask(get("/jobs")).status, 503);
}

} // namespace
} // namespace greenroom::http::jobs_routes_test
