// The seams: clock, disk, network, threads and log of a system can be others. Here network and disk are in memory.
#include <iostream>
#include <span>
#include <string>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/blocking.hpp>
#include <greenroom/runtime/memory_transport.hpp>
#include <greenroom/runtime/within.hpp>
#include <greenroom/testkit/memory_files.hpp>

using namespace greenroom;
using namespace std::chrono_literals;

task<> serve(std::unique_ptr<listener> at) {
  const auto got = co_await at->accept();
  if (got) (void)co_await (*got)->write_all(std::as_bytes(std::span("hello", 5)));
}

task<> program() {
  auto& sys = this_actor::system(); // whoever takes net() and disk() from it runs in a simulation, too
  auto listening = sys.net().listen({"10.0.0.1", 80});
  spawn(serve, *std::move(listening));
  auto connecting = with_timeout(2s, sys.net().connect({"10.0.0.1", 80}));
  auto connected = co_await std::move(connecting);
  std::byte bytes[16];
  const auto n = co_await (*connected)->read_some(bytes);
  std::cout << "read '" << std::string(reinterpret_cast<const char*>(bytes), *n) << "'\n";

  const auto saved =
      co_await blocking([&sys] { return sys.disk().write_atomically("state", "42"); }); // file calls block
  const auto text = co_await blocking([&sys] { return sys.disk().read_all("state"); });
  std::cout << saved.has_value() << ", the disk has " << *text << '\n';
}

int main() {
  memory_transport net;
  testkit::memory_files disk;
  const char* arguments[] = {"program", "--workers", "2", "--log-level", "warn", "input.csv"};
  auto given = load_all({}, 6, arguments); // code < file < environment < command line
  if (!given) return std::cerr << given.error().message() << '\n', 2;
  actor_system sys(given->values, environment{.disk = &disk, .net = &net});
  std::cout << given->rest[0] << " is left for the program; " << sys.settings().workers << " workers\n";
  return sys.run(program) ? 0 : 1;
}
