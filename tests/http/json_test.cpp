#include <greenroom/http/json.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <greenroom/http/client.hpp>
#include <greenroom/tests/http/http_kit.hpp>
#include <greenroom/tests/http/log_kit.hpp>

namespace greenroom::http {
namespace shop {

enum class size { small, large };

struct line {
  std::string item;
  int price = 0;
  size of = size::small;
};

struct new_order {
  std::string customer;
  std::vector<line> lines;
  std::optional<std::string> note;
  double discount = 0.5;
  std::map<std::string, std::uint8_t> tags;
};

struct order_taken {
  std::uint64_t id = 0;
  std::optional<std::string> note;
};

struct tree {
  int value = 0;
  std::vector<tree> below;
};

struct loose {
  any_json any;
  std::optional<bool> on;
};

void describe(schema<size>& s) { s.value("small", size::small).value("large", size::large); }
void describe(schema<line>& s) {
  s.field("item", &line::item).between(1, 5);
  s.field("price", &line::price).between(1, 1000);
  s.field("of", &line::of).optional();
}
void describe(schema<new_order>& s) {
  s.field("customer", &new_order::customer).at_least(1);
  s.field("lines", &new_order::lines).between(1, 3);
  s.field("note", &new_order::note).at_most(4);
  s.field("discount", &new_order::discount).optional().between(0, 0.75);
  s.field("tags", &new_order::tags).optional().at_most(2);
}
void describe(schema<order_taken>& s) {
  s.field("id", &order_taken::id);
  s.field("note", &order_taken::note);
}
void describe(schema<tree>& s) {
  s.field("value", &tree::value);
  s.field("below", &tree::below).optional();
}
void describe(schema<loose>& s) {
  s.ignore_unknown();
  s.field("any", &loose::any);
  s.field("on", &loose::on);
}

} // namespace shop

namespace {

using namespace test;
using namespace shop;

class Json : public testing::Test {
protected:
  void SetUp() override {
    if (!detail::can_parse_json()) GTEST_SKIP() << "built without nlohmann-json";
  }
};

std::string post_json(std::string_view target, std::string_view body, std::string_view type = "application/json") {
  return post(target, body, "Content-Type: " + std::string(type) + "\r\n");
}

/// The faults of a text as "path: why" lines.
template <class T>
std::string faults(std::string_view text) {
  T value{};
  detail::json_faults found;
  const auto document = detail::parse_json(text, 64);
  if (!document) return "no JSON: " + std::string(document.error().message());
  detail::json_type_of<T>().read(*document, &value, found);
  std::string all;
  for (const auto& each : found.all) all += each.pointer + ": " + each.why + "\n";
  return all;
}

// -- values -----------------------------------------------------------------------------------------------

using JsonValues = Json;

TEST_F(JsonValues, AreReadWithWhatIsOptionalLeftAsItWas) {
  const auto got = from_json<new_order>(
      R"({"customer":"Ann","lines":[{"item":"tea","price":7},{"item":"mug","price":1000,"of":"large"}]})");
  ASSERT_TRUE(got) << got.error().message();
  EXPECT_EQ(got->customer, "Ann");
  ASSERT_EQ(got->lines.size(), 2u);
  EXPECT_EQ(got->lines[0].of, size::small);
  EXPECT_EQ(got->lines[1].price, 1000);
  EXPECT_EQ(got->lines[1].of, size::large);
  EXPECT_FALSE(got->note);
  EXPECT_EQ(got->discount, 0.5);
  const auto more = from_json<new_order>(
      R"({"tags":{"a":255},"discount":0,"note":null,"customer":"A","lines":[{"price":1,"item":"x"}]})");
  ASSERT_TRUE(more) << more.error().message();
  EXPECT_EQ(more->tags, (std::map<std::string, std::uint8_t>{{"a", 255}}));
  EXPECT_EQ(more->discount, 0);
  EXPECT_FALSE(more->note);
}

TEST_F(JsonValues, AreRefusedWithThePathOfEachFault) {
  EXPECT_EQ(faults<new_order>(R"({"customer":"","lines":[{"item":"tea","price":0},{"price":"7","colour":1},3],)"
                              R"("note":"12345","a/b":1,"discount":0.8})"),
            "/customer: it must have at least 1 characters, but has 0\n"
            "/lines/0/price: it must be at least 1, but is 0\n"
            "/lines/1/price: it must be an integer from -2147483648 to 2147483647, but is a string\n"
            "/lines/1/colour: there is no such field here\n"
            "/lines/1/item: it is missing\n"
            "/lines/2: it must be an object, but is 3\n"
            "/note: it must have at most 4 characters, but has 5\n"
            "/a~1b: there is no such field here\n"
            "/discount: it must be at most 0.75, but is 0.8\n");
  EXPECT_EQ(faults<new_order>("[]"), ": it must be an object, but is an array\n");
  EXPECT_EQ(faults<new_order>("{}"), "/customer: it is missing\n/lines: it is missing\n");
  EXPECT_EQ(faults<new_order>(R"({"customer":null,"lines":{},"tags":{"a":256,"b":-1,"c":1.5}})"),
            "/customer: it must be a string, but is null\n"
            "/lines: it must be an array, but is an object\n"
            "/tags/a: it must be an integer from 0 to 255, but is 256\n"
            "/tags/b: it must be an integer from 0 to 255, but is -1\n"
            "/tags/c: it must be an integer from 0 to 255, but is 1.5\n");
  EXPECT_EQ(faults<line>(R"({"item":"x","price":1,"of":"huge"})"),
            "/of: it must be one of 'small', 'large', but is 'huge'\n");
  EXPECT_EQ(faults<line>(R"({"item":"x","price":1,"of":0})"), "/of: it must be one of 'small', 'large', but is 0\n");
}

TEST_F(JsonValues, AreBoundedInHowManyFaultsAreTold) {
  std::string many = "{";
  for (int i = 0; i < 1000; ++i) many += (i ? ",\"" : "\"") + std::to_string(i) + "\":0";
  const auto told = faults<new_order>(many + "}");
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 16);
  EXPECT_EQ(told.find("is missing"), std::string::npos);
}

TEST_F(JsonValues, AreRefusedWithSentencesThatDoNotGrowWithTheirNames) {
  const std::string name(100'000, 'n');
  std::string many = "{\"tags\":{\"" + name + "\":-1},\"" + name + "\":0";
  for (int i = 0; i < 20; ++i) many += ",\"" + name + std::to_string(i) + "\":0";
  EXPECT_LT(faults<new_order>(many + "}").size(), 5'000u);
  const auto twice = faults<new_order>("{\"" + name + "\":{\"" + name + "\":1,\"" + name + "\":2}}");
  EXPECT_NE(twice.find("stands twice"), std::string::npos);
  EXPECT_LT(twice.size(), 1'000u);
}

TEST_F(JsonValues, CountCharactersAndNotBytes) {
  EXPECT_TRUE(from_json<line>("{\"item\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xf0\x9f\x98\x80\",\"price\":1}"));
  EXPECT_FALSE(from_json<line>("{\"item\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\",\"price\":1}"));
}

TEST_F(JsonValues, HoldIntegersExactlyOrNotAtAll) {
  EXPECT_EQ(from_json<std::int64_t>("-9223372036854775808").value(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(from_json<std::uint64_t>("18446744073709551615").value(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(from_json<int>("7.0").value(), 7);
  EXPECT_EQ(from_json<int>("-7e0").value(), -7);
  for (const auto* const text : {"7.5", "1e300", "2147483648", "true", "\"7\"", "null", "[]"})
    EXPECT_FALSE(from_json<int>(text)) << text;
  EXPECT_FALSE(from_json<std::int64_t>("9223372036854775808"));
  EXPECT_EQ(from_json<std::int64_t>("9007199254740993.0").value(), 9007199254740993) << "which a double does not hold";
  EXPECT_EQ(from_json<std::uint64_t>("1844674407370955161.500e+1").value(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(from_json<std::int64_t>("-9.223372036854775808E18").value(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(from_json<int>("-0").value(), 0);
  EXPECT_EQ(from_json<int>("0e99999999999999999999").value(), 0);
  for (const auto* const text : {"4503599627370496.3", "1.00000000000000000001", "1e-400", "1e-99999999999999999999"})
    EXPECT_FALSE(from_json<std::int64_t>(text)) << text << ", which a double rounds";
  EXPECT_FALSE(from_json<std::uint64_t>("1844674407370955161.6e1"));
  EXPECT_FALSE(from_json<std::int64_t>("-9223372036854775809"));
  EXPECT_FALSE(from_json<std::uint64_t>("1e20"));
  EXPECT_FALSE(from_json<std::uint64_t>("18446744073709551616"));
  EXPECT_FALSE(from_json<std::uint64_t>("-1"));
  EXPECT_EQ(from_json<double>("3").value(), 3.0);
  EXPECT_FALSE(from_json<float>("1e39"));
  EXPECT_FALSE(from_json<bool>("1"));
  EXPECT_EQ(from_json<std::vector<bool>>("[true,false]").value(), (std::vector<bool>{true, false}));
}

TEST_F(JsonValues, MayHoldThemselvesAndAnything) {
  const auto t = from_json<tree>(R"({"value":1,"below":[{"value":2},{"value":3,"below":[{"value":4}]}]})");
  ASSERT_TRUE(t) << t.error().message();
  EXPECT_EQ(t->below[1].below[0].value, 4);
  EXPECT_EQ(faults<tree>(R"({"value":1,"below":[{"value":2,"below":[{}]}]})"),
            "/below/0/below/0/value: it is missing\n");
  const auto l = from_json<loose>(R"({"any":{"a":[1,"x"]},"unknown":1,"on":true})");
  ASSERT_TRUE(l);
  EXPECT_EQ(l->any.text, R"({"a":[1,"x"]})");
  for (const auto* const text : {"123456789012345678901234567890", "-9223372036854775809", "1e-400", "[1.0,-0]"})
    EXPECT_EQ(from_json<any_json>(text).value().text, text);
  EXPECT_EQ(json_of(*l).body(), "{\"any\":{\"a\":[1,\"x\"]},\"on\":true}\n");
}

TEST_F(JsonValues, AreWrittenAsTheyAreRead) {
  new_order o{
      .customer = "Ann \"x\"", .lines = {{"tea", 7, size::large}}, .note = {}, .discount = 0.25, .tags = {{"t", 3}}};
  const auto text = json_of(o).body();
  EXPECT_EQ(text,
            R"({"customer":"Ann \"x\"","lines":[{"item":"tea","price":7,"of":"large"}],"discount":0.25,"tags":{"t":3}})"
            "\n");
  const auto back = from_json<new_order>(text);
  ASSERT_TRUE(back);
  EXPECT_EQ(json_of(*back).body(), text);
  EXPECT_EQ(json_of(std::vector<std::optional<int>>{1, std::nullopt}).body(), "[1,null]\n");
  EXPECT_THROW(json_of(line{"x", 1, static_cast<size>(9)}), usage_error);
}

// -- handlers ---------------------------------------------------------------------------------------------

using JsonHandler = Json;

struct book {
  std::vector<new_order> orders;
};

task<result<created<order_taken>>> take_order(new_order what, book& orders) {
  co_await sleep_for(0ms);
  if (what.customer == "twice") co_return error(errc::already_exists, "it was taken");
  orders.orders.push_back(what);
  order_taken taken{.id = orders.orders.size(), .note = what.note};
  co_return created("/orders/" + std::to_string(taken.id), std::move(taken));
}

result<order_taken> show_order(request r, const book& orders) {
  const auto id = r.parameter_as<std::uint64_t>("id");
  if (id > orders.orders.size()) return error(errc::not_found, "there is no order " + std::to_string(id));
  return order_taken{.id = id, .note = {}};
}

constexpr std::string_view good = R"({"customer":"Ann","lines":[{"item":"tea","price":7}]})";

TEST_F(JsonHandler, TakesAndGivesValues) {
  rig r;
  book orders;
  r.front.post("/orders", json_handler(take_order, std::ref(orders)))
      .get("/orders/{id:uint}", supervised(2s, json_handler(show_order, std::cref(orders))));
  r.start();
  auto c = r.connect();
  r.say(c, post_json("/orders", good));
  r.advance(1ms);
  const auto made = r.hear(c);
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.field("Location"), "/orders/1");
  EXPECT_EQ(made.field("Content-Type"), "application/json");
  EXPECT_EQ(made.body, "{\"id\":1}\n");
  ASSERT_EQ(orders.orders.size(), 1u);
  EXPECT_EQ(orders.orders[0].lines[0].price, 7);
  EXPECT_EQ(r.ask(get("/orders/1")).body, "{\"id\":1}\n");
  const auto none = r.ask(get("/orders/2"));
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(none.field("Content-Type"), "application/problem+json");
  EXPECT_EQ(none.body, R"({"title":"Not Found","status":404,"detail":"there is no order 2"})"
                       "\n");
  EXPECT_EQ(r.ask(get("/orders/x")).body, "there is nothing at this path\n");
}

/// One of each form, and what it is answered with.
TEST_F(JsonHandler, MayHaveAnyForm) {
  rig r;
  int calls = 0;
  const auto count = [](int* n) { ++*n; };
  r.front.post("/void", json_handler(count, &calls))
      .post("/later", json_handler(
                          [](int* n) -> task<> {
                            co_await sleep_for(0ms);
                            ++*n;
                          },
                          &calls))
      .post("/sum", json_handler(
                        [](const std::vector<int>& all, int more) {
                          for (const int each : all) more += each;
                          return more;
                        },
                        100))
      .post("/both", json_handler([](request q, std::string what) { return std::string(q.path()) + what; }))
      .post("/response", json_handler([](bool yes) { return text("plain", yes ? 202 : 200); }))
      .post("/fail", json_handler([](int code) -> result<void> {
              if (code == 0) return {};
              return error(static_cast<errc>(code), "why");
            }));
  r.start();
  EXPECT_EQ(r.ask(post("/void", "")).status, 204);
  auto c = r.connect();
  r.say(c, post("/later", ""));
  r.advance(1ms);
  EXPECT_EQ(r.hear(c).status, 204);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(r.ask(post_json("/sum", "[1,2,3]")).body, "106\n");
  EXPECT_EQ(r.ask(post_json("/both", "\"x\"")).body, "\"/bothx\"\n");
  EXPECT_EQ(r.ask(post_json("/response", "true")).status, 202);
  EXPECT_EQ(r.ask(post_json("/fail", "0")).status, 204);
  EXPECT_EQ(r.ask(post_json("/fail", "8")).body, R"({"title":"Unprocessable Content","status":422,"detail":"why"})"
                                                 "\n");
  const auto busy = r.ask(post_json("/fail", "16"));
  EXPECT_EQ(busy.status, 429);
  EXPECT_EQ(busy.field("Retry-After"), "1");
}

TEST_F(JsonHandler, LogsOnceWhatItDoesNotTell) {
  kept_log kept;
  rig r({}, kept.log);
  r.front.post("/fail", json_handler([](int code) -> result<void> { return error(static_cast<errc>(code), "why"); }));
  r.start();
  for (const auto& [code, status, name] :
       std::vector<std::tuple<errc, int, std::string>>{{errc::io, 500, "io"},
                                                       {errc::unsupported, 501, "unsupported"},
                                                       {errc::upstream, 502, "upstream"},
                                                       {errc::full, 503, "full"},
                                                       {errc::timed_out, 504, "timed_out"}}) {
    const auto got = r.ask(post_json("/fail", std::to_string(static_cast<int>(code))));
    EXPECT_EQ(got.status, status);
    EXPECT_EQ(got.body.find("why"), std::string::npos) << got.body;
    const auto lines = kept.lines->take();
    ASSERT_EQ(lines.size(), 1u) << name;
    const auto line = "POST /fail: answered with " + std::to_string(status) + ": " + name + ": why";
    EXPECT_NE(lines[0].find(line), std::string::npos) << lines[0];
  }
  for (const auto code : {errc::parse, errc::not_found, errc::limit}) {
    const auto got = r.ask(post_json("/fail", std::to_string(static_cast<int>(code))));
    EXPECT_NE(got.body.find("\"why\""), std::string::npos) << got.body;
  }
  EXPECT_TRUE(kept.lines->take().empty());
}

task<result<std::string>> ask_another(http::client& web) {
  auto asking = web.get("http://internal-db/quote?token=secret");
  auto got = co_await std::move(asking);
  if (!got) co_return got.error();
  co_return got->take_body();
}

TEST_F(JsonHandler, AnswersWith502ForAnotherServerThatFailed) {
  kept_log kept;
  rig r({}, kept.log);
  http::client web(r.sys, {.retries = 0});
  r.front.get("/quote", json_handler(ask_another, std::ref(web)));
  r.start();
  const auto got = r.ask(get("/quote"));
  EXPECT_EQ(got.status, 502);
  EXPECT_EQ(got.body.find("internal-db"), std::string::npos) << got.body;
  const auto lines = kept.lines->take();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("upstream: cannot GET http://internal-db/quote: cannot connect: internal-db:80: "),
            std::string::npos)
      << lines[0];
}

struct refusal {
  std::string_view body;
  std::string_view type;
  int status;
  std::string_view holds;
};

TEST_F(JsonHandler, IsNotCalledForABodyThatDoesNotFit) {
  rig r;
  book orders;
  r.front.post("/orders", json_handler(take_order, std::ref(orders)));
  r.start();
  const std::string deep(65, '[');
  const std::vector<refusal> all{
      {good, "text/plain", 415, "application/json in UTF-8, but is text/plain"},
      {good, "application/jsonx", 415, ""},
      {good, "text/json", 415, ""},
      {good, "+json", 415, ""},
      {good, "application/json; charset=latin1", 415, ""},
      {"", "application/json", 400, "the body is empty"},
      {"{", "application/json", 400, "line 1, column 2"},
      {"{\n\"a\" 1}", "application/json", 400, "line 2, column 5"},
      {R"({"customer":"a","customer":"b"})", "application/json", 400, "'customer' stands twice"},
      {deep, "application/json", 400, "more than 64 deep"},
      {"\"\x80\"", "application/json", 400, "UTF-8"},
      {"[]", "application/json", 422, R"("errors":[{"pointer":"","detail":"it must be an object, but is an array"}])"},
      {R"({"customer":"a","lines":[{"item":"x","price":0}]})", "application/json", 422,
       R"("errors":[{"pointer":"/lines/0/price","detail":"it must be at least 1, but is 0"}])"},
      {R"({"customer":"a","lines":[],"x":1})", "application/json", 422,
       "at '/lines': it must have at least 1 elements, but has "
       "0, and 1 more"},
  };
  for (const auto& each : all) {
    const auto got = r.ask(post_json("/orders", each.body, each.type));
    EXPECT_EQ(got.status, each.status) << each.body << each.type;
    EXPECT_EQ(got.field("Content-Type"), "application/problem+json") << each.body;
    EXPECT_NE(got.body.find(each.holds), std::string::npos) << got.body;
    EXPECT_TRUE(detail::parse_json(got.body, 8)) << got.body;
  }
  EXPECT_EQ(r.ask(post("/orders", good)).status, 415);
  EXPECT_EQ(r.ask(post("/orders", good)).field("Accept"), "application/json");
  const auto coded = r.ask(post("/orders", good, "Content-Type: application/json\r\nContent-Encoding: gzip\r\n"));
  EXPECT_EQ(coded.status, 415);
  EXPECT_EQ(coded.field("Accept-Encoding"), "identity");
  EXPECT_TRUE(orders.orders.empty());
}

TEST_F(JsonHandler, SaysWhatIsWrongWithTheFieldsOfItsBody) {
  rig r;
  r.front.post("/", json_handler([](int n) { return n; }));
  r.start();
  const std::string json = "Content-Type: application/json\r\n";
  const std::vector<std::pair<std::string, std::string_view>> all{
      {"Content-Type:\r\n", "its Content-Type is empty\""},
      {"", "has no Content-Type\""},
      {json + "Content-Encoding: identity, gzip\r\n", "has gzip\""},
      {json + "Content-Encoding: identity\r\nContent-Encoding: br\r\n", "has br\""},
  };
  for (const auto& [fields, holds] : all) {
    const auto got = r.ask(post("/", "7", fields));
    EXPECT_EQ(got.status, 415) << fields;
    EXPECT_NE(got.body.find(holds), std::string::npos) << fields << got.body;
  }
  for (const auto* const coding : {"", " ", "identity", ",, Identity ,"})
    EXPECT_EQ(r.ask(post("/", "7", json + "Content-Encoding:" + coding + "\r\n")).body, "7\n") << coding;
}

TEST_F(JsonHandler, TakesEverySpellingOfTheType) {
  rig r;
  r.front.post("/", json_handler([](int n) { return n; }));
  r.start();
  for (const auto type :
       {"application/json", "Application/JSON", "application/json ;charset=UTF-8", "application/vnd.x+json",
        "application/json; charset=\"utf-8\"; a=b", "application/json;", "application/json; q"})
    EXPECT_EQ(r.ask(post_json("/", "7", type)).body, "7\n") << type;
}

TEST_F(JsonHandler, HoldsItsBodyToTheLimitOfItsRoute) {
  rig r;
  r.front.post("/", handler(json_handler([](std::string s) { return s; })).body_limit(5));
  r.start();
  EXPECT_EQ(r.ask(post_json("/", "\"abc\"")).body, "\"abc\"\n");
  EXPECT_EQ(r.ask(post_json("/", "\"abcd\"")).status, 413);
}

TEST_F(JsonHandler, AnswersWith500ForAValueThatHasNoText) {
  rig r;
  r.front.get("/", json_handler([] { return std::numeric_limits<double>::quiet_NaN(); }));
  r.start();
  EXPECT_EQ(r.ask(get("/")).status, 500);
}

} // namespace
} // namespace greenroom::http
