// Bodies in parts, a feed of events, and a WebSocket: all of them with back-pressure, none of them held as a whole.
#include <iostream>
#include <string>

#include <greenroom/http/body.hpp>
#include <greenroom/http/event_channel.hpp>
#include <greenroom/http/server.hpp>
#include <greenroom/http/websocket.hpp>
#include <greenroom/http/websocket_upgrade.hpp>
#include <greenroom/testkit/http_client.hpp>

using namespace greenroom;

task<http::response> count_bytes(http::request, http::body_reader body) { // is called before the body has come
  std::size_t bytes = 0;
  for (;;) {
    auto reading = body.read();
    const auto part = co_await std::move(reading);
    if (!part || part->empty()) break;
    bytes += part->size();
  }
  co_return http::text(std::to_string(bytes));
}

task<> write_rows(http::body_writer out, int rows) {
  for (int i = 1; i <= rows; ++i) {
    auto writing = out.write("row " + std::to_string(i) + ", "); // waits while the client takes nothing
    if (const auto sent = co_await std::move(writing); !sent) co_return;
  }
}

task<> echo(http::websocket ws) {
  for (;;) {
    auto receiving = ws.receive();
    auto message = co_await std::move(receiving);
    if (!message) co_return; // closed by the client
    auto sending = ws.send_text(std::move(message->data));
    if (const auto sent = co_await std::move(sending); !sent) co_return;
  }
}

task<> program(endpoint at) {
  auto& net = this_actor::system().net();
  testkit::http_client web(net, at);
  auto posting = web.post("/bytes", std::string(100'000, 'x'));
  const auto counted = co_await std::move(posting);
  auto getting = web.get("/rows");
  const auto rows = co_await std::move(getting);
  std::cout << counted->body << " bytes; " << rows->body << "the end\n";

  auto connecting = net.connect(at);
  auto raw = co_await std::move(connecting);
  auto opening = http::websocket_handshake(std::move(*raw), at.to_string(), "/echo");
  auto ws = co_await std::move(opening);
  auto sending = ws->send_text("hello");
  (void)co_await std::move(sending);
  auto receiving = ws->receive();
  const auto back = co_await std::move(receiving);
  std::cout << "echo: " << back->data << '\n';
  auto closing = ws->close();
  (void)co_await std::move(closing);
}

int main() {
  actor_system sys;
  http::event_channel prices; // one feed for many browsers, with a memory for those that come back
  http::server front(sys, {.port = 0});
  front.post("/bytes", count_bytes);
  front.get("/rows", [] { return http::streamed("text/plain", write_rows, 3); });
  front.get("/echo", [](const http::request& r) { return http::accept_websocket(r, {}, echo); });
  front.get("/prices", http::serve_events, &prices);
  front.start().value();
  std::cout << "event " << prices.publish("42", "price").value() << " is published\n";
  return sys.run(program, endpoint("127.0.0.1", front.port())) ? 0 : 1;
}
