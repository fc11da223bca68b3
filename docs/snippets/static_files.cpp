// The files of a directory over HTTP: nothing outside of it, conditional requests, ranges. (Over TLS: server_options::tls.)
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include <unistd.h>

#include <greenroom/http/server.hpp>
#include <greenroom/http/static_files.hpp>
#include <greenroom/testkit/http_client.hpp>

using namespace greenroom;

task<> ask_all(endpoint at) {
  testkit::http_client web(this_actor::system().net(), at);
  const testkit::http_fields none, part{{"Range", "bytes=0-4"}};
  for (const auto& [path, with] : {std::pair("/files/", none), std::pair("/files/notes.txt", part),
                                   std::pair("/files/.secret", none), std::pair("/files", none)}) {
    auto asking = web.send("GET", path, with, "");
    const auto got = co_await std::move(asking);
    const auto more = got->status < 300 ? got->body : got->field("Location");
    std::cout << path << ": " << got->status << (more.empty() ? "" : " ") << more << '\n';
  }
}

int main() {
  const auto folder = std::filesystem::temp_directory_path() / ("files." + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "index.html") << "<p>Welcome</p>";
  std::ofstream(folder / "notes.txt") << "Hello, World!";
  std::ofstream(folder / ".secret") << "not for you";
  {
    actor_system sys;
    http::server front(sys, {.port = 0});
    front.get("/files/{path...}", http::static_files(folder, {.cache_control = "public, max-age=60"}));
    front.start().value();
    (void)sys.run(ask_all, endpoint("127.0.0.1", front.port()));
  }
  std::filesystem::remove_all(folder);
}
