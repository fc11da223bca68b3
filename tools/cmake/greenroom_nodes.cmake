# For libraries of nodes that graph files name, and the programs that load them; see greenroom/actors/node_plugin.hpp.
#
# There must be one copy of Greenroom in a process. Where it is shared, all link it. Where it is static, the program contains all of it and
# exports it, and the libraries only know its headers: what they call is found when they are loaded.

get_target_property(GREENROOM_IS_SHARED greenroom::runtime TYPE)
if(GREENROOM_IS_SHARED STREQUAL "SHARED_LIBRARY")
  set(GREENROOM_IS_SHARED ON)
else()
  set(GREENROOM_IS_SHARED OFF)
endif()

# greenroom_add_node_library(<name> <sources...>): lib<name>.so, a target to which more can be linked, but no part of Greenroom.
function(greenroom_add_node_library name)
  add_library(${name} MODULE ${ARGN})
  if(GREENROOM_IS_SHARED)
    target_link_libraries(${name} PRIVATE greenroom::greenroom)
    return()
  endif()
  set(all greenroom::greenroom)
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_include_directories(${name} SYSTEM PRIVATE "$<TARGET_PROPERTY:${all},INTERFACE_INCLUDE_DIRECTORIES>")
  target_compile_definitions(${name} PRIVATE "$<TARGET_PROPERTY:${all},INTERFACE_COMPILE_DEFINITIONS>")
  target_compile_options(${name} PRIVATE "$<TARGET_PROPERTY:${all},INTERFACE_COMPILE_OPTIONS>")
endfunction()

# greenroom_host_nodes(<program>): a program that loads such libraries.
function(greenroom_host_nodes program)
  target_link_libraries(${program} PRIVATE greenroom::greenroom)
  if(GREENROOM_IS_SHARED)
    return()
  endif()
  set_target_properties(${program} PROPERTIES ENABLE_EXPORTS ON)
  foreach(part IN ITEMS runtime actors http)
    get_target_property(library greenroom::${part} ALIASED_TARGET)
    if(NOT library)
      set(library greenroom::${part})
    endif()
    set_target_properties(${program} PROPERTIES "LINK_LIBRARY_OVERRIDE_${library}" WHOLE_ARCHIVE)
  endforeach()
endfunction()
