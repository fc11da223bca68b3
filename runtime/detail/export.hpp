// Marks what a compiled source of the library offers to programs.
//
// The libraries are built with hidden symbols, so a function, class or variable that is declared in a
// public header and defined in a source file needs the mark, or a shared build does not link:
//
//   class GREENROOM_EXPORT actor_system { ... };
//   [[nodiscard]] GREENROOM_EXPORT result<options> read_options(std::string_view path);
//
// Exceptions need it too, or a program cannot catch what a shared library throws. Templates and inline
// functions do not. Standard attributes stand before the mark, and the mark before the return type.
//
// Thread safety: nothing here runs.
#pragma once

#if __cplusplus < 202002L
#error "Greenroom needs C++20: compile with -std=c++20 or later"
#endif

// One meaning for building and for using, static and shared: on ELF systems the same visibility serves all.
#if defined(__GNUC__) || defined(__clang__)
/// Marks what a shared library exports.
#define GREENROOM_EXPORT __attribute__((visibility("default")))
#else
#define GREENROOM_EXPORT
#endif
