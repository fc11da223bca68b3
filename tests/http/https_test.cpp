// The server over TLS, asked by the client over TLS.
#if GREENROOM_HAS_TLS

#include <string>
#include <utility>

#include <greenroom/http/client.hpp>
#include <greenroom/http/websocket_upgrade.hpp>
#include <greenroom/tests/http/http_kit.hpp>
#include <greenroom/tests/runtime/tls_kit.hpp>

namespace greenroom::http::https_test {
namespace {

using namespace test;

server_options with_tls(const tls_server_options& how = serves(root().issue())) {
  server_options options;
  options.tls = tls_server::make(how).value();
  return options;
}

task<result<std::unique_ptr<stream>>> over_tls(transport* net, tls_client tls, std::uint16_t port) {
  auto raw = co_await net->connect({"127.0.0.1", port});
  if (!raw) co_return raw.error();
  auto shaking = tls.connect(*std::move(raw), "localhost");
  co_return co_await std::move(shaking);
}

raw_client connect_over_tls(rig& r, const tls_client_options& how = trusts(root())) {
  return raw_client(r.sys.run(over_tls, &r.net, tls_client::make(how).value(), r.front.port()).value());
}

response say_secure(request r) { return text(r.secure() ? "secure" : "plain"); }

TEST(Https, AnswersOverTls) {
  rig r(with_tls());
  r.front.get("/", say_secure);
  r.start();
  EXPECT_EQ(r.front.url(), "https://127.0.0.1:" + std::to_string(r.front.port()));
  auto c = connect_over_tls(r);
  EXPECT_EQ(r.say_and_hear(c, get("/")).body, "secure");
  EXPECT_EQ(r.say_and_hear(c, get("https://here/")).body, "secure") << "kept, and asked by address";
  EXPECT_EQ(r.say_and_hear(c, get("http://here/")).status, 421);
}

TEST(Https, IsSpokenByTheClient) {
  rig r(with_tls());
  r.front.get("/", say_secure);
  r.start();
  client_options how;
  const auto tls = tls_client::make(trusts(root())).value();
  how.secure = [tls](std::unique_ptr<stream> raw, std::string) { return tls.connect(std::move(raw), "localhost"); };
  http::client web(r.sys, how);
  const auto answer =
      r.sys.run([](http::client* c, std::string url) { return c->get(url); }, &web, r.front.url() + "/");
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->body(), "secure");
}

TEST(Https, SaysNothingToAClientThatSpeaksNoTls) {
  rig r(with_tls());
  r.front.get("/", say_secure);
  r.start();
  auto c = r.connect();
  r.say(c, get("/"));
  const auto all = r.hear_all(c);
  EXPECT_EQ(all.find("HTTP/1.1"), all.npos);
  EXPECT_EQ(r.front.stats().handshakes_failed, 1u);
  EXPECT_EQ(r.front.stats().connections_open, 0u);
}

TEST(Https, GivesASilentClientTheTimeOfAHead) {
  rig r(with_tls());
  r.start();
  auto c = r.connect();
  r.settle();
  r.advance(9s);
  EXPECT_EQ(r.front.stats().connections_open, 1u);
  r.advance(1001ms);
  EXPECT_EQ(r.front.stats().connections_open, 0u);
  EXPECT_EQ(r.front.stats().handshakes_failed, 1u);
}

TEST(Https, AStopDoesNotWaitForAHandshake) {
  rig r(with_tls());
  r.start();
  auto c = r.connect();
  r.settle();
  server_stop_report report;
  auto stop = r.sys.spawn([](server* s, server_stop_report* to) -> task<> { *to = co_await s->stopped(1h); }, &r.front,
                          &report);
  r.settle();
  EXPECT_TRUE(stop.finished());
  EXPECT_TRUE(report.complete());
}

TEST(Https, TakesNewCertificatesInWithoutAStop) {
  const scratch folder;
  auto old = root().issue({.subject = "old"});
  tls_server_options how;
  how.certificate_file = folder.write("chain.pem", old.certificate);
  how.key_file = folder.write("key.pem", old.key);
  auto tls = tls_server::make(how).value();
  server_options options;
  options.tls = tls;
  rig r(options);
  r.front.get("/", say_secure);
  r.start();
  auto before = connect_over_tls(r);
  EXPECT_EQ(r.say_and_hear(before, get("/")).body, "secure");
  auto next = root().issue({.subject = "new"});
  folder.write("chain.pem", next.certificate);
  folder.write("key.pem", next.key);
  EXPECT_EQ(tls.reload().value().subject, "CN=new");
  auto stream_now = r.sys.run(over_tls, &r.net, tls_client::make(trusts(root())).value(), r.front.port()).value();
  EXPECT_EQ(tls_session_of(*stream_now)->peer->subject, "CN=new");
  EXPECT_EQ(r.say_and_hear(before, get("/")).body, "secure") << "those that are there go on";
}

TEST(Https, SendsALargeAnswerToASlowReader) {
  rig r(with_tls());
  r.front.get("/", [] { return text(std::string(1'000'000, 'x')); });
  r.start();
  auto c = connect_over_tls(r);
  r.say(c, get("/"));
  r.settle();
  r.advance(5s);
  EXPECT_EQ(r.hear(c).body.size(), 1'000'000u);
}

} // namespace
} // namespace greenroom::http::https_test

#endif
