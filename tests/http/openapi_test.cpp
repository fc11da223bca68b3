// The document that a server gives of its routes, against the rules of its structure.
#include <greenroom/http/openapi.hpp>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <greenroom/http/json.hpp>
#include <greenroom/tests/http/http_kit.hpp>
#include <greenroom/tests/http/openapi_kit.hpp>

namespace greenroom::http {
namespace catalogue {

enum class kind { tool, part };

struct article {
  std::uint64_t number = 0;
  std::string name;
  kind is = kind::tool;
  std::optional<double> weight;
  std::vector<article> parts;
  std::map<std::string, std::int32_t> stock;
  any_json more;
};
struct other {
  int n = 0;
};

void describe(schema<kind>& s) { s.value("tool", kind::tool).value("part", kind::part); }
void describe(schema<article>& s) {
  s.says("what is sold");
  s.field("number", &article::number).at_most(99);
  s.field("name", &article::name).between(1, 40).says("as on the label");
  s.field("is", &article::is);
  s.field("weight", &article::weight).at_least(0.5);
  s.field("parts", &article::parts).optional().at_most(9);
  s.field("stock", &article::stock).optional();
  s.field("more", &article::more).optional();
}
void describe(schema<other>& s) {
  s.name("catalogue.article").ignore_unknown();
  s.field("n", &other::n);
}

} // namespace catalogue

namespace {

using namespace test;
using catalogue::article;

result<created<article>> make(article a) { return created("/articles/1", std::move(a)); }
result<article> show(request) { return article(); }
result<void> remove(request) { return {}; }
response plain() { return text("x"); }
response serve(std::string document) { return json(std::move(document)); }

void add_routes(server& to) {
  routes articles;
  articles.post("", handler(json_handler(make)).summary("Adds an \"article\""))
      .get("/{number:uint}", json_handler(show))
      .delete_("/{number:uint}", json_handler(remove))
      .get("/{name:slug}/pictures/{picture:uuid}", plain)
      .get("/{name}", plain)
      .get("/files/{path...}", plain);
  to.mount("/v1/articles", articles)
      .get("/", plain)
      .get("/at/{x:int}/{any}", plain)
      .route(method::connect, "/odd", plain)
      .route(method("PURGE"), "/odd", plain);
  to.get("/caf\xc3\xa9%7B", plain);
}

std::string at(const detail::json_value& document, std::vector<std::string_view> path) {
  const auto* const v = find(document, path);
  return v == nullptr ? "none" : detail::json_writer().value(*v).str();
}

class OpenApi : public testing::Test {
protected:
  void SetUp() override {
    if (!detail::can_parse_json()) GTEST_SKIP() << "built without nlohmann-json";
  }
};

TEST_F(OpenApi, FollowsTheRulesOfItsStructure) {
  rig r;
  add_routes(r.front);
  const auto document = detail::parse_json(r.front.openapi({"Shop", "1.2", "All of it"}), 64);
  ASSERT_TRUE(document) << document.error().message();
  for (const auto& fault : openapi_faults(*document)) ADD_FAILURE() << fault;
  rig empty;
  const auto least = detail::parse_json(empty.front.openapi({"Nothing", "0"}), 64);
  ASSERT_TRUE(least);
  for (const auto& fault : openapi_faults(*least)) ADD_FAILURE() << fault;
}

TEST_F(OpenApi, NamesPathsWithTheirParametersAndTypes) {
  rig r;
  add_routes(r.front);
  const auto d = detail::parse_json(r.front.openapi({"Shop", "1.2"}), 64).value();
  EXPECT_EQ(at(d, {"info"}), R"({"title":"Shop","version":"1.2"})");
  std::vector<std::string> paths;
  for (const auto& each : std::get<detail::json_value::object>(find(d, {"paths"})->is)) paths.push_back(each.name);
  EXPECT_EQ(paths, (std::vector<std::string>{"/", "/at/{x}/{any}", "/caf%C3%A9%7B", "/odd", "/v1/articles",
                                             "/v1/articles/files/{path}", "/v1/articles/{number}",
                                             "/v1/articles/{name}/pictures/{picture}"}));
  EXPECT_EQ(
      at(d, {"paths", "/v1/articles/{number}", "parameters"}),
      R"([{"name":"number","in":"path","required":true,"schema":{"type":"integer","format":"uint64","minimum":0}}])");
  EXPECT_EQ(at(d, {"paths", "/v1/articles/{number}", "x-also"}), R"(["/v1/articles/{name}"])");
  EXPECT_EQ(at(d, {"paths", "/at/{x}/{any}", "parameters"}),
            R"([{"name":"x","in":"path","required":true,"schema":{"type":"integer","format":"int64"}},)"
            R"({"name":"any","in":"path","required":true,"schema":{"type":"string","minLength":1}}])");
  EXPECT_EQ(at(d, {"paths", "/odd"}), "{}");
}

TEST_F(OpenApi, TellsWhatHandlersOfValuesTakeAndGive) {
  rig r;
  add_routes(r.front);
  const auto d = detail::parse_json(r.front.openapi({"Shop", "1.2"}), 64).value();
  const std::string content =
      R"({"application/json":{"schema":{"$ref":"#/components/schemas/greenroom.http.catalogue.article"}}})";
  const std::vector<std::string_view> post{"paths", "/v1/articles", "post"};
  const auto of_post = [&](std::vector<std::string_view> more) {
    auto path = post;
    path.insert(path.end(), more.begin(), more.end());
    return at(d, path);
  };
  EXPECT_EQ(of_post({"summary"}), R"("Adds an \"article\"")");
  EXPECT_EQ(of_post({"requestBody", "content"}), content);
  EXPECT_EQ(of_post({"responses", "201", "content"}), content);
  EXPECT_NE(of_post({"responses", "201", "headers", "Location"}), "none");
  for (const auto status : {"400", "404", "413", "415", "422", "503", "default"})
    EXPECT_NE(of_post({"responses", status}), "none") << status;
  const std::vector<std::string_view> one{"paths", "/v1/articles/{number}"};
  EXPECT_EQ(at(d, {one[0], one[1], "get", "responses", "200", "content"}), content);
  EXPECT_EQ(at(d, {one[0], one[1], "get", "requestBody"}), "none");
  EXPECT_EQ(at(d, {one[0], one[1], "get", "responses", "400"}), "none");
  EXPECT_EQ(at(d, {one[0], one[1], "delete", "responses", "204"}), R"({"description":"it was done"})");
  EXPECT_EQ(at(d, {"paths", "/", "get", "responses", "default"}), R"({"description":"what the handler answers"})");
  EXPECT_EQ(at(d, {"paths", "/", "get", "responses", "404"}), "none");
}

TEST_F(OpenApi, GivesTheSchemaOfEachType) {
  rig r;
  add_routes(r.front);
  const auto d = detail::parse_json(r.front.openapi({"Shop", "1.2"}), 64).value();
  EXPECT_EQ(
      at(d, {"components", "schemas", "greenroom.http.catalogue.article"}),
      R"({"type":"object","description":"what is sold","properties":{)"
      R"("number":{"type":"integer","minimum":0,"maximum":99},)"
      R"("name":{"type":"string","minLength":1,"maxLength":40,"description":"as on the label"},)"
      R"("is":{"type":"string","enum":["tool","part"]},)"
      R"("weight":{"anyOf":[{"type":"number"},{"type":"null"}],"minimum":0.5},)"
      R"("parts":{"type":"array","items":{"$ref":"#/components/schemas/greenroom.http.catalogue.article"},"maxItems":9},)"
      R"("stock":{"type":"object","additionalProperties":{"type":"integer","minimum":-2147483648,"maximum":2147483647}},)"
      R"("more":{}},"required":["number","name","is"],"additionalProperties":false})");
}

TEST_F(OpenApi, RefusesTwoTypesOfOneName) {
  rig r;
  routes both;
  both.get("/a", json_handler([] { return article(); })).get("/b", json_handler([] { return catalogue::other(); }));
  r.front.mount("/", both).get("/c", plain);
  rig renamed;
  renamed.front.get("/b", json_handler([] { return catalogue::other(); }));
  EXPECT_NE(renamed.front.openapi({"x", "1"}).find(R"("catalogue.article":{"type":"object")"), std::string::npos);
  EXPECT_NO_THROW(r.front.openapi({"x", "1"})) << "greenroom.http.catalogue.article is another name";
  struct twin {
    static void clash(detail::json_components& named, const detail::json_type& type) {
      detail::json_writer out;
      named.refer(out.open_object(), "same", type);
    }
  };
  detail::json_components named;
  twin::clash(named, detail::bool_json());
  twin::clash(named, detail::bool_json());
  EXPECT_THROW(twin::clash(named, detail::string_json()), usage_error);
}

TEST_F(OpenApi, CanBeServed) {
  rig r;
  add_routes(r.front);
  r.front.get("/openapi.json", serve, r.front.openapi({"Shop", "1.2"}));
  r.start();
  const auto got = r.ask(get("/openapi.json"));
  EXPECT_EQ(got.field("Content-Type"), "application/json");
  const auto document = detail::parse_json(got.body, 64);
  ASSERT_TRUE(document);
  EXPECT_TRUE(openapi_faults(*document).empty());
}

// -- the checker itself -----------------------------------------------------------------------------------

TEST_F(OpenApi, IsCheckedForWhatMustNotBe) {
  const std::string head = R"({"openapi":"3.1.0","info":{"title":"x","version":"1"},)";
  const std::string answer = R"("responses":{"200":{"description":"x"}})";
  const std::vector<std::pair<std::string, std::string_view>> wrong{
      {R"({"openapi":"3.0.0","info":{"title":"x","version":"1"},"paths":{}})", "version"},
      {R"({"openapi":"3.1.0","info":{"title":"x"},"paths":{}})", "info"},
      {head + R"("paths":{"x":{}}})", "begin with"},
      {head + R"("paths":{"/{a}":{"get":{)" + answer + "}}}}", "not declared"},
      {head + R"("paths":{"/":{"parameters":[{"name":"a","in":"path","required":true,"schema":{}}]}}})",
       "not in the path"},
      {head + R"("paths":{"/{a}":{"parameters":[{"name":"a","in":"path","schema":{}}]}}})", "required"},
      {head + R"("paths":{"/{a}":{},"/{b}":{}}})", "identical"},
      {head + R"("paths":{"/":{"fetch":{)" + answer + "}}}}", "fetch"},
      {head + R"("paths":{"/":{"get":{}}}})", "responses"},
      {head + R"("paths":{"/":{"get":{"responses":{}}}}})", "responses"},
      {head + R"("paths":{"/":{"get":{"responses":{"20":{"description":"x"}}}}}})", "status"},
      {head + R"("paths":{"/":{"get":{"responses":{"200":{}}}}}})", "description"},
      {head + R"("paths":{"/":{"get":{"responses":{"200":{"$ref":"#/components/responses/X"}}}}}})", "leads nowhere"},
      {head + R"("components":{"schemas":{"X":{"type":"int"}}},"paths":{}})", "type"},
      {head + R"("components":{"schemas":{"X":{"types":"string"}}},"paths":{}})", "types"},
      {head + R"("components":{"schemas":{"X":{"minimum":"1"}}},"paths":{}})", "minimum"},
      {head + R"("components":{"schemas":{"X":{"required":["a","a"]}}},"paths":{}})", "required"},
      {head + R"("components":{"schemas":{"X":{"properties":{},"required":["a"]}}},"paths":{}})", "required"},
      {head + R"("components":{"schemas":{"a b":{}}},"paths":{}})", "name"},
      {head + R"("paths":{},"extra":1})", "extra"},
  };
  for (const auto& [text, holds] : wrong) {
    const auto document = detail::parse_json(text, 64);
    ASSERT_TRUE(document) << text;
    std::string all;
    for (const auto& each : openapi_faults(*document)) all += each + "\n";
    EXPECT_NE(all.find(holds), std::string::npos) << text << "\n" << all;
  }
}

} // namespace
} // namespace greenroom::http
