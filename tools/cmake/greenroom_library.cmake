# The libraries, one per folder, and the include tree that lets sources say <greenroom/folder/file.hpp>.

set(GREENROOM_INCLUDE_TREE "${PROJECT_BINARY_DIR}/include")
set(GREENROOM_LIBRARIES "")
# Before 1.0 each minor version may break the binary interface.
set(GREENROOM_SOVERSION "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")

# greenroom_add_library(<folder> [STATIC] [AT path] [PUBLIC targets...] [PRIVATE targets...])
#
# Makes greenroom_<folder>, alias greenroom::<folder>, of the sources in <folder>, or in AT if its name is
# another one. A folder with headers only gives an INTERFACE library, an empty one none. STATIC: never a shared one.
function(greenroom_add_library folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "STATIC" "AT" "PUBLIC;PRIVATE")
  if(NOT arg_AT)
    set(arg_AT "${folder}")
  endif()
  set(root "${PROJECT_SOURCE_DIR}/${arg_AT}")
  file(
    GLOB sources CONFIGURE_DEPENDS
    "${root}/*.cpp" "${root}/detail/*.cpp" "${root}/internal/*.cpp")
  file(GLOB headers CONFIGURE_DEPENDS "${root}/*.hpp" "${root}/detail/*.hpp")

  file(MAKE_DIRECTORY "${GREENROOM_INCLUDE_TREE}/greenroom")
  if(IS_DIRECTORY "${root}")
    file(CREATE_LINK "${root}" "${GREENROOM_INCLUDE_TREE}/greenroom/${folder}" SYMBOLIC)
  endif()
  if(NOT sources AND NOT headers)
    return()
  endif()

  set(target greenroom_${folder})
  if(sources)
    set(kind "")
    if(arg_STATIC)
      set(kind STATIC)
    endif()
    add_library(${target} ${kind} ${sources} ${headers})
    target_link_libraries(
      ${target}
      PUBLIC ${arg_PUBLIC}
      PRIVATE ${arg_PRIVATE} $<BUILD_INTERFACE:greenroom_build_flags>)
    set_target_properties(
      ${target}
      PROPERTIES # Static ones, too: a shared library of somebody's may contain them.
                 POSITION_INDEPENDENT_CODE ON
                 DEFINE_SYMBOL "" # nothing asks for it: compiled the same way, a static and a shared build share a compiler cache
                 VERSION ${PROJECT_VERSION}
                 SOVERSION ${GREENROOM_SOVERSION}
                 # A shared library finds its neighbours wherever they are moved together.
                 INSTALL_RPATH "$ORIGIN")
    # In a shared library g++ would not inline an exported function into its neighbours, lest another
    # library replaces it.
    target_compile_options(${target} PRIVATE -fno-semantic-interposition)
    set(scope PUBLIC)
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE ${arg_PUBLIC})
    set(scope INTERFACE)
  endif()
  add_library(greenroom::${folder} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${folder})
  target_compile_features(${target} ${scope} cxx_std_20)
  target_include_directories(
    ${target} ${scope} "$<BUILD_INTERFACE:${GREENROOM_INCLUDE_TREE}>"
                       "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  set_target_properties(${target} PROPERTIES GREENROOM_FOLDER "${root}")
  set(GREENROOM_LIBRARIES ${GREENROOM_LIBRARIES} ${folder} PARENT_SCOPE)
endfunction()

# Makes greenroom::greenroom, all libraries in one target.
function(greenroom_add_umbrella)
  add_library(greenroom INTERFACE)
  add_library(greenroom::greenroom ALIAS greenroom)
  list(TRANSFORM GREENROOM_LIBRARIES PREPEND greenroom_ OUTPUT_VARIABLE targets)
  target_link_libraries(greenroom INTERFACE ${targets})
endfunction()
