#include <greenroom/http/auth.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <greenroom/http/body.hpp>
#include <greenroom/http/internal/base64.hpp>
#include <greenroom/tests/http/http_kit.hpp>

namespace greenroom::http::auth_test {
namespace {

using namespace test;

// -- base64 -----------------------------------------------------------------------------------------------

TEST(Base64, ReadsWhatItShould) {
  const auto read = [](std::string_view text) { return internal::base64_decode(text).value_or("refused"); };
  EXPECT_EQ(read(""), "");
  EXPECT_EQ(read("Zg=="), "f");
  EXPECT_EQ(read("Zm8="), "fo");
  EXPECT_EQ(read("Zm9v"), "foo");
  EXPECT_EQ(read("Zm9vYg=="), "foob");
  EXPECT_EQ(read("Zm9vYmFy"), "foobar");
  EXPECT_EQ(read("+/+/"), "\xfb\xff\xbf");
}

TEST(Base64, RefusesWhatALenientReaderSkips) {
  for (const std::string_view bad :
       {"Z",      "Zg",    "Zg=",   "Zm8",  "Zg===", "Z===",     "====", "=",        "Zh==",  "Zm9=",
        "Zm9v\n", " Zm9v", "Zm 9v", "Zm9-", "Zm9_",  "Zg==Zg==", "Z=g=", "Zm9v====", "Zm9v=", "Zm9v=="})
    EXPECT_FALSE(internal::base64_decode(bad)) << bad;
}

// -- secrets ----------------------------------------------------------------------------------------------

TEST(SameSecret, ComparesWhole) {
  EXPECT_TRUE(same_secret("", ""));
  EXPECT_TRUE(same_secret("secret", "secret"));
  for (const std::string_view other : {"", "s", "secre", "secret ", "Secret", "secreT", "sekret"}) {
    EXPECT_FALSE(same_secret(other, "secret")) << other;
    EXPECT_FALSE(same_secret("secret", other)) << other;
  }
  EXPECT_FALSE(same_secret(std::string_view("secret\0", 7), "secret"));
}

// -- the middleware ---------------------------------------------------------------------------------------

std::optional<principal> ann_only(credentials c, const std::string& secret) {
  if (!same_secret(c.secret, secret)) return std::nullopt;
  if (c.scheme == auth_scheme::basic && c.user != "ann") return std::nullopt;
  return principal{"ann", {"admin"}};
}
task<std::optional<principal>> ask_somebody(credentials c) {
  co_await sleep_for(10ms);
  if (c.secret == "broken") throw std::runtime_error("no directory");
  if (c.secret != "good") co_return std::nullopt;
  co_return principal{"bob"};
}
response who() {
  const auto* const p = principal_of();
  return text(p == nullptr ? "nobody" : p->name + std::to_string(p->roles.size()));
}

struct guarded : rig {
  explicit guarded(middleware m) {
    front.get("/open", who).use(std::move(m)).get("/", [this] { return ++calls, who(); });
    front.get("/stream", [] {
      return streamed("text/plain", [](body_writer out) -> task<> {
        auto sent = co_await out.write(principal_of()->name + ".");
        (void)sent;
      });
    });
    start();
  }
  reply with(const std::string& authorization) { return ask(get("/", "Authorization: " + authorization + "\r\n")); }
  int calls = 0;
};

guarded bearer() { return guarded(authenticate(auth_scheme::bearer, "shop", ann_only, std::string("t0ken"))); }
guarded basic() {
  return guarded(authenticate(auth_scheme::basic, "the \"shop\"", ann_only, std::string("pass:word")));
}

TEST(BearerAuthentication, RunsTheRestForThePrincipal) {
  auto r = bearer();
  EXPECT_EQ(r.with("Bearer t0ken").body, "ann1");
  EXPECT_EQ(r.with("bEARER   t0ken").body, "ann1");
  EXPECT_EQ(r.ask(get("/open")).body, "nobody");
  auto c = r.connect();
  r.say(c, get("/stream", "Authorization: Bearer t0ken\r\n"));
  EXPECT_NE(r.hear_until(c, "0\r\n\r\n").find("ann."), std::string::npos);
}

TEST(BearerAuthentication, AsksForCredentialsWhereThereAreNone) {
  auto r = bearer();
  for (const auto& answer : {r.ask(get("/")), r.with("Basic YW5uOnBhc3M="), r.with("Digest x"), r.with("Bearertoken x"),
                             r.ask(get("/nowhere"))}) {
    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(answer.field("WWW-Authenticate"), "Bearer realm=\"shop\"");
    EXPECT_EQ(answer.body, "this needs credentials\n");
  }
  EXPECT_EQ(r.calls, 0);
}

TEST(BearerAuthentication, RefusesTokensOfNobody) {
  auto r = bearer();
  const auto answer = r.with("Bearer t0ke");
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.field("WWW-Authenticate"), "Bearer realm=\"shop\", error=\"invalid_token\"");
  EXPECT_EQ(r.with("Bearer t0ken==").status, 401);
  EXPECT_EQ(r.calls, 0);
}

TEST(BearerAuthentication, RefusesWhatIsMalformed) {
  auto r = bearer();
  for (const std::string bad :
       {"Bearer", "Bearer ", "Bearer t0ken t0ken", "Bearer t0ken,", "Bearer \"t0ken\"", "Bearer =t0ken",
        "Bearer ====", "Bearer t0=ken", "Bearer t0k\xc3\xa9n", "Bearer\tt0ken"}) {
    const auto answer = r.with(bad);
    if (bad.find('\t') != bad.npos) {
      EXPECT_EQ(answer.status, 401) << "another scheme: " << bad;
      continue;
    }
    EXPECT_EQ(answer.status, 400) << bad;
    EXPECT_EQ(answer.field("WWW-Authenticate"), "Bearer realm=\"shop\", error=\"invalid_request\"");
  }
  EXPECT_EQ(r.ask(get("/", "Authorization: Bearer t0ken\r\nAuthorization: Bearer t0ken\r\n")).status, 400);
  EXPECT_EQ(r.with("Bearer " + std::string(8'186, 'a')).status, 400);
  EXPECT_EQ(r.with("Bearer " + std::string(8'185, 'a')).status, 401);
  EXPECT_EQ(r.calls, 0);
}

TEST(BasicAuthentication, TakesUserAndPasswordApart) {
  auto r = basic();
  EXPECT_EQ(r.with("Basic YW5uOnBhc3M6d29yZA==").body, "ann1") << "ann:pass:word: the user has no colon";
  EXPECT_EQ(r.with("basic YW5uOnBhc3M6d29yZA==").body, "ann1");
  EXPECT_EQ(r.with("Basic Ym9iOnBhc3M6d29yZA==").status, 401) << "bob";
  EXPECT_EQ(r.with("Basic YW5uOnBhc3M=").status, 401);
  const auto asked = r.ask(get("/"));
  EXPECT_EQ(asked.status, 401);
  EXPECT_EQ(asked.field("WWW-Authenticate"), "Basic realm=\"the \\\"shop\\\"\", charset=\"UTF-8\"");
}

TEST(BasicAuthentication, RefusesWhatIsMalformed) {
  auto r = basic();
  for (const std::string bad : {
           "YW5uOnBhc3M6d29yZA",     // no padding
           "YW5uOnBhc3M6d29yZA=",    // too little
           "YW5uOnBhc3M6d29yZB==",   // bits that stand for nothing
           "YW5uOnBhc3M6 d29yZA==",  // a space
           "YW5u",                   // no colon
           "",                       //
           "YW5uOv8=",               // no UTF-8
           "YW5uOgBhYWE=",           // a zero byte
           "YW5uCjpwYXNz",           // a line break
           "YW5uOsKF",               // U+0085, a control character
           "YW5uOnBhc3M6d29yZA==\t", // trimmed: see below
       }) {
    const auto answer = r.with("Basic " + bad);
    if (bad.ends_with('\t')) {
      EXPECT_EQ(answer.status, 200) << "white space around a value is no part of it";
      continue;
    }
    EXPECT_EQ(answer.status, 400) << bad;
    EXPECT_EQ(answer.body, "the credentials are malformed\n");
  }
}

TEST(Authentication, MayWaitForTheAnswer) {
  guarded r(authenticate(auth_scheme::bearer, "shop", ask_somebody));
  const auto after = [&r](const std::string& token) {
    auto c = r.connect();
    r.say(c, get("/", "Authorization: Bearer " + token + "\r\n"));
    r.settle();
    r.advance(11ms);
    return r.hear(c);
  };
  EXPECT_EQ(after("good").body, "bob0");
  EXPECT_EQ(after("bad").status, 401);
  EXPECT_EQ(after("broken").status, 500) << "who cannot tell lets nobody in";
  EXPECT_EQ(r.calls, 1);
}

TEST(Authentication, RefusesARealmThatNobodyCanRead) {
  const auto with = [](std::string realm) {
    return authenticate(auth_scheme::bearer, std::move(realm), ann_only, std::string("x"));
  };
  EXPECT_THROW(with(""), usage_error);
  EXPECT_THROW(with("a\r\nX: y"), usage_error);
  EXPECT_THROW(with("caf\xc3\xa9"), usage_error);
  EXPECT_NO_THROW(with("my shop"));
}

TEST(Authentication, KnowsNobodyOutsideOfARequest) { EXPECT_EQ(principal_of(), nullptr); }

} // namespace
} // namespace greenroom::http::auth_test
