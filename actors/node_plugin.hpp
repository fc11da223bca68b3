// Libraries of nodes: functions for graph files that are compiled apart from the program that runs them.
//
//   // shop_nodes.cpp, in CMake greenroom_add_node_library(shop_nodes shop_nodes.cpp)
//   GREENROOM_NODES(library) { library.add("price", price).add("book", book); }
//
// node_library::load(), the key `libraries` of a graph file, or `greenroom run --nodes` loads it. There is one copy of Greenroom in a
// process: such a library is not linked to it, but finds it in the program, which contains all of it: in CMake greenroom_host_nodes(program).
// It must be built for the same version and by the same compiler; another one is refused. Types of items that several libraries, or the program,
// share stand in a header, in a named namespace.
// Thread safety: the registration runs on the thread that loads. Lifetime: the library stays with the process.
#pragma once

#include <cstddef>

#include <greenroom/actors/node_library.hpp>
#include <greenroom/runtime/detail/export.hpp>
#include <greenroom/runtime/version.hpp>

namespace greenroom::detail {

#define GREENROOM_DETAIL_TEXT_OF(x) #x
#define GREENROOM_DETAIL_TEXT(x) GREENROOM_DETAIL_TEXT_OF(x)

#if defined(__SANITIZE_THREAD__)
#define GREENROOM_DETAIL_SANITIZER ", thread sanitizer"
#elif defined(__SANITIZE_ADDRESS__)
#define GREENROOM_DETAIL_SANITIZER ", address sanitizer"
#else
#define GREENROOM_DETAIL_SANITIZER ""
#endif

#if defined(__clang__)
#define GREENROOM_DETAIL_COMPILER "clang++ " GREENROOM_DETAIL_TEXT(__clang_major__)
#else
#define GREENROOM_DETAIL_COMPILER "g++ " GREENROOM_DETAIL_TEXT(__GNUC__)
#endif

#if defined(_GLIBCXX_DEBUG)
#define GREENROOM_DETAIL_STRINGS GREENROOM_DETAIL_TEXT(_GLIBCXX_USE_CXX11_ABI) ", _GLIBCXX_DEBUG"
#else
#define GREENROOM_DETAIL_STRINGS GREENROOM_DETAIL_TEXT(_GLIBCXX_USE_CXX11_ABI)
#endif

/// What must be the same in a program and in the libraries that it loads.
inline constexpr char build_facts[] =
    "greenroom " GREENROOM_VERSION ", " GREENROOM_DETAIL_COMPILER ", C++ ABI " GREENROOM_DETAIL_TEXT(
        __GXX_ABI_VERSION) ", C++11 strings " GREENROOM_DETAIL_STRINGS GREENROOM_DETAIL_SANITIZER;

/// Differs between builds of the same version whose records differ, which is common while a version is written.
inline constexpr std::size_t record_sizes =
    ((sizeof(node_record) * 1'021 + sizeof(port_record)) * 1'021 + sizeof(node_library)) * 1'021 +
    sizeof(mailbox_base) * 31 + sizeof(actor_cell);

/// Is where the program has it, in every library that has no copy of its own.
extern GREENROOM_EXPORT const char one_runtime;

/// What a library of nodes exports. The text comes first, so that any version can read it.
struct node_plugin {
  const char* built_for;
  std::size_t record_sizes;
  const void* runtime;
  void (*add)(node_library& library);
};

} // namespace greenroom::detail

/// Begins the function that registers the nodes of a library: `GREENROOM_NODES(library) { library.add("price", price); }`. Once in each.
#define GREENROOM_NODES(library)                                                                                       \
  static void greenroom_add_nodes(::greenroom::node_library& library);                                                 \
  extern "C" GREENROOM_EXPORT const ::greenroom::detail::node_plugin* greenroom_node_plugin() noexcept {               \
    static const ::greenroom::detail::node_plugin self{::greenroom::detail::build_facts,                               \
                                                       ::greenroom::detail::record_sizes,                              \
                                                       &::greenroom::detail::one_runtime, &greenroom_add_nodes};       \
    return &self;                                                                                                      \
  }                                                                                                                    \
  static void greenroom_add_nodes(::greenroom::node_library& library)
