// The example server's work in Boost.Beast, as its own examples do it: http_beast [THREADS]. One loop a thread; a coroutine for each
// connection.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility> // asio/awaitable.hpp of Boost 1.74 lacks it
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using request = http::request<http::string_body>;
using response = http::response<http::string_body>;
using namespace std::chrono_literals;

response answer_to(const request& asked, http::status status, std::string body) {
  response made(status, asked.version());
  made.set(http::field::content_type, "text/plain; charset=utf-8");
  made.keep_alive(asked.keep_alive());
  made.body() = std::move(body);
  made.prepare_payload();
  return made;
}

asio::awaitable<response> task(std::reference_wrapper<const request> asked) {
  const auto span = std::chrono::milliseconds(std::atoi(std::string(asked.get().target().substr(9)).c_str()));
  asio::steady_timer timer(co_await asio::this_coro::executor, std::min(span, 2000ms));
  co_await timer.async_wait(asio::use_awaitable);
  if (span > 2000ms)
    co_return answer_to(asked, http::status::request_timeout, "Request canceled: context deadline exceeded\n");
  co_return answer_to(asked, http::status::ok, "Success: task completed\n");
}

asio::awaitable<response> respond(std::reference_wrapper<request> asked) {
  auto& on = asked.get();
  if (on.target() == "/hello") co_return answer_to(on, http::status::ok, "Hello, World!");
  if (on.target() == "/echo") co_return answer_to(on, http::status::ok, std::move(on.body()));
  if (on.target().starts_with("/task?ms=")) co_return co_await task(on);
  co_return answer_to(on, http::status::not_found, "not found\n");
}

asio::awaitable<void> serve(tcp::socket socket) {
  boost::beast::tcp_stream stream(std::move(socket));
  stream.socket().set_option(tcp::no_delay(true));
  boost::beast::flat_buffer buffer;
  try {
    for (bool more = true; more;) {
      request asked;
      stream.expires_after(30s);
      co_await http::async_read(stream, buffer, asked, asio::use_awaitable);
      stream.expires_never();
      auto made = co_await respond(asked);
      stream.expires_after(30s);
      co_await http::async_write(stream, made, asio::use_awaitable);
      more = made.keep_alive();
    }
  } catch (const boost::system::system_error&) {
    // the client left
  }
}

/// Deals the connections out to the loops in turn.
asio::awaitable<void> accept_all(tcp::acceptor* entrance, std::vector<std::unique_ptr<asio::io_context>>* loops) {
  for (std::size_t next = 0;; next = (next + 1) % loops->size()) {
    auto& loop = *(*loops)[next];
    auto socket = co_await entrance->async_accept(loop, asio::use_awaitable);
    asio::co_spawn(loop, serve(std::move(socket)), asio::detached);
  }
}

} // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  std::vector<std::unique_ptr<asio::io_context>> loops;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> kept;
  for (int i = 0; i < threads; ++i) {
    loops.push_back(std::make_unique<asio::io_context>(1));
    kept.push_back(asio::make_work_guard(*loops.back()));
  }
  tcp::acceptor entrance(*loops.front(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  std::printf("listening on http://127.0.0.1:%u\n", unsigned{entrance.local_endpoint().port()});
  std::fflush(stdout);
  asio::co_spawn(*loops.front(), accept_all(&entrance, &loops), asio::detached);
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < loops.size(); ++i) others.emplace_back([loop = loops[i].get()] { loop->run(); });
  loops.front()->run();
}
