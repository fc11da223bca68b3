// What nodes read: values and frames from bytes of a stranger. What is taken is written as the same bytes, or where a map puts its keys in order as bytes that
// say the same; what is refused is refused in one sentence; and nothing grows beyond some times its input. An input is bytes, and which type.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include <greenroom/actors/internal/node_parts.hpp>
#include <greenroom/actors/wire.hpp>
#include <greenroom/tests/fuzz/fuzz.hpp>

namespace greenroom::fuzz {

enum class colour : std::uint8_t { red, green };
struct nothing {};
struct branch {
  std::string name;
  std::vector<branch> below;
};
/// One of each kind that has one form only.
struct plain {
  bool yes = false;
  std::int16_t small = 0;
  std::uint64_t large = 0;
  double real = 0;
  colour paint = colour::red;
  std::optional<std::string> note;
  std::vector<std::pair<std::string, std::int32_t>> lines;
  std::variant<std::monostate, std::string, std::int16_t, nothing> extra;
  std::array<std::uint8_t, 3> three{};
  std::tuple<bool, std::string> pair;
  std::chrono::milliseconds limit{};
};
struct keyed {
  std::map<std::string, std::vector<std::string>> names;
  std::set<std::int16_t> numbers;
};

template <class Inspector>
bool inspect(Inspector& f, nothing& x) {
  return f.object(x).fields();
}
template <class Inspector>
bool inspect(Inspector& f, branch& x) {
  return f.object(x).fields(f.field("name", x.name), f.field("below", x.below));
}
template <class Inspector>
bool inspect(Inspector& f, plain& x) {
  return f.object(x).fields(f.field("yes", x.yes), f.field("small", x.small), f.field("large", x.large),
                            f.field("real", x.real), f.field("paint", x.paint), f.field("note", x.note),
                            f.field("lines", x.lines), f.field("extra", x.extra), f.field("three", x.three),
                            f.field("pair", x.pair), f.field("limit", x.limit));
}
template <class Inspector>
bool inspect(Inspector& f, keyed& x) {
  return f.object(x).fields(f.field("names", x.names), f.field("numbers", x.numbers));
}

namespace {

void require_refused_well(const error& why) {
  require(why.is(errc::parse), "what cannot be read is a parse error");
  const auto text = why.message();
  require(text.starts_with("cannot read ") && text.find(" from bytes: ") != text.npos, "the type is named");
  require(std::none_of(text.begin(), text.end(), is_control), "a refusal is one sentence");
}

/// `exact`: the value has one form only.
template <class T>
void require_carried(std::string_view bytes, bool exact) {
  const auto value = wire_decode<T>(bytes);
  if (!value) return require_refused_well(value.error());
  const auto again = wire_encode(*value);
  require(again.size() == bytes.size(), "what is written is as long as what was read");
  if (exact) return require_same(again, bytes, "what is written is what was read");
  const auto second = wire_decode<T>(again);
  require(second.has_value(), "what is written can be read");
  require_same(wire_encode(*second), again, "and is the same");
}

} // namespace
} // namespace greenroom::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace greenroom;
  using namespace greenroom::fuzz;
  input from(data, size);
  switch (from.choice() % 4) {
  case 0: require_carried<internal::node_frame>(from.text(), true); break;
  case 1: require_carried<plain>(from.text(), true); break;
  case 2: require_carried<branch>(from.text(), true); break;
  default: require_carried<keyed>(from.text(), false); break;
  }
  return 0;
}
