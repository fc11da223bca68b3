#include <greenroom/actors/internal/toml_reader.hpp>

#if GREENROOM_HAS_TOML

#include <algorithm>

#include <fmt/format.h>

#include <greenroom/runtime/detail/duration_text.hpp>

namespace greenroom::internal {

std::string alternatives(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    text += i == 0 ? "" : i + 1 == names.size() ? " or " : ", ";
    text += names[i];
  }
  return text;
}

void toml_reader::fault(const toml::node& at, const std::string& sentence) {
  const auto& where = at.source().begin;
  faults_.emplace(std::pair(where.line, where.column), sentence);
}

error toml_reader::all_faults() const {
  std::string text;
  for (const auto& [where, sentence] : faults_) {
    text += fmt::format("{}{}:{}:{}: {}", text.empty() ? "" : "\n", file_, where.first, where.second, sentence);
  }
  return error(errc::parse, std::move(text));
}

void toml_reader::only_known(const toml::table& in, std::initializer_list<const char*> known) {
  for (const auto& [key, value] : in) {
    if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
    std::string list;
    for (const auto* const k : known) list += (list.empty() ? "" : ", ") + std::string(k);
    fault(value, fmt::format("'{}' is not known here; there are {}", key.str(), list));
  }
}

const toml::table* toml_reader::table(const toml::table& in, const char* key) {
  const auto* const value = in.get(key);
  if (value == nullptr || value->is_table()) return value == nullptr ? nullptr : value->as_table();
  fault(*value, fmt::format("{0} is no table: write [{0}], or {0} = {{ ... }}", key));
  return nullptr;
}

std::optional<std::string> toml_reader::text(const toml::table& in, const char* key) {
  const auto* const value = in.get(key);
  if (value == nullptr) return std::nullopt;
  if (auto found = value->value_exact<std::string>()) return found;
  fault(*value, fmt::format("{} must be a text, in quotes", key));
  return std::nullopt;
}

std::vector<placed<std::string>> toml_reader::texts(const toml::table& in, const char* key) {
  std::vector<placed<std::string>> all;
  const auto* const value = in.get(key);
  if (value == nullptr) return all;
  const auto* const list = value->as_array();
  if (list == nullptr) fault(*value, fmt::format("{} must be a list of texts: {} = [\"...\"]", key, key));
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const auto& one = (*list)[i];
    if (auto found = one.value_exact<std::string>()) {
      all.push_back({&one, *std::move(found)});
    } else {
      fault(one, fmt::format("{} must be a list of texts, each in quotes", key));
    }
  }
  return all;
}

std::optional<std::int64_t> toml_reader::whole(const toml::table& in, const char* key, std::int64_t least,
                                               std::int64_t most) {
  const auto* const value = in.get(key);
  if (value == nullptr) return std::nullopt;
  const auto found = value->value_exact<std::int64_t>();
  if (found && *found >= least && *found <= most) return found;
  fault(*value, fmt::format("{} must be a whole number from {} to {}", key, least, most));
  return std::nullopt;
}

std::optional<double> toml_reader::number(const toml::table& in, const char* key) {
  const auto* const value = in.get(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) return value->value<double>();
  fault(*value, fmt::format("{} must be a number", key));
  return std::nullopt;
}

std::optional<duration> toml_reader::time(const toml::table& in, const char* key) {
  const auto* const value = in.get(key);
  if (value == nullptr) return std::nullopt;
  const auto given = value->value_exact<std::string>();
  if (const auto found = given ? detail::parse_duration(*given) : std::nullopt)
    return detail::saturating_nanoseconds(*found);
  fault(*value, fmt::format("{} must be {}, in quotes", key, detail::duration_form));
  return std::nullopt;
}

bool toml_reader::flag(const toml::table& in, const char* key) {
  const auto* const value = in.get(key);
  if (value == nullptr) return false;
  if (const auto found = value->value_exact<bool>()) return *found;
  fault(*value, fmt::format("{} must be true or false", key));
  return false;
}

std::optional<std::size_t> toml_reader::one_of(const toml::table& in, const char* key,
                                               const std::vector<std::string>& names) {
  const auto given = text(in, key);
  if (!given) return std::nullopt;
  const auto found = std::find(names.begin(), names.end(), *given);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  fault(*in.get(key), fmt::format("{} must be {}, not '{}'", key, alternatives(names), *given));
  return std::nullopt;
}

std::vector<std::pair<std::string, placed<const toml::table*>>> toml_reader::tables(const toml::table& in,
                                                                                    const char* key) {
  std::vector<std::pair<std::string, placed<const toml::table*>>> all;
  const auto* const listed = table(in, key);
  if (listed == nullptr) return all;
  for (const auto& [name, value] : *listed) {
    if (value.is_table()) {
      all.push_back({std::string(name.str()), {&value, value.as_table()}});
    } else {
      fault(value, fmt::format("{0}.{1} is no table: write [{0}.{1}]", key, name.str()));
    }
  }
  const auto place = [](const auto& one) {
    const auto& at = one.second.at->source().begin;
    return std::pair(at.line, at.column);
  };
  std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
  return all;
}

} // namespace greenroom::internal

#endif
