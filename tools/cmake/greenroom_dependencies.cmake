# What the libraries need. The same list, for users of the installed package: greenroomConfig.cmake.in.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(CAF 0.17.6 REQUIRED COMPONENTS core)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
if(GREENROOM_TESTS OR GREENROOM_TOOLS) # what our parsers are compared with, and a peer of the benchmarks
  find_package(Boost 1.74 REQUIRED)
endif()

# Gives `target` toml++ and the definition GREENROOM_HAS_TOML, or says why not. Sets GREENROOM_HAS_TOML.
function(greenroom_use_toml target)
  set(GREENROOM_HAS_TOML OFF PARENT_SCOPE)
  find_path(GREENROOM_TOML_INCLUDE_DIR toml++/toml.h)
  mark_as_advanced(GREENROOM_TOML_INCLUDE_DIR)
  if(NOT GREENROOM_TOML_INCLUDE_DIR)
    find_package(PkgConfig QUIET)
    if(PkgConfig_FOUND)
      pkg_check_modules(GREENROOM_TOMLPLUSPLUS QUIET tomlplusplus)
      find_path(GREENROOM_TOML_INCLUDE_DIR toml++/toml.h
                HINTS ${GREENROOM_TOMLPLUSPLUS_INCLUDE_DIRS})
    endif()
  endif()
  if(NOT GREENROOM_TOML_INCLUDE_DIR)
    message(STATUS "toml++ not found: options cannot be read from TOML files "
                   "(install libtomlplusplus-dev, or set GREENROOM_TOML=OFF to silence this)")
    return()
  endif()
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    return()
  endif()
  # Header-only use, so that users of the static libraries need no toml++ to link.
  target_include_directories(${target} SYSTEM PRIVATE "${GREENROOM_TOML_INCLUDE_DIR}")
  target_compile_definitions(${target} PRIVATE GREENROOM_HAS_TOML=1)
  set(GREENROOM_HAS_TOML ON PARENT_SCOPE)
endfunction()

# Gives `target` nlohmann-json and the definition GREENROOM_HAS_JSON, or says why not. Sets GREENROOM_HAS_JSON.
function(greenroom_use_json target)
  set(GREENROOM_HAS_JSON OFF PARENT_SCOPE)
  find_path(GREENROOM_JSON_INCLUDE_DIR nlohmann/json.hpp)
  mark_as_advanced(GREENROOM_JSON_INCLUDE_DIR)
  if(NOT GREENROOM_JSON_INCLUDE_DIR)
    message(STATUS "nlohmann-json not found: handlers cannot read JSON "
                   "(install nlohmann-json3-dev, or set GREENROOM_JSON=OFF to silence this)")
    return()
  endif()
  # Header-only, and in one source: who uses the library does not need it.
  target_include_directories(${target} SYSTEM PRIVATE "${GREENROOM_JSON_INCLUDE_DIR}")
  target_compile_definitions(${target} PRIVATE GREENROOM_HAS_JSON=1)
  set(GREENROOM_HAS_JSON ON PARENT_SCOPE)
endfunction()

# greenroom_use(<target> <NAME> PACKAGE <package> [version] LINK <its target> INSTALL <Debian's package> WITHOUT <what is missing>)
#
# Gives `target` the library of the option GREENROOM_<NAME> and the definition GREENROOM_HAS_<NAME>, or says why not. Sets
# GREENROOM_HAS_<NAME>, for the tests, and GREENROOM_PACKAGE_NEEDS_<NAME>: who links a static library links that one too, so the
# installed package (greenroomConfig.cmake.in, greenroom_pkgconfig.cmake) looks for it.
function(greenroom_use target name)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "LINK;INSTALL;WITHOUT" "PACKAGE")
  set(GREENROOM_HAS_${name} OFF PARENT_SCOPE)
  find_package(${arg_PACKAGE} QUIET)
  if(NOT TARGET ${arg_LINK})
    message(STATUS "${arg_LINK} not found: ${arg_WITHOUT} "
                   "(install ${arg_INSTALL}, or set GREENROOM_${name}=OFF to silence this)")
    return()
  endif()
  target_link_libraries(${target} PRIVATE ${arg_LINK})
  target_compile_definitions(${target} PRIVATE GREENROOM_HAS_${name}=1)
  set(GREENROOM_HAS_${name} ON PARENT_SCOPE)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "STATIC_LIBRARY")
    set(GREENROOM_PACKAGE_NEEDS_${name} ON PARENT_SCOPE)
  endif()
endfunction()
