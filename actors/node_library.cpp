#include <greenroom/actors/node_library.hpp>

#include <charconv>

#include <fmt/format.h>

namespace greenroom {

std::string node_settings::text(const std::string& key, std::string otherwise) const {
  const auto at = values.find(key);
  return at == values.end() ? std::move(otherwise) : at->second;
}

std::int64_t node_settings::number(const std::string& key, std::int64_t otherwise) const {
  const auto at = values.find(key);
  if (at == values.end()) return otherwise;
  std::int64_t n = 0;
  const auto& text = at->second;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (problem == std::errc() && end == text.data() + text.size()) return n;
  throw usage_error(fmt::format("setting {} must be a whole number, not '{}'", key, text));
}

namespace {

[[noreturn]] void refuse_name(const char* kind, const std::string& name, const std::string& first,
                              const std::string& second) {
  const auto place = [](const std::string& from) { return from.empty() ? std::string("the program") : from; };
  throw usage_error(
      first == second
          ? fmt::format("node_library: {} has two {}s '{}': name each of them differently", place(first), kind, name)
          : fmt::format("node_library: both {} and {} have a {} '{}': name each of them differently", place(first),
                        place(second), kind, name));
}

} // namespace

node_library& node_library::add_maker(const std::string& name, maker m) {
  const auto [at, is_new] = functions_.emplace(name, function{std::move(m), from_});
  if (!is_new) refuse_name("function", name, at->second.from, from_);
  return *this;
}

node_library& node_library::add_key_maker(const std::string& name, const std::type_info& of,
                                          detail::junction_maker make) {
  const auto [at, is_new] = keys_.emplace(name, key_function{&of, std::move(make), from_});
  if (!is_new) refuse_name("key", name, at->second.from, from_);
  return *this;
}

} // namespace greenroom
