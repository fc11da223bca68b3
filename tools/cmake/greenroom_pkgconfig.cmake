# Files of pkg-config: greenroom-runtime, -actors, -http, -testkit, and greenroom, which is all but the last:
#
#   g++ main.cpp $(pkg-config --cflags --libs greenroom)
#
# They are found from their own place, so an installed tree may be moved. Where Greenroom is shared, its libraries bring along what they need; where it is
# static, there is nothing else to link, so what it needs stands in Requires and Libs, not in their private forms, which count with --static only.

# CAF 0.17 has no file of its own.
get_target_property(caf_headers CAF::core INTERFACE_INCLUDE_DIRECTORIES)
set(caf_flags "")
set(caf_libs "-lcaf_core")
if(caf_headers AND NOT caf_headers IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
  list(TRANSFORM caf_headers PREPEND "-I" OUTPUT_VARIABLE caf_flags)
  list(JOIN caf_flags " " caf_flags)
endif()
if(CAF_core_LIBRARY)
  get_filename_component(caf_folder "${CAF_core_LIBRARY}" DIRECTORY)
  if(NOT caf_folder IN_LIST CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES)
    set(caf_libs "-L${caf_folder} -lcaf_core")
  endif()
endif()

set(pc_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
file(RELATIVE_PATH pc_up "/${pc_dir}" "/")
string(REGEX REPLACE "/$" "" pc_up "${pc_up}")

# greenroom_add_pc(<name> <what it is> REQUIRES... LIBS... CFLAGS...)
function(greenroom_add_pc name description)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "REQUIRES;LIBS;CFLAGS")
  list(JOIN arg_REQUIRES ", " requires)
  list(JOIN arg_LIBS " " libs)
  list(JOIN arg_CFLAGS " " cflags)
  file(
    CONFIGURE
    OUTPUT "${PROJECT_BINARY_DIR}/${name}.pc"
    CONTENT [[
prefix=${pcfiledir}/@pc_up@
includedir=${prefix}/@CMAKE_INSTALL_INCLUDEDIR@
libdir=${prefix}/@CMAKE_INSTALL_LIBDIR@

Name: @name@
Description: @description@
Version: @PROJECT_VERSION@
Requires: @requires@
Libs: @libs@
Cflags: @cflags@
]]
    @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${name}.pc" DESTINATION "${pc_dir}")
endfunction()

# What pkg-config calls the libraries that static parts need; date has no file for it.
set(pc_of_SPDLOG spdlog)
set(pc_of_TLS "openssl >= 3.0")
set(pc_of_SQLITE "sqlite3 >= 3.38")
set(pc_of_POSTGRES "libpq >= 14")
set(pc_of_ZLIB zlib)
set(needs_of_runtime SPDLOG TLS)
set(needs_of_actors SQLITE POSTGRES)
set(needs_of_http ZLIB)

set(below "")
foreach(part IN LISTS GREENROOM_LIBRARIES)
  set(requires ${below})
  foreach(need IN LISTS needs_of_${part})
    if(GREENROOM_PACKAGE_NEEDS_${need})
      list(APPEND requires "${pc_of_${need}}")
    endif()
  endforeach()
  set(libs "-L\${libdir}" -lgreenroom_${part})
  set(cflags "-I\${includedir}")
  if(part STREQUAL "runtime")
    list(APPEND requires fmt)
    list(APPEND libs ${caf_libs} -pthread)
    list(APPEND cflags ${caf_flags} -std=c++20 -pthread)
  elseif(part STREQUAL "actors")
    if(GREENROOM_PACKAGE_NEEDS_TIME_ZONES)
      list(APPEND libs -ldate-tz)
    endif()
    if(GREENROOM_PACKAGE_NEEDS_NODES) # before CAF's core, which comes with the part below
      list(APPEND libs -lcaf_io)
    endif()
  endif()
  greenroom_add_pc("greenroom-${part}" "${PROJECT_DESCRIPTION}: ${part}" REQUIRES ${requires} LIBS ${libs} CFLAGS ${cflags})
  set(below "greenroom-${part} = ${PROJECT_VERSION}")
endforeach()
greenroom_add_pc(greenroom "${PROJECT_DESCRIPTION}" REQUIRES "greenroom-http = ${PROJECT_VERSION}")
