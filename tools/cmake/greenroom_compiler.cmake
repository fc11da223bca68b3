# How the project's own code is compiled: language, warnings, visibility, sanitizers, compiler cache.

if(NOT CMAKE_CXX_STANDARD) # 23 works, too
  set(CMAKE_CXX_STANDARD 20)
endif()
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(GREENROOM_CCACHE ccache)
  mark_as_advanced(GREENROOM_CCACHE)
  if(GREENROOM_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${GREENROOM_CCACHE}")
  endif()
endif()

# g++ 11 knows C++20 coroutines without a flag, but needs -fcoroutines before C++20 is its default.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 11)
  message(FATAL_ERROR "Greenroom needs g++ 11 or later (found ${CMAKE_CXX_COMPILER_VERSION}): "
                      "set CMAKE_CXX_COMPILER to a later one")
endif()

# Warnings and sanitizers for every target of the project: link it PRIVATE. It is not exported.
add_library(greenroom_build_flags INTERFACE)
target_compile_options(
  greenroom_build_flags
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Wshadow
            -Wconversion
            -Wnon-virtual-dtor
            -Woverloaded-virtual
            # __FILE__ and std::source_location name greenroom/runtime/..., not the build machine's folders.
            -fmacro-prefix-map=${PROJECT_BINARY_DIR}/include/=
            -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=greenroom/)
# g++ warns of a type with a member from an unnamed namespace unless it stands in the file that is compiled,
# which in a unity build is none of ours.
add_library(greenroom_unity_flags INTERFACE)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(greenroom_unity_flags INTERFACE -Wno-subobject-linkage)
endif()
if(CMAKE_UNITY_BUILD)
  target_link_libraries(greenroom_build_flags INTERFACE greenroom_unity_flags)
endif()
if(GREENROOM_WERROR)
  target_compile_options(greenroom_build_flags INTERFACE -Werror)
endif()

# How much longer a test may take than in a plain build.
set(GREENROOM_TEST_SLOWDOWN 1)
if(GREENROOM_SANITIZE)
  set(flags "-fsanitize=${GREENROOM_SANITIZE}" -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_compile_options(greenroom_build_flags INTERFACE ${flags})
  target_link_options(greenroom_build_flags INTERFACE ${flags})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # The sanitizers' checks hide from g++ that a variable is set: the manual of -Wmaybe-uninitialized
    # says that the two together warn falsely.
    target_compile_options(greenroom_build_flags INTERFACE -Wno-maybe-uninitialized)
  endif()
  if(GREENROOM_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ warns of each std::atomic_thread_fence, which the sanitizer does not take for an ordering of
    # plain memory. Ours stand between atomic accesses only, where nothing false is reported.
    target_compile_options(greenroom_build_flags INTERFACE -Wno-tsan)
  endif()
  set(GREENROOM_TEST_SLOWDOWN 3)
endif()

# Takes back some of greenroom_build_flags: link it after that. For programs that run once for each time that they are compiled: g++ needs longer to
# optimize what the sanitizers add to them, and to check each of their pointers for null and alignment, than they need to run.
add_library(greenroom_program_flags INTERFACE)
if(GREENROOM_SANITIZE MATCHES "undefined")
  target_compile_options(greenroom_program_flags INTERFACE -O0 -fno-sanitize=null,alignment)
endif()

# For targets that spawn CAF's own actors. CAF 0.17 dereferences a null pointer to an empty tuple where a
# function without arguments is spawned (caf/detail/init_fun_factory.hpp), which is harmless but reported.
add_library(greenroom_caf_flags INTERFACE)
if(GREENROOM_SANITIZE MATCHES "undefined")
  target_compile_options(greenroom_caf_flags INTERFACE -fno-sanitize=null)
endif()
# CAF 1.0 still has what they are written in, that of 0.17, but calls it deprecated.
if(CAF_VERSION VERSION_GREATER_EQUAL 1.0)
  target_compile_options(greenroom_caf_flags INTERFACE -Wno-deprecated-declarations)
endif()
