// The server that web_test.py asks with a browser and other clients that are not ours: front [CHAIN.PEM KEY.PEM]
// Prints where it listens, and each report that a page sends, as one line. Ends when its input does.
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

#include <greenroom/http/server.hpp>
#include <greenroom/http/websocket_upgrade.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/runtime/tls.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

namespace {

/// What a page of our own has to say: it tries all, and reports.
constexpr const char* page = R"(<!doctype html><meta charset="utf-8"><title>greenroom</title><script>
const seen = {};
function once(name, value) { seen[name] = value; if (Object.keys(seen).length == 4) send(); }
function send() { fetch('/report', {method: 'POST', body: JSON.stringify(seen)}); }
const ticks = [];
const events = new EventSource('/events');
events.onmessage = e => { ticks.push(e.lastEventId + '=' + e.data); if (ticks.length == 4) { events.close(); once('events', ticks); } };
const scheme = location.protocol == 'https:' ? 'wss://' : 'ws://';
const ws = new WebSocket(scheme + location.host + '/echo', ['loud']);
const heard = [];
ws.onopen = () => { ws.send('h\u00e9llo'); ws.send('x'.repeat(300000)); };
ws.onmessage = e => { heard.push(e.data.length > 100 ? e.data.length : e.data); if (heard.length == 2) ws.close(4000, 'done'); };
ws.onclose = e => once('websocket', [ws.protocol, ...heard, e.code, e.wasClean]);
fetch('/stream').then(r => r.text()).then(t => once('stream', t.length));
fetch('/upload', {method: 'POST', body: new Blob(['y'.repeat(2000000)])}).then(r => r.text()).then(t => once('upload', t));
</script>)";

/// Three events, and then the end: the browser comes back and says which was the last.
task<> count_on(http::body_writer out, int from) {
  for (int i = from; i < from + 2; ++i) {
    auto sent = co_await out.write("id: " + std::to_string(i) + "\ndata: tick\n\n");
    if (!sent) co_return;
  }
}

http::response events(http::request r) {
  const std::string last(r.header("Last-Event-ID").value_or("0"));
  http::response head(200, "text/event-stream", {});
  head.header("Cache-Control", "no-store");
  return http::feed(std::move(head), count_on, std::atoi(last.c_str()) + 1);
}

task<> echo(http::websocket ws) {
  for (;;) {
    auto m = co_await ws.receive();
    if (!m) co_return;
    auto sent = m->is_text ? ws.send_text(std::move(m->data)) : ws.send_binary(std::move(m->data));
    const auto done = co_await std::move(sent);
    if (!done) co_return;
  }
}

http::response websocket(http::request r) {
  http::websocket_options how;
  how.protocols = {"loud"};
  return http::accept_websocket(r, how, echo);
}

task<> write_much(http::body_writer out) {
  for (int i = 0; i < 100; ++i) {
    auto sent = co_await out.write(std::string(10'000, 'z'));
    if (!sent) co_return;
  }
}

task<http::response> upload(http::request, http::body_reader body) {
  std::size_t all = 0;
  for (;;) {
    auto part = co_await body.read();
    if (!part) co_return http::text("broken", 400);
    if (part->empty()) break;
    all += part->size();
  }
  co_return http::text(std::to_string(all));
}

http::response report(http::request r) {
  std::printf("report %s\n", r.take_body().c_str());
  std::fflush(stdout);
  return http::text("thanks\n");
}

} // namespace

int main(int argc, char** argv) {
  actor_system sys;
  http::server_options options;
  options.port = 0;
  if (argc == 3) {
    tls_server_options how;
    how.certificate_file = argv[1];
    how.key_file = argv[2];
    options.tls = tls_server::make(how).value();
  }
  http::server front(sys, options);
  front.get("/", [] { return http::html(page); }).get("/events", events).get("/echo", websocket);
  front.get("/stream", [] { return http::streamed("text/plain", write_much); });
  front.post("/upload", upload).post("/report", report);
  front.start().value();
  std::printf("listening on %s\n", front.url().c_str());
  std::fflush(stdout);
  while (std::getchar() != EOF) {}
  return front.stop(5s).complete() ? 0 : 1;
}
