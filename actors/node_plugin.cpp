#include <greenroom/actors/node_plugin.hpp>

#include <string_view>

#include <dlfcn.h>

#include <fmt/format.h>

#include <greenroom/actors/internal/library_file.hpp>

namespace greenroom {

namespace detail {
constexpr char one_runtime = 0;
}

namespace {

constexpr const char* exported_name = "greenroom_node_plugin";

/// Links a library to the program. It is never taken out again: actors, types and texts of it may be anywhere.
result<void*> link_library(const std::filesystem::path& file) {
  if (const auto whole = internal::check_library_file(file); !whole) return whole.error();
  const auto path = std::filesystem::absolute(file).native(); // one without a slash would be looked for in other places
  void* const linked = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (linked != nullptr) return linked;
  std::string why = ::dlerror();
  if (why.starts_with(path + ": ")) why.erase(0, path.size() + 2);
  const bool is_missing = why.find("undefined symbol") != why.npos;
  return error(errc::io, is_missing ? why + ": if that is Greenroom's, the program does not export it: in CMake "
                                            "greenroom_host_nodes(program)"
                                    : why);
}

/// Says what keeps a library from working with this program, if anything does.
result<void> check(const detail::node_plugin& plugin) {
  if (std::string_view(plugin.built_for) != detail::build_facts) {
    return error(errc::unsupported, fmt::format("it was built for {}, and this program is {}: build it anew",
                                                plugin.built_for, detail::build_facts));
  }
  if (plugin.record_sizes != detail::record_sizes) {
    return error(
        errc::unsupported,
        fmt::format("it was built with other headers of the same version, {}: build it anew", plugin.built_for));
  }
  if (plugin.runtime != &detail::one_runtime) {
    return error(errc::unsupported,
                 "it contains a Greenroom of its own: do not link it to one, in CMake greenroom_add_node_library()");
  }
  return {};
}

} // namespace

result<void> node_library::load(const std::filesystem::path& library) {
  const auto fail = [&library](errc code, std::string_view why) {
    return error(code, fmt::format("cannot load the nodes of {}: {}", library.native(), why));
  };
  const auto linked = link_library(library);
  if (!linked) return fail(linked.error().code(), linked.error().message());
  using entrance = const detail::node_plugin* (*)() noexcept;
  const auto enter = reinterpret_cast<entrance>(::dlsym(*linked, exported_name));
  if (enter == nullptr) {
    return fail(errc::unsupported,
                "it registers no nodes: write GREENROOM_NODES(library) { ... } in one of its sources");
  }
  const auto& plugin = *enter();
  if (const auto ok = check(plugin); !ok) return fail(ok.error().code(), ok.error().message());
  auto more = *this; // so that one that fails leaves nothing behind
  if (!more.loaded_.emplace(&plugin, library.native()).second) return {};
  more.from_ = library.native();
  try {
    plugin.add(more);
  } catch (const usage_error& e) {
    return fail(errc::already_exists, e.what());
  } catch (const std::exception& e) {
    return fail(errc::failed, fmt::format("its registration failed: {}", e.what()));
  } catch (...) {
    return fail(errc::failed, "its registration threw something that is no std::exception");
  }
  more.from_.clear();
  *this = std::move(more);
  return {};
}

} // namespace greenroom
