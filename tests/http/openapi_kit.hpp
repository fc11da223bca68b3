// What the test of OpenAPI documents checks them with: the rules of OpenAPI 3.1.0 for all that the server emits, and no more than that:
// what it does not know is a fault.
#pragma once

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <greenroom/http/detail/json_value.hpp>

namespace greenroom::http::test {

using detail::json_number;
using detail::json_value;

inline const json_value* find(const json_value& in, const std::vector<std::string_view>& path) {
  const auto* at = &in;
  for (const auto name : path) {
    const auto* const members = std::get_if<json_value::object>(&at->is);
    if (members == nullptr) return nullptr;
    const auto it = std::find_if(members->begin(), members->end(), [name](const auto& m) { return m.name == name; });
    if (it == members->end()) return nullptr;
    at = &it->value;
  }
  return at;
}

class openapi_checker {
public:
  explicit openapi_checker(const json_value& root) : root_(root) {
    members(root, "", {"openapi", "info", "paths", "components"}, {"openapi", "info", "paths"});
    if (text_of(find(root, {"openapi"})) != "3.1.0") fault("", "the version is not 3.1.0");
    if (const auto* const info = find(root, {"info"})) {
      members(*info, "/info", {"title", "version", "description"}, {"title", "version"});
      for (const auto& each : object_of(*info)) string(each.value, "/info/" + each.name);
    }
    if (const auto* const paths = find(root, {"paths"})) check_paths(*paths);
    if (const auto* const components = find(root, {"components"})) check_components(*components);
  }
  std::vector<std::string> faults;

private:
  using names = std::set<std::string_view>;

  void fault(const std::string& at, const std::string& why) { faults.push_back(at + ": " + why); }
  static std::string text_of(const json_value* v) {
    const auto* const s = v == nullptr ? nullptr : std::get_if<std::string>(&v->is);
    return s == nullptr ? "" : *s;
  }
  const json_value::object& object_of(const json_value& v) {
    static const json_value::object none;
    const auto* const o = std::get_if<json_value::object>(&v.is);
    if (o == nullptr) faults.push_back("not an object: " + v.shown());
    return o == nullptr ? none : *o;
  }
  void string(const json_value& v, const std::string& at) {
    if (text_of(&v).empty()) fault(at, "must be a text");
  }
  void members(const json_value& v, const std::string& at, const names& known, const names& required) {
    for (const auto& each : object_of(v)) {
      if (!known.contains(each.name) && !each.name.starts_with("x-"))
        fault(at, "'" + each.name + "' is not known here");
    }
    for (const auto name : required) {
      if (find(v, {name}) == nullptr) fault(at, std::string(name) + " is missing");
    }
  }
  /// Follows "$ref"; returns whether there is one.
  bool reference(const json_value& v, const std::string& at) {
    const auto* const ref = find(v, {"$ref"});
    if (ref == nullptr) return false;
    const auto text = text_of(ref);
    std::vector<std::string_view> path;
    std::string_view left = text;
    if (!left.starts_with("#/")) fault(at, "'" + text + "' leads out of the document");
    for (left.remove_prefix(std::min<std::size_t>(2, left.size())); !left.empty();) {
      path.push_back(left.substr(0, left.find('/')));
      left.remove_prefix(std::min(left.size(), path.back().size() + 1));
    }
    if (find(root_, path) == nullptr) fault(at, "'" + text + "' leads nowhere");
    return true;
  }

