// The router against a model that compares a path with every pattern.
#include <greenroom/http/internal/router.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <random>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/tests/http/router_kit.hpp>

namespace greenroom::http::internal::router_model_test {
namespace {

using namespace test;

/// What a pattern or a path is made of, by the slowest means.
std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> segments(1);
  for (const char c : path.substr(1)) {
    if (c == '/') {
      segments.emplace_back();
    } else {
      segments.back() += c;
    }
  }
  return segments;
}

std::optional<std::string> plain(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const auto hex = text.substr(i + 1, 2);
    if (hex.size() < 2 || hex.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos || hex == "00")
      return std::nullopt;
    out += static_cast<char>(std::stoi(hex, nullptr, 16));
    i += 2;
  }
  return out;
}

/// Whether a text is of a type, by the slowest means.
bool is_of(const std::string& type, const std::string& text) {
  static const std::regex uuid("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");
  static const std::regex number("0|-?[1-9][0-9]*");
  static const std::regex slug("[-_a-zA-Z0-9]+");
  if (type == "uuid") return std::regex_match(text, uuid);
  if (type == "slug") return std::regex_match(text, slug);
  if (!std::regex_match(text, number)) return false;
  const bool negative = text[0] == '-';
  if (negative && type == "uint") return false;
  const std::string most = type == "uint" ? "18446744073709551615"
                           : negative     ? "9223372036854775808"
                                          : "9223372036854775807";
  const auto digits = text.substr(negative ? 1 : 0);
  return digits.size() < most.size() || (digits.size() == most.size() && digits <= most);
}

/// Compares a path with every pattern, and takes the one with the best kinds from left to right.
class model {
public:
  struct outcome {
    bool bad = false;
    bool exists = false;
    std::string found;
    std::set<method> methods;
    values parameters;
  };

  /// Returns whether the pattern, which is well-formed, may be added.
  bool add(method m, const std::string& pattern) {
    const auto segments = split(pattern);
    for (const auto& other : patterns_) {
      if (!compatible(segments, split(other.first))) return false;
      if (same(segments, split(other.first)) && other.second == m) return false;
    }
    patterns_.emplace_back(pattern, m);
    return true;
  }

  outcome find(method m, const std::string& path) const {
    outcome out;
    if (!plain(path)) return out.bad = true, out;
    std::string best;
    for (const auto& [pattern, of] : patterns_) {
      const auto got = match(split(pattern), split(path));
      if (!got || (!best.empty() && got->first > best)) continue;
      if (got->first != best) out = {};
      best = got->first;
      out.exists = true;
      out.methods.insert(of);
      if (of == m || (of == method::get && m == method::head && out.found.empty())) {
        out.found = std::string(to_string(of)) + " " + pattern;
        out.parameters = got->second;
      }
    }
    return out;
  }

private:
  /// The order of the characters is the order of the kinds.
  static char kind(const std::string& segment) {
    if (segment.empty() || segment[0] != '{') return '0';
    if (segment.find("...") != std::string::npos) return '6';
    const auto type = type_of(segment);
    if (type.empty()) return '5';
    return type == "uuid" ? '1' : type == "uint" ? '2' : type == "int" ? '3' : '4';
  }
  static std::string type_of(const std::string& segment) {
    const auto colon = segment.find(':');
    return colon == std::string::npos ? "" : segment.substr(colon + 1, segment.size() - colon - 2);
  }
  static std::string name_of(const std::string& segment) { return segment.substr(1, segment.find_first_of(":.}") - 1); }
  static bool same_place(const std::string& a, const std::string& b) {
    return kind(a) == kind(b) && (kind(a) != '0' || plain(a) == plain(b));
  }
  static bool same(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), same_place);
  }
  /// Whether the two call no parameter at the same place by two names.
  static bool compatible(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    for (std::size_t i = 0; i < std::min(a.size(), b.size()) && same_place(a[i], b[i]); ++i) {
      if (kind(a[i]) != '0' && a[i] != b[i]) return false;
    }
    return true;
  }
  static std::optional<std::pair<std::string, values>> match(const std::vector<std::string>& pattern,
                                                             const std::vector<std::string>& path) {
    std::string kinds;
    values got;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      if (i == path.size()) return std::nullopt;
      const auto& p = pattern[i];
      kinds += kind(p);
      if (kind(p) == '6') {
        std::string rest = *plain(path[i]);
        for (auto j = i + 1; j < path.size(); ++j) rest += "/" + *plain(path[j]);
        got.emplace_back(name_of(p), rest);
        return std::pair(kinds, got);
      }
      const auto text = *plain(path[i]);
      if (kind(p) == '0' ? plain(p) != text : text.empty()) return std::nullopt;
      if (kind(p) == '0') continue;
      if (kind(p) != '5' && !is_of(type_of(p), text)) return std::nullopt;
      got.emplace_back(name_of(p), text);
    }
    if (pattern.size() != path.size()) return std::nullopt;
    return std::pair(kinds, got);
  }

  std::vector<std::pair<std::string, method>> patterns_;
};

