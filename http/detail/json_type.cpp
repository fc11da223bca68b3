#include <greenroom/http/detail/json_type.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

#include <fmt/format.h>

#include <greenroom/http/detail/json_object.hpp>
#include <greenroom/http/internal/utf8.hpp>
#include <greenroom/runtime/detail/type_name.hpp>

namespace greenroom::http::detail {
namespace {

class bool_type final : public typed_json<bool> {
  void read_value(const json_value& from, bool& to, json_faults& faults) const override {
    const auto* const b = std::get_if<bool>(&from.is);
    if (b == nullptr) return faults.must_be("true or false", from);
    to = *b;
  }
  void write_value(const bool& from, json_writer& out) const override { out.boolean(from); }
  void describe(json_writer& out, json_components&) const override { out.key("type").text("boolean"); }
};

class string_type final : public typed_json<std::string> {
  void read_value(const json_value& from, std::string& to, json_faults& faults) const override {
    const auto* const s = std::get_if<std::string>(&from.is);
    if (s == nullptr) return faults.must_be("a string", from);
    to = *s;
  }
  void write_value(const std::string& from, json_writer& out) const override { out.text(from); }
  void describe(json_writer& out, json_components&) const override { out.key("type").text("string"); }
};

/// "1234" and -2 for 12.34: the digits without zeros in front and behind, and the power of ten that they are times of.
struct decimal {
  std::string digits;
  std::int64_t power = 0;
};

decimal decimal_of(std::string_view number) {
  if (number.starts_with('-')) number.remove_prefix(1);
  const auto e = number.find_first_of("eE");
  const auto mantissa = number.substr(0, e);
  const auto point = mantissa.find('.');
  decimal d{std::string(mantissa.substr(0, point)), 0};
  if (point != mantissa.npos) {
    const auto fraction = mantissa.substr(point + 1);
    d.digits += fraction;
    d.power = -static_cast<std::int64_t>(fraction.size());
  }
  const auto behind = d.digits.find_last_not_of('0') + 1; // 0 if there are only zeros
  d.power += static_cast<std::int64_t>(d.digits.size() - behind);
  d.digits.resize(behind);
  d.digits.erase(0, d.digits.find_first_not_of('0'));
  if (e == number.npos) return d;
  auto exponent = number.substr(e + 1);
  if (exponent.starts_with('+')) exponent.remove_prefix(1);
  std::int64_t shift = 0;
  const auto read = std::from_chars(exponent.data(), exponent.data() + exponent.size(), shift);
  constexpr std::int64_t far = std::int64_t{1} << 62; // farther than a text has digits
  if (read.ec != std::errc()) shift = exponent.starts_with('-') ? -far : far;
  d.power += std::clamp(shift, -far, far);
  return d;
}

/// The value as an integer, if it is one: 64 bits with a sign, or the upper half without. By its digits, since a double has rounded 4503599627370496.3.
std::optional<json_value> integer_in(const json_value& from) {
  if (std::holds_alternative<std::int64_t>(from.is) || std::holds_alternative<std::uint64_t>(from.is)) return from;
  const auto* const n = std::get_if<json_number>(&from.is);
  if (n == nullptr) return std::nullopt;
  auto [digits, power] = decimal_of(n->text);
  if (digits.empty()) return json_value{std::int64_t{0}};
  constexpr std::int64_t longest = 20; // digits of 2^64
  if (power < 0 || power > longest || digits.size() > static_cast<std::size_t>(longest - power)) return std::nullopt;
  digits.append(static_cast<std::size_t>(power), '0');
  if (n->text.starts_with('-')) digits.insert(digits.begin(), '-');
  const auto* const end = digits.data() + digits.size();
  std::int64_t with_sign = 0;
  if (std::from_chars(digits.data(), end, with_sign).ec == std::errc()) return json_value{with_sign};
  std::uint64_t without = 0;
  const auto read = std::from_chars(digits.data(), end, without);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return json_value{without};
}

/// "shop.new_order" for "shop::(anonymous namespace)::new_order", of the characters that a component may be called by.
std::string component_name(std::string_view of) {
  constexpr std::string_view unnamed = "(anonymous namespace)::";
  std::string name;
  for (std::size_t i = 0; i < of.size();) {
    const auto left = of.substr(i);
    const char c = left.front();
    if (left.starts_with(unnamed)) {
      i += unnamed.size();
    } else if (left.starts_with("::")) {
      name += '.';
      i += 2;
    } else {
      const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      name += fine ? c : '_';
      ++i;
    }
  }
  return name;
}

} // namespace

json_type::~json_type() = default;

void json_type::define(json_writer& out, json_components& named) const { describe(out, named); }

void json_faults::add(std::string why) {
  if (!full()) all.push_back({shortened(at_), std::move(why)});
}

void json_faults::must_be(std::string_view what, const json_value& found) {
  add(fmt::format("it must be {}, but is {}", what, found.shown()));
}

void json_components::refer(json_writer& out, std::string_view name, const json_type& to) {
  const auto [it, is_new] = known_.try_emplace(std::string(name), &to);
  if (is_new) order_.emplace_back(it->first, &to);
  if (it->second->of != to.of) {
    throw usage_error(fmt::format("http::server::openapi: the types {} and {} are both called '{}'; give one of them "
                                  "another name in its describe()",
                                  greenroom::detail::type_name(it->second->of), greenroom::detail::type_name(to.of),
                                  name));
  }
  out.key("$ref").text(fmt::format("#/components/schemas/{}", name));
}

void json_components::define_all(json_writer& out) {
  for (std::size_t i = 0; i < order_.size(); ++i) { // which grows while types refer to others
    const auto [name, type] = order_[i];
    out.key(name).open_object();
    type->define(out, *this);
    out.close_object();
  }
}

const json_type& bool_json() noexcept {
  static const bool_type it;
  return it;
}

const json_type& string_json() noexcept {
  static const string_type it;
  return it;
}

std::optional<std::int64_t> read_signed(const json_value& from, std::int64_t least, std::int64_t most,
                                        json_faults& faults) {
  const auto found = integer_in(from);
  const auto* const n = found ? std::get_if<std::int64_t>(&found->is) : nullptr;
  if (n != nullptr && *n >= least && *n <= most) return *n;
  faults.must_be(fmt::format("an integer from {} to {}", least, most), from);
  return std::nullopt;
}

std::optional<std::uint64_t> read_unsigned(const json_value& from, std::uint64_t most, json_faults& faults) {
  const auto found = integer_in(from);
  if (found) {
    const auto* const large = std::get_if<std::uint64_t>(&found->is);
    const auto* const n = std::get_if<std::int64_t>(&found->is);
    if (large != nullptr && *large <= most) return *large;
    if (n != nullptr && *n >= 0 && static_cast<std::uint64_t>(*n) <= most) return static_cast<std::uint64_t>(*n);
  }
  faults.must_be(fmt::format("an integer from 0 to {}", most), from);
  return std::nullopt;
}

std::optional<double> read_real(const json_value& from, double most, json_faults& faults) {
  std::optional<double> n;
  if (const auto* const d = std::get_if<json_number>(&from.is)) n = d->value();
  if (const auto* const i = std::get_if<std::int64_t>(&from.is)) n = static_cast<double>(*i);
  if (const auto* const u = std::get_if<std::uint64_t>(&from.is)) n = static_cast<double>(*u);
  if (n && std::fabs(*n) <= most) return n;
  faults.must_be(n ? fmt::format("a number of at most {}", most) : "a number", from);
  return std::nullopt;
}

void describe_signed(json_writer& out, std::int64_t least, std::int64_t most) {
  using limits = std::numeric_limits<std::int64_t>;
  out.key("type").text("integer");
  if (least == limits::min() && most == limits::max()) {
    out.key("format").text("int64");
  } else {
    out.key("minimum").number(least).key("maximum").number(most);
  }
}

void describe_unsigned(json_writer& out, std::uint64_t least, std::uint64_t most) {
  out.key("type").text("integer").key("minimum").number(least).key("maximum").number(most);
}

// -- objects --------------------------------------------------------------------------------------------

json_field::~json_field() = default;

void json_field::describe(json_writer& out, json_components& named) const {
  out.key(name).open_object();
  describe_type(out, named);
  if (!description.empty()) out.key("description").text(description);
  out.close_object();
}

json_shape::json_shape(const std::type_info& of) : name(component_name(greenroom::detail::type_name(of))) {}

void json_shape::read(const json_value& from, void* to, json_faults& faults) const {
  const auto* const members = std::get_if<json_value::object>(&from.is);
  if (members == nullptr) return faults.must_be("an object", from);
  std::vector<bool> seen(fields.size());
  for (const auto& member : *members) {
    if (faults.full()) return;
    const json_faults::step here(faults, member.name);
    std::size_t i = 0;
    while (i < fields.size() && fields[i]->name != member.name) ++i;
    if (i < fields.size()) {
      seen[i] = true;
      fields[i]->read(member.value, to, faults);
    } else if (!ignores_unknown) {
      faults.add("there is no such field here");
    }
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (seen[i] || !fields[i]->required) continue;
    const json_faults::step here(faults, fields[i]->name);
    faults.add("it is missing");
  }
}

void json_shape::write(const void* from, json_writer& out) const {
  out.open_object();
  for (const auto& each : fields) each->write(from, out);
  out.close_object();
}

void json_shape::define(json_writer& out, json_components& named) const {
  out.key("type").text("object");
  if (!description.empty()) out.key("description").text(description);
  out.key("properties").open_object();
  for (const auto& each : fields) each->describe(out, named);
  out.close_object();
  bool any = false;
  for (const auto& each : fields) {
    if (!each->required) continue;
    if (!std::exchange(any, true)) out.key("required").open_array();
    out.text(each->name);
  }
  if (any) out.close_array();
  if (!ignores_unknown) out.key("additionalProperties").boolean(false);
}

void json_shape::add(std::unique_ptr<json_field> made) {
  for (const auto& each : fields) {
    if (each->name == made->name)
      throw usage_error(fmt::format("http::schema of {}: it has two fields called '{}'", name, made->name));
  }
  fields.push_back(std::move(made));
}

std::size_t characters(std::string_view text) noexcept { return internal::utf8_count(text); }

std::string out_of_range(std::string_view bound, const std::string& limit, const std::string& found,
                         std::string_view of) {
  if (of.empty()) return fmt::format("it must be {} {}, but is {}", bound, limit, found);
  return fmt::format("it must have {} {} {}, but has {}", bound, limit, of, found);
}

std::string text_of_number(std::int64_t n) { return fmt::format("{}", n); }
std::string text_of_number(std::uint64_t n) { return fmt::format("{}", n); }
std::string text_of_number(double n) { return fmt::format("{}", n); }

// -- enumerations ---------------------------------------------------------------------------------------

std::optional<std::int64_t> json_names::value_of(const json_value& from, json_faults& faults) const {
  if (const auto* const text = std::get_if<std::string>(&from.is)) {
    for (const auto& [name, value] : all) {
      if (name == *text) return value;
    }
  }
  std::string known;
  for (const auto& [name, value] : all) known += (known.empty() ? "'" : ", '") + name + "'";
  const auto* const text = std::get_if<std::string>(&from.is);
  const bool show = text != nullptr && text->size() <= 40;
  faults.add(fmt::format("it must be one of {}, but is {}", known, show ? "'" + *text + "'" : from.shown()));
  return std::nullopt;
}

const std::string& json_names::name_of(std::int64_t value) const {
  for (const auto& each : all) {
    if (each.second == value) return each.first;
  }
  throw usage_error(fmt::format("http::schema: a value of an enumeration has no name: {}", value));
}

void json_names::describe(json_writer& out) const {
  out.key("type").text("string").key("enum").open_array();
  for (const auto& each : all) out.text(each.first);
  out.close_array();
}

} // namespace greenroom::http::detail
