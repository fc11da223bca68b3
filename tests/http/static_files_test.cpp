#include <greenroom/http/static_files.hpp>

#include <sys/socket.h>
#include <sys/un.h>

#include <string>
#include <string_view>

#include <greenroom/http/internal/served_file.hpp>
#include <greenroom/tests/http/files_kit.hpp>

namespace greenroom::http::static_files_test {
namespace {

using namespace test;
namespace fs = std::filesystem;

// -- what is served -----------------------------------------------------------------------------------------

TEST(StaticFiles, AreSentWithWhatIsKnownOfThem) {
  file_rig t;
  t.write("a b.txt", "hello");
  const auto answer = t.ask("/files/a%20b.txt");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.field("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(answer.field("Content-Length"), "5");
  EXPECT_EQ(answer.field("Last-Modified"), "Sun, 09 Sep 2001 01:46:40 GMT");
  EXPECT_EQ(answer.field("Cache-Control"), "no-cache");
  EXPECT_EQ(answer.field("Accept-Ranges"), "bytes");
  EXPECT_EQ(answer.field("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(answer.field("Vary"), "none");
  EXPECT_TRUE(answer.field("ETag").starts_with('"')) << answer.field("ETag");
}

TEST(StaticFiles, HaveTheirFieldsForHeadToo) {
  file_rig t;
  t.write("a.html", "hello");
  t.write("big.bin", counted(300'000));
  for (const auto* path : {"/files/a.html", "/files/big.bin"}) {
    const auto whole = t.ask(path);
    const auto head = t.ask_head(path);
    EXPECT_EQ(head.status, 200);
    for (const auto* name : {"Content-Length", "ETag", "Content-Type", "Last-Modified", "Accept-Ranges"})
      EXPECT_EQ(head.field(name), whole.field(name)) << name;
  }
}

TEST(StaticFiles, MayBeEmpty) {
  file_rig t;
  t.write("empty", "");
  const auto answer = t.ask("/files/empty");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.field("Content-Length"), "0");
  EXPECT_EQ(t.ask("/files/empty", "If-None-Match: \"other\"\r\n").field("Content-Length"), "0");
}

TEST(StaticFiles, OfAnyLengthArriveAsTheyAre) {
  file_rig t({.part = 4'096});
  for (const std::size_t size : {1u, 4'095u, 4'096u, 4'097u, 8'192u, 300'000u}) {
    t.write("f.bin", counted(size));
    EXPECT_EQ(t.ask("/files/f.bin").body, counted(size)) << size;
    EXPECT_EQ(t.ask("/files/f.bin", "If-None-Match: \"other\"\r\n").body, counted(size)) << size;
  }
}

TEST(StaticFiles, ShowTheIndexOfADirectory) {
  file_rig t;
  t.write("index.html", "root");
  t.write("sub/index.html", "sub");
  EXPECT_EQ(t.ask("/files/").body, "root");
  EXPECT_EQ(t.ask("/files/sub/").body, "sub");
  EXPECT_EQ(t.ask("/files/sub/").field("Content-Type"), "text/html; charset=utf-8");
  const auto redirected = t.ask("/files/s%75b?x=1&y");
  EXPECT_EQ(redirected.status, 301);
  EXPECT_EQ(redirected.field("Location"), "/files/s%75b/?x=1&y");
}

TEST(StaticFiles, RedirectFromTheirPrefixWithoutItsSlash) {
  file_rig t;
  EXPECT_EQ(t.ask("/files").status, 404) << "as long as there is no index";
  t.write("index.html", "root");
  const auto redirected = t.ask("/f%69les?x=1");
  EXPECT_EQ(redirected.status, 301);
  EXPECT_EQ(redirected.field("Location"), "/f%69les/?x=1");
  EXPECT_EQ(t.ask_head("/files").field("Location"), "/files/");
  EXPECT_EQ(t.r.ask(post("/files", "x")).status, 404);
  EXPECT_EQ(t.ask("/file").status, 404);
  file_rig none({.index = ""});
  none.write("index.html", "root");
  EXPECT_EQ(none.ask("/files").status, 404);
}

TEST(StaticFiles, LeaveTheirPrefixToARouteOfItsOwn) {
  temporary_directory www;
  std::ofstream(www.path / "index.html") << "root";
  rig r;
  r.front.get("/a/{path...}", static_files(www.path)).get("/a", [] { return text("own"); });
  routes group;
  group.get("/{path...}", supervised(1s, static_files(www.path)));
  r.front.mount("/b/c", std::move(group));
  r.start();
  EXPECT_EQ(r.ask(get("/a")).body, "own");
  EXPECT_EQ(r.ask(get("/a/")).body, "root");
  EXPECT_EQ(r.ask(get("/b/c")).field("Location"), "/b/c/");
  EXPECT_EQ(r.ask(get("/b")).status, 404);
}

TEST(StaticFiles, DoNotTellOfADirectoryWithoutAnIndex) {
  file_rig t;
  fs::create_directory(t.root() / "bare");
  t.write("file.txt", "x");
  EXPECT_EQ(t.ask("/files/bare/").status, 404);
  EXPECT_EQ(t.ask("/files/bare").status, 404);
  EXPECT_EQ(t.ask("/files/").status, 404);
  EXPECT_EQ(t.ask("/files/file.txt/").status, 404);
}

TEST(StaticFiles, HaveNoIndexIfNoneIsWanted) {
  file_rig t({.index = ""});
  t.write("sub/index.html", "x");
  EXPECT_EQ(t.ask("/files/sub/").status, 404);
  EXPECT_EQ(t.ask("/files/sub").status, 404);
  EXPECT_EQ(t.ask("/files/sub/index.html").body, "x");
}

TEST(StaticFiles, TakeTheOptionsOfTheirOwner) {
  file_rig t({.index = "main.txt", .cache_control = "public, max-age=60", .hidden = true});
  t.write("main.txt", "main");
  t.write(".well-known/x", "well");
  EXPECT_EQ(t.ask("/files/").body, "main");
  EXPECT_EQ(t.ask("/files/").field("Cache-Control"), "public, max-age=60");
  EXPECT_EQ(t.ask("/files/.well-known/x").body, "well");
  file_rig without({.cache_control = ""});
  without.write("a", "a");
  EXPECT_EQ(without.ask("/files/a").field("Cache-Control"), "none");
}

TEST(StaticFiles, RefuseOptionsThatCannotBe) {
  const temporary_directory place;
  const auto at = place.path.string();
  EXPECT_NO_THROW(static_files{at});
  EXPECT_THROW(static_files(at + "/none"), usage_error);
  EXPECT_THROW(static_files(at, {.index = "../x"}), usage_error);
  EXPECT_THROW(static_files(at, {.cache_control = "a\r\nb"}), usage_error);
  EXPECT_THROW(static_files(at, {.part = 4'095}), usage_error);
  EXPECT_THROW(static_files(at, {.part = 1'048'577}), usage_error);
}

// -- what is not --------------------------------------------------------------------------------------------

TEST(StaticFilesGuard, LetsNoPathLeaveTheDirectory) {
  file_rig t;
  t.write("sub/a.txt", "a");
  for (const auto* path :
       {"/files/../secret.txt", "/files/%2e%2e/secret.txt", "/files/sub/../../secret.txt", "/files/..%2fsecret.txt",
        "/files/%252e%252e/secret.txt", "/files/..%5csecret.txt", "/files/..\\secret.txt", "/files//etc/passwd",
        "/files/%2fetc/passwd", "/files/sub/..%00/a.txt", "/files/./sub/a.txt", "/files/...", "/files/sub/..",
        "/files/..;/secret.txt", "/files/%c0%ae%c0%ae/secret.txt"}) {
    const auto answer = t.ask(path);
    EXPECT_TRUE(answer.status == 404 || answer.status == 400) << path << ": " << answer.status;
    EXPECT_EQ(answer.body.find("secret"), std::string::npos) << path;
  }
}

TEST(StaticFilesGuard, KnowsOneSpellingOnlyOfEachPath) {
  file_rig t;
  t.write("sub/a.txt", "a");
  EXPECT_EQ(t.ask("/files/sub/a.txt").status, 200);
  EXPECT_EQ(t.ask("/files/sub%2fa.txt").status, 404);
  EXPECT_EQ(t.ask("/files/sub%2Fa.txt").status, 404);
  EXPECT_EQ(t.ask("/files/sub//a.txt").status, 404);
  EXPECT_EQ(t.ask("/files//sub/a.txt").status, 404);
}

TEST(StaticFilesGuard, DecodesOnce) {
  file_rig t;
  t.write("a%20b", "percent");
  t.write("a b", "space");
  EXPECT_EQ(t.ask("/files/a%2520b").body, "percent");
  EXPECT_EQ(t.ask("/files/a%20b").body, "space");
}

TEST(StaticFilesGuard, HidesWhatBeginsWithADot) {
  file_rig t;
  t.write(".env", "password");
  t.write(".git/config", "x");
  t.write("sub/.htpasswd", "x");
  for (const auto* path : {"/files/.env", "/files/.git/config", "/files/sub/.htpasswd", "/files/%2eenv"})
    EXPECT_EQ(t.ask(path).status, 404) << path;
}

TEST(StaticFilesGuard, FollowsSymbolicLinksWithinTheDirectoryOnly) {
  file_rig t;
  t.write("sub/a.txt", "a");
  fs::create_symlink("sub/a.txt", t.root() / "inside");
  fs::create_symlink("sub", t.root() / "directory");
  fs::create_symlink("../secret.txt", t.root() / "outside");
  fs::create_symlink("..", t.root() / "up");
  fs::create_symlink(t.place.path / "secret.txt", t.root() / "absolute");
  fs::create_symlink("loop", t.root() / "loop");
  fs::create_symlink("/proc/self/cwd", t.root() / "magic");
  if (internal::best_resolver() == internal::resolver::kernel) {
    EXPECT_EQ(t.ask("/files/inside").body, "a");
    EXPECT_EQ(t.ask("/files/directory/a.txt").body, "a");
  }
  for (const auto* path : {"/files/outside", "/files/up/secret.txt", "/files/absolute", "/files/loop", "/files/magic/x",
                           "/files/up/www/sub/a.txt"})
    EXPECT_EQ(t.ask(path).status, 404) << path;
}

TEST(StaticFilesGuard, ServesRegularFilesOnly) {
  file_rig t;
  ASSERT_EQ(::mkfifo((t.root() / "pipe").c_str(), 0600), 0);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  const auto path = (t.root() / "socket").string();
  ASSERT_LT(path.size(), sizeof at.sun_path);
  path.copy(at.sun_path, path.size());
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  EXPECT_EQ(t.ask("/files/pipe").status, 404) << "and it must not wait for somebody to write";
  EXPECT_EQ(t.ask("/files/socket").status, 404);
  ::close(fd);
}

TEST(StaticFilesGuard, SaysWhenTheSystemDeniesReading) {
  file_rig t;
  t.write("a.txt", "a");
  fs::permissions(t.root() / "a.txt", fs::perms::none);
  if (::access((t.root() / "a.txt").c_str(), R_OK) == 0) GTEST_SKIP() << "root may read everything";
  EXPECT_EQ(t.ask("/files/a.txt").status, 403);
}

TEST(StaticFilesGuard, FailsWhenTheDirectoryIsGone) {
  file_rig t;
  t.write("a.txt", "a");
  fs::rename(t.root(), t.place.path / "gone");
  EXPECT_EQ(t.ask("/files/a.txt").status, 500);
  fs::create_directory_symlink("gone", t.root());
  EXPECT_EQ(t.ask("/files/a.txt").body, "a") << "it is opened anew for each request";
}

// -- opening, either way ------------------------------------------------------------------------------------

struct OpenBeneath : testing::TestWithParam<internal::resolver> {
  OpenBeneath() {
    t.write("sub/deep/a.txt", "a");
    fs::create_symlink("sub", t.root() / "link");
    fs::create_symlink("../secret.txt", t.root() / "outside");
    fs::create_symlink("..", t.root() / "sub" / "up");
  }
  std::string read(const std::string& path) {
    const auto directory = internal::open_directory(t.root().string());
    auto open = internal::open_beneath(directory, path, GetParam());
    if (!open) return "refused";
    auto file = internal::served_file::of(std::move(open));
    return file ? file->read(0, static_cast<std::size_t>(file->size())).value() : "no file";
  }
  file_rig t;
};

TEST_P(OpenBeneath, StaysInTheDirectory) {
  if (GetParam() == internal::resolver::kernel && internal::best_resolver() != GetParam()) GTEST_SKIP();
  EXPECT_EQ(read("sub/deep/a.txt"), "a");
  EXPECT_EQ(read("sub/deep"), "no file");
  EXPECT_EQ(read(""), "no file");
  EXPECT_EQ(read("none"), "refused");
  EXPECT_EQ(read("sub/none/a.txt"), "refused");
  EXPECT_EQ(read("outside"), "refused");
  EXPECT_EQ(read("sub/up/../secret.txt"), "refused");
  EXPECT_EQ(read("link/deep/a.txt"), GetParam() == internal::resolver::kernel ? "a" : "refused");
}

INSTANTIATE_TEST_SUITE_P(BothWays, OpenBeneath, testing::Values(internal::resolver::kernel, internal::resolver::walk));

} // namespace
} // namespace greenroom::http::static_files_test