class generator {
public:
  explicit generator(unsigned seed) : random_(seed) {}

  std::string pattern() {
    std::string text;
    const auto length = 1 + random_() % 4;
    for (std::size_t i = 0; i < length; ++i) {
      text += '/';
      if (i + 1 == length && random_() % 5 == 0) return text + (random_() % 8 ? "{rest...}" : "{tail...}");
      if (random_() % 3 == 0) {
        text += (random_() % 10 ? "{p" : "{q") + std::to_string(i); // now and then a second name
        text += one_of({"}", "}", "}", ":int}", ":uint}", ":slug}", ":uuid}"});
      } else {
        text += one_of({"a", "b", "c", "%61", "a%2Fb", "A", ""});
      }
    }
    return text;
  }
  std::string path() {
    std::string text;
    const auto length = 1 + random_() % 5;
    for (std::size_t i = 0; i < length; ++i) {
      text += '/';
      text += random_() % 60 == 0 ? one_of({"%", "%0", "%00", "a%zz", "%%41"})
                                  : one_of({"a",
                                            "b",
                                            "c",
                                            "a",
                                            "b",
                                            "%61",
                                            "a%2fb",
                                            "A",
                                            "",
                                            "x",
                                            "%C3%A9",
                                            "%25",
                                            "a+b",
                                            "7",
                                            "-7",
                                            "0",
                                            "007",
                                            "-0",
                                            "%37",
                                            "18446744073709551615",
                                            "18446744073709551616",
                                            "-9223372036854775808",
                                            "9223372036854775808",
                                            "a-b_c",
                                            "0F8fad5b-d9cb-469f-a165-70867728950e",
                                            "0F8fad5b-d9cb-469f-a165-70867728950"});
    }
    return text;
  }
  method any_method() {
    static const method all[] = {method::get, method::head, method::post, method("PURGE")};
    return all[random_() % std::size(all)];
  }
  std::size_t below(std::size_t n) { return random_() % n; }

private:
  std::string one_of(std::vector<std::string> from) { return from[random_() % from.size()]; }

  std::mt19937 random_;
};

TEST(Router, AgreesWithAModelThatTriesEveryPattern) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  generator any(seed);
  for (int round = 0; round < 150; ++round) {
    table t;
    model m;
    std::string all;
    for (auto n = any.below(16); n != 0; --n) {
      const auto pattern = any.pattern();
      const auto of = any.any_method();
      all += std::string(to_string(of)) + " " + pattern + "\n";
      ASSERT_EQ(t.fault(pattern, of) == "none", m.add(of, pattern)) << "the last of\n" << all;
    }
    for (int i = 0; i < 150; ++i) {
      const auto path = any.path();
      const auto of = any.any_method();
      SCOPED_TRACE(testing::Message() << to_string(of) << " " << path << " among\n" << all);
      const auto expected = m.find(of, path);
      const auto got = t.find(path, of);
      ASSERT_EQ(got.bad_path, expected.bad);
      ASSERT_EQ(got.path_exists, expected.exists);
      ASSERT_EQ(got.found ? std::string(to_string(got.found->method)) + " " + got.found->pattern : "", expected.found);
      ASSERT_EQ(t.got, expected.parameters);
      for (const auto each : {method::get, method::post, method::put})
        ASSERT_EQ((", " + std::string(got.allow) + ",").find(", " + std::string(to_string(each)) + ",") !=
                      std::string::npos,
                  expected.methods.contains(each));
    }
  }
}

} // namespace
} // namespace greenroom::http::internal::router_model_test
