// One request through four actors, told as one tree: the trace travels with the items that they send, by itself. In a service http::otlp_exporter
// stands in the place of the sink that prints it here, and log lines name the trace, so that all of one request can be found.
#include <algorithm>
#include <iostream>
#include <mutex>
#include <string>
#include <vector>

#include <greenroom/actors/ask.hpp>
#include <greenroom/http/client.hpp>
#include <greenroom/http/server.hpp>
#include <greenroom/http/trace.hpp>
#include <greenroom/runtime/span.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

struct find_price {
  int order;
  using reply = int;
};
struct find_stock {
  int order;
  using reply = int;
};

task<> stock(mailbox<request<find_stock>> in) {
  while (auto r = co_await in.receive()) (void)r->reply(r->message.order * 2);
}

task<> audit(mailbox<int> in) {
  while (const auto order = co_await in.receive()) (void)*order;
}

task<> pricing(mailbox<request<find_price>> in, address<request<find_stock>> to_stock, address<int> to_audit) {
  while (auto r = co_await in.receive()) {
    const int order = r->message.order;
    const auto pieces = co_await ask(to_stock, find_stock{order}, 1s);
    (void)co_await to_audit.send(order);
    (void)r->reply(pieces.value_or(0) * 5);
  }
}

task<http::response> price_of(http::request r, address<request<find_price>> to_pricing) {
  const int order = std::stoi(std::string(r.parameter("order")));
  const auto price = co_await ask(to_pricing, find_price{order}, 1s);
  co_return http::text(price ? std::to_string(*price) : std::string(price.error().message()));
}

class printer final : public span_sink {
public:
  void ended(span s) noexcept override {
    const std::lock_guard guard(mutex_);
    spans_.push_back(std::move(s));
  }
  /// Prints the spans below one of them, in the order in which they began.
  void print(std::string_view parent = "", const std::string& indent = "") {
    std::sort(spans_.begin(), spans_.end(), [](const span& a, const span& b) { return a.began < b.began; });
    for (const auto& s : spans_) {
      if (s.place.parent_id() != parent) continue;
      std::cout << indent << s.name << '\n';
      print(s.place.span_id(), indent + "  ");
    }
  }

private:
  std::mutex mutex_;
  std::vector<span> spans_;
};

task<std::string> ask_for_price(http::client* web, std::string url) {
  auto getting = web->get(std::move(url));
  const auto got = co_await std::move(getting);
  co_return got ? std::string(got->body()) : std::string(got.error().message());
}

int main() {
  actor_system sys;
  const auto spans = std::make_shared<printer>();
  send_spans_to(sys, spans);

  auto [prices, to_pricing] = make_mailbox<request<find_price>>(bounded(16));
  auto [stocks, to_stock] = make_mailbox<request<find_stock>>(bounded(16));
  auto [orders, to_audit] = make_mailbox<int>(bounded(16));
  sys.spawn({.name = "stock"}, stock, std::move(stocks));
  const auto auditor = sys.spawn({.name = "audit"}, audit, std::move(orders));
  sys.spawn({.name = "pricing"}, pricing, std::move(prices), std::move(to_stock), std::move(to_audit));
  {
    http::server front(sys, {.port = 0});
    front.use(http::trace_requests({.sample = 1})); // of a busy service rather one in a hundred: 0.01
    front.get("/prices/{order:uint}", price_of, std::move(to_pricing));
    front.start().value();
    http::client web(sys);
    std::cout << "order 7 costs " << sys.run(ask_for_price, &web, front.url() + "/prices/7").value() << '\n';
    front.stop();
  } // with the server go the addresses that its route holds, so that the actors behind it end
  auditor.wait();
  spans->print();
}
