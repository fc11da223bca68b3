#if GREENROOM_HAS_TLS

#include <greenroom/runtime/tls.hpp>

#include <cstdio>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <greenroom/tests/runtime/tls_kit.hpp>

// Another implementation's idea of TLS: Python's module ssl over real sockets. Skipped where there is none.

namespace greenroom::tls_interop_test {
namespace {

using namespace test;

/// A program that runs beside the test; its output ends with it.
class program {
public:
  explicit program(const std::string& command) : pipe_(::popen(command.c_str(), "r")) {}
  program(const program&) = delete;
  program& operator=(const program&) = delete;
  ~program() {
    if (pipe_ != nullptr) ::pclose(pipe_);
  }
  std::string line() {
    std::string text;
    for (int c = std::fgetc(pipe_); c != EOF && c != '\n'; c = std::fgetc(pipe_)) text += static_cast<char>(c);
    return text;
  }
  int end() { return ::pclose(std::exchange(pipe_, nullptr)); }

private:
  std::FILE* pipe_;
};

bool python_has_tls() { return program("python3 -c 'import ssl' 2>&1").end() == 0; }

task<> answer_one(tls_server by, listener* at) {
  auto raw = co_await at->accept();
  if (!raw) co_return;
  auto accepting = by.accept(*std::move(raw));
  auto made = co_await std::move(accepting);
  EXPECT_TRUE(made) << made.error().message();
  if (!made) co_return;
  // echo(), which keeps the stream until the client has ended its sending; then both ends are announced.
  std::byte buffer[4096];
  for (;;) {
    const auto got = co_await (*made)->read_some(buffer);
    EXPECT_TRUE(got) << got.error().message();
    if (!got || *got == 0) co_return;
    const auto put = co_await (*made)->write_all(std::span(buffer).first(*got));
    EXPECT_TRUE(put) << put.error().message();
  }
}

constexpr const char* client_program = R"(
import socket, ssl, sys
ctx = ssl.create_default_context(cafile=sys.argv[2])
ctx.set_alpn_protocols(["http/1.1"])
if len(sys.argv) > 3:
    ctx.maximum_version = ssl.TLSVersion.TLSv1_2
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 60) as raw:
    with ctx.wrap_socket(raw, server_hostname="localhost") as s:
        text = bytes(range(256)) * 400
        s.sendall(text[:50000])
        got = b""
        while len(got) < 50000: got += s.recv(65536)
        s.sendall(text[50000:])
        while len(got) < len(text): got += s.recv(65536)
        print(s.version(), s.selected_alpn_protocol(), got == text, flush=True)
        s.unwrap()
        print("ended")
)";

TEST(TlsInterop, PythonIsServed) {
  if (!python_has_tls()) GTEST_SKIP() << "python3 with its module ssl is not installed";
  const scratch folder;
  const auto ca = folder.write("ca.pem", root().pem()).native();
  const auto script = folder.write("client.py", client_program).native();
  actor_system sys(quiet(2));
  const auto server = tls_server::make(serves(root().issue())).value();
  for (const std::string version : {"TLSv1.3", "TLSv1.2"}) {
    auto at = listen_here(sys);
    const auto answers = sys.spawn(answer_one, server, at.get());
    program client(fmt::format("python3 {} {} {} {} 2>&1", script, at->port(), ca, version == "TLSv1.2" ? "old" : ""));
    EXPECT_EQ(client.line(), version + " http/1.1 True");
    EXPECT_EQ(client.line(), "ended");
    EXPECT_EQ(client.end(), 0);
    at->close();
    EXPECT_TRUE(answers.wait().normal());
  }
}

constexpr const char* server_program = R"(
import socket, ssl, sys
ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
ctx.load_cert_chain(sys.argv[1], sys.argv[2])
with socket.create_server(("127.0.0.1", 0)) as at:
    print(at.getsockname()[1], flush=True)
    at.settimeout(60)
    raw, _ = at.accept()
    with ctx.wrap_socket(raw, server_side=True) as s:
        while True:
            got = s.recv(65536)
            if not got: break
            s.sendall(got)
        s.unwrap()
print("ended")
)";

task<result<std::string>> ask(tls_client by, std::uint16_t port, std::string text) {
  auto raw = co_await connect_here(port);
  auto connecting = by.connect(std::move(raw), "localhost");
  auto made = co_await std::move(connecting);
  if (!made) co_return made.error();
  auto writing = (*made)->write_all(bytes_of(text));
  const auto sent = co_await std::move(writing);
  if (!sent) co_return sent.error();
  auto back = co_await read_text(made->get(), text.size());
  (*made)->shutdown_send();
  const auto rest = co_await read_text(made->get(), 1); // to the end that the server announces
  if (!rest) co_return rest.error();
  co_return back;
}

TEST(TlsInterop, PythonServes) {
  if (!python_has_tls()) GTEST_SKIP() << "python3 with its module ssl is not installed";
  const scratch folder;
  const auto own = root().issue();
  program server(fmt::format("python3 {} {} {} 2>&1", folder.write("server.py", server_program).native(),
                             folder.write("chain.pem", own.certificate).native(),
                             folder.write("key.pem", own.key).native()));
  const auto port = static_cast<std::uint16_t>(std::stoi(server.line()));
  actor_system sys(quiet(2));
  const std::string text(30'000, 'p');
  const auto got = sys.run(ask, tls_client::make(trusts(root())).value(), port, text);
  ASSERT_TRUE(got) << got.error().message();
  EXPECT_TRUE(*got == text);
  EXPECT_EQ(server.line(), "ended");
  EXPECT_EQ(server.end(), 0);
}

} // namespace
} // namespace greenroom::tls_interop_test

#endif
