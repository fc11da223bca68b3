# `cmake --install`: headers, libraries, the CMake package greenroom, pkg-config's files and the documents. Components: runtime (shared
# libraries), development, and tools (what is run).

include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/greenroom")
list(TRANSFORM GREENROOM_LIBRARIES PREPEND greenroom_ OUTPUT_VARIABLE library_targets)
install(
  TARGETS ${library_targets} greenroom
  EXPORT greenroomTargets
  LIBRARY COMPONENT runtime NAMELINK_COMPONENT development)
install(
  EXPORT greenroomTargets
  NAMESPACE greenroom::
  DESTINATION "${package_dir}")

foreach(folder IN LISTS GREENROOM_LIBRARIES)
  get_target_property(root greenroom_${folder} GREENROOM_FOLDER)
  install(
    DIRECTORY "${root}/"
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/greenroom/${folder}"
    FILES_MATCHING
    PATTERN "*.hpp"
    PATTERN "internal" EXCLUDE
    PATTERN "graph_page" EXCLUDE)
endforeach()

set(GREENROOM_BUILT_IN "")
foreach(ability IN ITEMS tls zlib json toml sqlite postgres time_zones nodes)
  string(TOUPPER "${ability}" option)
  if(GREENROOM_HAS_${option})
    list(APPEND GREENROOM_BUILT_IN ${ability})
  endif()
endforeach()
if(NOT GREENROOM_IS_SHARED)
  set(GREENROOM_PACKAGE_NEEDS_SPDLOG ON)
endif()
# Where CAF is, for programs that use the package, unless they find it without being told.
cmake_path(GET CAF_INCLUDE_DIR PARENT_PATH GREENROOM_CAF_PREFIX)
if(GREENROOM_CAF_PREFIX MATCHES "^/usr(/local)?$")
  set(GREENROOM_CAF_PREFIX "")
endif()
configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/greenroomConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/greenroomConfig.cmake"
  INSTALL_DESTINATION "${package_dir}"
  NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/greenroomConfigVersion.cmake"
  VERSION ${PROJECT_VERSION}
  COMPATIBILITY SameMinorVersion)
install(
  FILES "${PROJECT_BINARY_DIR}/greenroomConfig.cmake"
        "${PROJECT_BINARY_DIR}/greenroomConfigVersion.cmake"
        "${CMAKE_CURRENT_LIST_DIR}/FindCAF.cmake"
        "${CMAKE_CURRENT_LIST_DIR}/greenroom_nodes.cmake"
  DESTINATION "${package_dir}")
include(greenroom_pkgconfig)

# The documents, and what they link to.
install(CODE "
  set(SOURCE \"${PROJECT_SOURCE_DIR}\")
  set(SCRATCH \"${PROJECT_BINARY_DIR}/documents\")
  cmake_path(SET DOCUMENTS \"${CMAKE_INSTALL_DOCDIR}\")
  cmake_path(ABSOLUTE_PATH DOCUMENTS BASE_DIRECTORY \"\${CMAKE_INSTALL_PREFIX}\")
  cmake_path(SET HEADERS \"${CMAKE_INSTALL_INCLUDEDIR}/greenroom\")
  cmake_path(ABSOLUTE_PATH HEADERS BASE_DIRECTORY \"\${CMAKE_INSTALL_PREFIX}\")
  include(\"${CMAKE_CURRENT_LIST_DIR}/install_documents.cmake\")")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(
  DIRECTORY "${PROJECT_SOURCE_DIR}/examples/"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples"
  FILES_MATCHING
  PATTERN "*.cpp"
  PATTERN "*.hpp"
  PATTERN "*.toml"
  PATTERN "*.h"
  PATTERN "*.c"
  PATTERN "*.map")
install(FILES "${PROJECT_SOURCE_DIR}/examples/price_library/CMakeLists.txt"
        DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples/price_library")
install(
  DIRECTORY "${PROJECT_SOURCE_DIR}/docs/"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}/docs"
  FILES_MATCHING
  PATTERN "*.png"
  PATTERN "snippets" EXCLUDE)
