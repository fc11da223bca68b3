#include <greenroom/http/json.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/problem.hpp>
#include <greenroom/runtime/actor.hpp>
#include <greenroom/runtime/actor_system.hpp>

namespace greenroom::http::detail {
namespace {

// More than any sane document; reading and freeing go as deep.
constexpr std::size_t most_depth = 64;

/// Takes the next parameter off "; charset=utf-8; q=1".
std::pair<std::string_view, std::string_view> next_parameter(std::string_view& left) {
  left.remove_prefix(std::min(left.size(), left.find_first_not_of("; \t")));
  const auto one = left.substr(0, left.find(';'));
  left.remove_prefix(one.size());
  const auto equals = one.find('=');
  if (equals == one.npos) return {internal::trimmed(one), {}};
  auto value = internal::trimmed(one.substr(equals + 1));
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
  return {internal::trimmed(one.substr(0, equals)), value};
}

bool is_json(std::string_view content_type) {
  const auto type = internal::trimmed(content_type.substr(0, content_type.find(';')));
  constexpr std::size_t suffix = 5; // "+json"
  const bool same = internal::same_word(type, "application/json") ||
                    (type.size() > suffix && internal::same_word(type.substr(type.size() - suffix), "+json"));
  if (!same) return false;
  for (auto left = content_type.substr(std::min(content_type.size(), content_type.find(';'))); !left.empty();) {
    const auto [name, value] = next_parameter(left);
    if (internal::same_word(name, "charset") && !internal::same_word(value, "utf-8")) return false;
  }
  return true;
}

/// Returns the first coding that is one, of all fields; nothing if there is none. An empty field names none.
std::optional<std::string_view> coding_of(const request& r) {
  std::optional<std::string_view> first;
  for (const auto& f : r.headers()) {
    if (!internal::same_word(f.name, "content-encoding")) continue;
    internal::for_each_element(f.value, [&first](std::string_view coding) {
      if (!first && !internal::same_word(coding, "identity")) first = coding;
    });
  }
  return first;
}

std::optional<response> refuse_type(const request& r) {
  const auto type = r.header("Content-Type");
  if (!type || !is_json(*type)) {
    auto why = fmt::format("the body must be application/json in UTF-8, but is {}", shortened(type.value_or("")));
    if (!type) why = "the body must be application/json, but has no Content-Type";
    if (type && type->empty()) why = "the body must be application/json, but its Content-Type is empty";
    auto answer = problem(415, why);
    return answer.header("Accept", "application/json");
  }
  const auto coding = coding_of(r);
  if (!coding) return std::nullopt;
  auto answer = problem(415, fmt::format("the body must have no content coding, but has {}", shortened(*coding)));
  return answer.header("Accept-Encoding", "identity");
}

class any_type final : public typed_json<any_json> {
  void read_value(const json_value& from, any_json& to, json_faults&) const override {
    to.text = json_writer().value(from).str();
  }
  void write_value(const any_json& from, json_writer& out) const override { out.raw(from.text); }
  void describe(json_writer&, json_components&) const override {} // the empty schema takes all
};

} // namespace

const json_type& any_json_type() noexcept {
  static const any_type it;
  return it;
}

result<void> read_json(std::string_view text, const json_type& type, void* to) {
  const auto document = parse_json(text, most_depth);
  if (!document) return document.error();
  json_faults faults;
  type.read(*document, to, faults);
  if (faults.all.empty()) return {};
  const auto& first = faults.all.front();
  return error(errc::invalid_argument,
               fmt::format("the JSON text does not fit: at '{}': {}", first.pointer, first.why));
}

std::optional<response> read_json_body(const request& r, const json_type& type, void* to) {
  if (auto refusal = refuse_type(r)) return refusal;
  if (r.body().empty()) return problem(400, "the body is empty, but a JSON document was expected");
  const auto document = parse_json(r.body(), most_depth);
  if (!document) return problem(400, fmt::format("the body is no JSON: {}", document.error().message()));
  json_faults faults;
  type.read(*document, to, faults);
  if (faults.all.empty()) return std::nullopt;
  std::vector<document_fault> told;
  for (auto& each : faults.all) told.push_back({std::move(each.pointer), std::move(each.why)});
  const auto& first = told.front();
  return problem(422,
                 fmt::format("the document does not fit: at '{}': {}{}", first.pointer, first.detail,
                             told.size() > 1 ? fmt::format(", and {} more", told.size() - 1) : ""),
                 told);
}

response json_response(int status, const json_type& type, const void* value) {
  json_writer out;
  type.write(value, out);
  return json(std::move(out).str() + "\n", status); // people ask by curl, too
}

response json_failure(const error& why) {
  auto answer = problem(why);
  if (answer.status() >= 500)
    this_actor::system().log().error("{}: answered with {}: {}: {}", this_actor::name(), answer.status(),
                                     to_string(why.code()), why.message());
  return answer;
}

void check_json_build() {
  if (!can_parse_json()) throw usage_error(std::string(parse_json("", 1).error().message()));
}

} // namespace greenroom::http::detail
