#include <greenroom/actors/wire.hpp>

#include <fmt/format.h>

namespace greenroom {

result<void> compare_wire_types(const wire_type& ours, const wire_type& theirs) {
  if (ours == theirs) return {};
  const auto differ = [](std::string_view what, const auto& here, const auto& there) {
    return error(errc::type_mismatch, fmt::format("{} differ: {} here, {} there; build both sides from one "
                                                  "description, and raise wire_version where the meaning changes",
                                                  what, here, there));
  };
  if (ours.name != theirs.name) return differ("the types", ours.name, theirs.name);
  if (ours.version != theirs.version) return differ("the versions of " + ours.name, ours.version, theirs.version);
  return differ("the fields of " + ours.name, ours.layout, theirs.layout);
}

} // namespace greenroom
