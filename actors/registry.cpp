#include <greenroom/actors/registry.hpp>

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>

#include <fmt/format.h>

#include <greenroom/runtime/detail/same_type.hpp>

namespace greenroom {
namespace {

std::string type_name(std::type_index type) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(type.name(), nullptr, nullptr, &status),
                                                    std::free);
  return status == 0 ? name.get() : type.name();
}

/// Counts the single-character edits between two names (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row.back();
}

std::string adder_of(const detail::registry_entry& entry) {
  if (entry.added_by == 0) return "from outside actors";
  return fmt::format("by actor {} '{}'", entry.added_by, entry.added_by_name);
}

} // namespace

detail::registry_entry::~registry_entry() = default;

struct registry::table {
  std::mutex mutex;
  std::map<std::string, entry_pointer, std::less<>> names; // guarded by mutex, as is purge_at
  std::size_t purge_at = 16;

  /// Forgets what has ended, now and then: the work is in proportion to the additions, and so is the garbage to what lives.
  void purge_locked() {
    if (names.size() < purge_at) return;
    std::erase_if(names, [](const auto& entry) { return !entry.second->alive(); });
    purge_at = std::max<std::size_t>(16, 2 * names.size());
  }
};

registry::registry() : table_(std::make_shared<table>()) {}

result<void> registry::add_entry(std::string name, entry_pointer entry) {
  if (name.empty()) return error(errc::invalid_argument, "registry: add: the name is empty");
  if (!entry->alive()) {
    return error(errc::closed,
                 fmt::format("registry: add '{}': the {} has ended already", name, type_name(entry->type)));
  }
  if (detail::this_turn.cell != nullptr) {
    entry->added_by = this_actor::id();
    entry->added_by_name = this_actor::name();
  }
  entry_pointer holder;
  {
    std::lock_guard guard(table_->mutex);
    table_->purge_locked();
    auto& place = table_->names[name];
    if (place == nullptr || !place->alive()) {
      place = std::move(entry);
      return {};
    }
    holder = place;
  }
  return error(errc::already_exists,
               fmt::format("registry: add '{}': the name is held by a {} that was added {}; remove it first, or choose "
                           "another name",
                           name, type_name(holder->type), adder_of(*holder)));
}

result<registry::entry_pointer> registry::find_entry(std::string_view name, std::type_index type) const {
  entry_pointer entry;
  {
    std::lock_guard guard(table_->mutex);
    const auto found = table_->names.find(name);
    if (found != table_->names.end()) entry = found->second;
  }
  if (entry == nullptr || !entry->alive()) return no_such_name(name);
  if (detail::same_type(entry->type, type)) return entry;
  return error(errc::type_mismatch,
               fmt::format("registry: find '{}': it is a {}, not a {}", name, type_name(entry->type), type_name(type)));
}

error registry::no_such_name(std::string_view name) const {
  std::string nearest;
  auto least = std::size_t(-1);
  for (const auto& there : list()) {
    if (const auto d = distance(name, there.name); d < least) {
      least = d;
      nearest = fmt::format("; the nearest is '{}', a {}", there.name, there.type);
    }
  }
  if (nearest.empty()) nearest = "; the registry is empty";
  return {errc::not_found, fmt::format("registry: find '{}': there is no such name{}", name, nearest)};
}

bool registry::remove(std::string_view name) {
  entry_pointer old; // destroyed after the lock is released
  std::lock_guard guard(table_->mutex);
  const auto found = table_->names.find(name);
  if (found == table_->names.end()) return false;
  old = std::move(found->second);
  table_->names.erase(found);
  return old->alive();
}

std::vector<registered_name> registry::list() const {
  std::vector<registered_name> all;
  std::lock_guard guard(table_->mutex);
  for (const auto& [name, entry] : table_->names) {
    if (entry->alive()) all.push_back({name, type_name(entry->type), entry->added_by});
  }
  return all;
}

} // namespace greenroom
