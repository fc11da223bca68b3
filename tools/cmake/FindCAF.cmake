# Finds the C++ Actor Framework, with the components core, io and openssl.
#
# CAF 0.18 and later install a CMake package, which is preferred. CAF 0.17 as packaged by Debian and
# Ubuntu has none, so headers and libraries are looked up by name and the same targets are made:
#
#   CAF::core  CAF::io  CAF::openssl    CAF_VERSION    CAF_<component>_FOUND
#
# This file is installed beside greenroomConfig.cmake, for the programs that use Greenroom.

if(NOT CAF_FIND_COMPONENTS)
  set(CAF_FIND_COMPONENTS core)
endif()

if(NOT TARGET CAF::core)
  # Without the wanted version, which CMake would hand on: CAF's package accepts only exactly its own. The
  # version and the components are checked below.
  foreach(_caf_part IN ITEMS VERSION VERSION_COMPLETE)
    set(_caf_wanted_${_caf_part} "${CAF_FIND_${_caf_part}}")
    set(CAF_FIND_${_caf_part} "")
  endforeach()
  find_package(CAF CONFIG QUIET)
  foreach(_caf_part IN ITEMS VERSION VERSION_COMPLETE)
    set(CAF_FIND_${_caf_part} "${_caf_wanted_${_caf_part}}")
  endforeach()
endif()

if(TARGET CAF::core) # its own headers, whatever else is installed
  get_target_property(_caf_headers CAF::core INTERFACE_INCLUDE_DIRECTORIES)
  find_path(CAF_INCLUDE_DIR caf/config.hpp PATHS ${_caf_headers} NO_DEFAULT_PATH)
endif()
find_path(CAF_INCLUDE_DIR caf/config.hpp)
mark_as_advanced(CAF_INCLUDE_DIR)
if(CAF_INCLUDE_DIR AND NOT CAF_VERSION)
  # Up to 0.19 config.hpp has one number, "CAF_VERSION 1706" for 0.17.6; 1.x has one macro per part.
  set(_caf_lines "")
  foreach(_caf_header IN ITEMS caf/config.hpp caf/detail/build_config.hpp)
    if(EXISTS "${CAF_INCLUDE_DIR}/${_caf_header}")
      file(STRINGS "${CAF_INCLUDE_DIR}/${_caf_header}" _caf_found REGEX "#[ ]*define CAF_VERSION")
      string(APPEND _caf_lines "${_caf_found};")
    endif()
  endforeach()
  if(_caf_lines MATCHES "CAF_VERSION_MAJOR ([0-9]+)")
    set(CAF_VERSION "${CMAKE_MATCH_1}")
    foreach(_caf_part IN ITEMS MINOR PATCH)
      if(_caf_lines MATCHES "CAF_VERSION_${_caf_part} ([0-9]+)")
        string(APPEND CAF_VERSION ".${CMAKE_MATCH_1}")
      endif()
    endforeach()
  elseif(_caf_lines MATCHES "CAF_VERSION ([0-9]+)")
    math(EXPR _caf_major "${CMAKE_MATCH_1} / 10000")
    math(EXPR _caf_minor "${CMAKE_MATCH_1} / 100 % 100")
    math(EXPR _caf_patch "${CMAKE_MATCH_1} % 100")
    set(CAF_VERSION "${_caf_major}.${_caf_minor}.${_caf_patch}")
  endif()
endif()

find_package(Threads QUIET)
foreach(_caf_component IN LISTS CAF_FIND_COMPONENTS)
  if(NOT TARGET CAF::${_caf_component})
    find_library(CAF_${_caf_component}_LIBRARY caf_${_caf_component})
    mark_as_advanced(CAF_${_caf_component}_LIBRARY)
    if(CAF_INCLUDE_DIR AND CAF_${_caf_component}_LIBRARY)
      add_library(CAF::${_caf_component} UNKNOWN IMPORTED)
      set_target_properties(
        CAF::${_caf_component}
        PROPERTIES IMPORTED_LOCATION "${CAF_${_caf_component}_LIBRARY}"
                   INTERFACE_INCLUDE_DIRECTORIES "${CAF_INCLUDE_DIR}")
      if(_caf_component STREQUAL "core")
        target_link_libraries(CAF::core INTERFACE Threads::Threads)
      else()
        target_link_libraries(CAF::${_caf_component} INTERFACE CAF::core)
      endif()
      if(_caf_component STREQUAL "openssl")
        # Its headers include those of OpenSSL; its library is linked to them already.
        find_package(OpenSSL QUIET)
        if(OPENSSL_FOUND)
          target_link_libraries(CAF::openssl INTERFACE OpenSSL::SSL)
        endif()
      endif()
    endif()
  endif()
  if(TARGET CAF::${_caf_component})
    set(CAF_${_caf_component}_FOUND TRUE)
  else()
    set(CAF_${_caf_component}_FOUND FALSE)
  endif()
endforeach()

# What to do about it, by what there is.
if(NOT CAF_INCLUDE_DIR)
  set(_caf_advice "install the package libcaf-dev (apt-get install libcaf-dev), which is 0.17.6, or set CMAKE_PREFIX_PATH to where \
another version is installed")
elseif(CAF_VERSION VERSION_LESS 0.17.6)
  set(_caf_advice "what was found is ${CAF_VERSION}, in ${CAF_INCLUDE_DIR}: install a later one, or set CMAKE_PREFIX_PATH to where \
one is")
elseif(CAF_VERSION VERSION_LESS 0.18)
  set(_caf_advice "${CAF_VERSION} was found in ${CAF_INCLUDE_DIR}, but not all of its libraries: install the package libcaf-dev, \
which has core, io and openssl")
else()
  set(_caf_advice "${CAF_VERSION} was found in ${CAF_INCLUDE_DIR}, but not all of its libraries: build it with \
CAF_ENABLE_IO_MODULE=ON for io, CAF_ENABLE_OPENSSL_MODULE=ON for openssl")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  CAF
  REQUIRED_VARS CAF_INCLUDE_DIR
  VERSION_VAR CAF_VERSION
  HANDLE_COMPONENTS NAME_MISMATCHED
  REASON_FAILURE_MESSAGE "The C++ Actor Framework 0.17.6 or later is needed: ${_caf_advice}."
)
if(CAF_FOUND AND CAF_VERSION VERSION_GREATER_EQUAL 1.2 AND NOT CAF_FIND_QUIETLY)
  message(STATUS "CAF ${CAF_VERSION} is newer than what Greenroom is tested with: 0.17.6, 0.18.7 and 1.1")
endif()
