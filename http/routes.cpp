#include <greenroom/http/routes.hpp>

#include <iterator>

#include <fmt/format.h>

#include <greenroom/http/internal/route_pattern.hpp>

namespace greenroom::http {
namespace {

std::string join(std::string_view prefix, std::string_view pattern) {
  if (prefix != "/") return std::string(prefix).append(pattern);
  return std::string(pattern.empty() ? prefix : pattern);
}

void check_prefix(std::string_view prefix, std::string_view whole) {
  if (prefix.empty() || prefix.front() != '/')
    internal::refuse_pattern(whole, fmt::format("the prefix '{}' must begin with '/'", prefix));
  if (prefix.size() > 1 && prefix.back() == '/')
    internal::refuse_pattern(
        whole,
        fmt::format("the prefix '{}' must not end with '/', since what comes behind it begins with one", prefix));
}

} // namespace

std::vector<detail::route_entry> detail::mounted(std::string_view prefix, std::vector<route_entry> entries,
                                                 const middleware_list& around) {
  check_prefix(prefix, entries.empty() ? std::string(prefix) : join(prefix, entries.front().pattern));
  (void)internal::parse_pattern(join(prefix, "/")); // also for a group without routes
  for (auto& each : entries) {
    each.pattern = join(prefix, each.pattern);
    (void)internal::parse_pattern(each.pattern);
    each.around.insert(each.around.begin(), around.begin(), around.end());
  }
  return entries;
}

routes& routes::route(method m, std::string_view pattern, handler h) {
  if (!pattern.empty()) (void)internal::parse_pattern(pattern);
  entries_.push_back({m, std::string(pattern), std::move(h), around_});
  return *this;
}

routes& routes::use(middleware m) {
  around_.push_back(std::move(m.call));
  return *this;
}

routes& routes::mount(std::string_view prefix, routes group) {
  auto added = detail::mounted(prefix, std::move(group).entries(), around_);
  entries_.insert(entries_.end(), std::make_move_iterator(added.begin()), std::make_move_iterator(added.end()));
  return *this;
}

} // namespace greenroom::http