  void check_paths(const json_value& paths) {
    std::set<std::string> shapes;
    for (const auto& [path, item] : object_of(paths)) {
      const auto at = "/paths" + path;
      if (!path.starts_with('/')) fault(at, "a path must begin with '/'");
      std::set<std::string> in_path;
      if (!shapes.insert(shape_of(path, in_path)).second) fault(at, "there is an identical path");
      members(item, at, {"parameters", "summary", "get", "put", "post", "delete", "options", "head", "patch", "trace"},
              {});
      std::set<std::string> declared;
      if (const auto* const all = find(item, {"parameters"})) check_parameters(*all, at, declared);
      for (const auto& each : declared) {
        if (!in_path.contains(each)) fault(at, "the parameter '" + each + "' is not in the path");
      }
      for (const auto& each : in_path) {
        if (!declared.contains(each)) fault(at, "the parameter '" + each + "' is not declared");
      }
      for (const auto& each : object_of(item)) {
        if (each.name != "parameters" && !each.name.starts_with("x-"))
          check_operation(each.value, at + "/" + each.name);
      }
    }
  }
  static std::string shape_of(const std::string& path, std::set<std::string>& names_in) {
    std::string shape;
    for (std::size_t i = 0; i < path.size(); ++i) {
      shape += path[i];
      if (path[i] != '{') continue;
      const auto end = path.find('}', i);
      names_in.insert(path.substr(i + 1, end - i - 1));
      i = std::min(end, path.size()) - 1;
    }
    return shape;
  }
  void check_parameters(const json_value& all, const std::string& at, std::set<std::string>& declared) {
    const auto* const list = std::get_if<json_value::array>(&all.is);
    if (list == nullptr) return fault(at, "parameters is no array");
    for (const auto& each : *list) {
      members(each, at, {"name", "in", "required", "schema", "description"}, {"name", "in", "required", "schema"});
      if (text_of(find(each, {"in"})) != "path") fault(at, "only parameters of the path are emitted");
      const auto* const required = find(each, {"required"});
      if (required == nullptr || required->shown() != "true") fault(at, "a parameter of the path must be required");
      if (!declared.insert(text_of(find(each, {"name"}))).second) fault(at, "a parameter is declared twice");
      if (const auto* const s = find(each, {"schema"})) check_schema(*s, at);
    }
  }
  void check_operation(const json_value& o, const std::string& at) {
    members(o, at, {"summary", "requestBody", "responses"}, {"responses"});
    if (const auto* const s = find(o, {"summary"})) string(*s, at);
    if (const auto* const body = find(o, {"requestBody"})) {
      members(*body, at, {"content", "required", "description"}, {"content"});
      if (const auto* const content = find(*body, {"content"})) check_content(*content, at);
    }
    const auto* const responses = find(o, {"responses"});
    if (responses == nullptr) return;
    if (object_of(*responses).empty()) fault(at, "responses must not be empty");
    for (const auto& [status, answer] : object_of(*responses)) {
      const bool number = status.size() == 3 && status[0] >= '1' && status[0] <= '5' &&
                          std::all_of(status.begin(), status.end(), [](unsigned char c) { return std::isdigit(c); });
      if (!number && status != "default") fault(at, "'" + status + "' is no status");
      check_response(answer, at + "/" + status);
    }
  }
  void check_response(const json_value& r, const std::string& at) {
    if (reference(r, at)) return;
    members(r, at, {"description", "headers", "content"}, {"description"});
    if (const auto* const content = find(r, {"content"})) check_content(*content, at);
    if (const auto* const headers = find(r, {"headers"})) {
      for (const auto& [name, header] : object_of(*headers)) {
        members(header, at, {"description", "schema"}, {"schema"});
        if (const auto* const s = find(header, {"schema"})) check_schema(*s, at + "/" + name);
      }
    }
  }
  void check_content(const json_value& content, const std::string& at) {
    for (const auto& [type, media] : object_of(content)) {
      if (type.find('/') == std::string::npos) fault(at, "'" + type + "' is no media type");
      members(media, at, {"schema"}, {"schema"});
      if (const auto* const s = find(media, {"schema"})) check_schema(*s, at);
    }
  }
  void check_schema(const json_value& s, const std::string& at) {
    (void)reference(s, at);
    members(s, at,
            {"$ref", "type", "format", "pattern", "description", "enum", "items", "properties", "required", "anyOf",
             "additionalProperties", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
             "minProperties", "maxProperties"},
            {});
    for (const auto& [name, value] : object_of(s)) check_keyword(name, value, s, at);
  }
  void check_keyword(const std::string& name, const json_value& value, const json_value& in, const std::string& at) {
    static const names types{"string", "number", "integer", "boolean", "array", "object", "null"};
    const auto* const list = std::get_if<json_value::array>(&value.is);
    const auto* const natural = std::get_if<std::int64_t>(&value.is);
    if (name == "type" && !types.contains(text_of(&value))) fault(at, "'" + value.shown() + "' is no type");
    if (name == "format" || name == "pattern" || name == "description") string(value, at + "/" + name);
    if (name == "items") check_schema(value, at + "/items");
    if (name == "properties")
      for (const auto& each : object_of(value)) check_schema(each.value, at + "/" + each.name);
    if (name == "additionalProperties" && !std::holds_alternative<bool>(value.is)) check_schema(value, at + "/*");
    if (name == "anyOf" || name == "enum" || name == "required") {
      if (list == nullptr || list->empty()) return fault(at, name + " must be an array with elements");
      std::set<std::string> seen;
      for (const auto& each : *list) {
        if (name == "anyOf") check_schema(each, at + "/anyOf");
        if (name != "anyOf" && !seen.insert(text_of(&each)).second) fault(at, name + " has an element twice");
        if (name == "required" && find(in, {"properties", text_of(&each)}) == nullptr)
          fault(at, "required names '" + text_of(&each) + "', which is no property");
      }
    }
    const bool number = natural != nullptr || std::holds_alternative<json_number>(value.is) ||
                        std::holds_alternative<std::uint64_t>(value.is);
    if ((name == "minimum" || name == "maximum") && !number) fault(at, name + " must be a number");
    const bool counts =
        name.size() > 7 && (name.starts_with("min") || name.starts_with("max")) && name[3] >= 'A' && name[3] <= 'Z';
    if (counts && (natural == nullptr || *natural < 0)) fault(at, name + " must be a count");
  }
  void check_components(const json_value& components) {
    members(components, "/components", {"schemas", "responses"}, {});
    for (const auto& part : object_of(components)) {
      for (const auto& [name, value] : object_of(part.value)) {
        const auto fine = [](unsigned char c) { return std::isalnum(c) || c == '.' || c == '-' || c == '_'; };
        if (!std::all_of(name.begin(), name.end(), fine)) fault("/components", "'" + name + "' is no name");
        if (part.name == "schemas") check_schema(value, "/components/schemas/" + name);
        if (part.name == "responses") check_response(value, "/components/responses/" + name);
      }
    }
  }

  const json_value& root_;
};

inline std::vector<std::string> openapi_faults(const json_value& document) { return openapi_checker(document).faults; }

} // namespace greenroom::http::test
