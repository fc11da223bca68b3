# `cmake --install`: headers, libraries and the CMake package greenroom.

include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/greenroom")
list(TRANSFORM GREENROOM_LIBRARIES PREPEND greenroom_ OUTPUT_VARIABLE library_targets)
install(TARGETS ${library_targets} greenroom EXPORT greenroomTargets)
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
    PATTERN "internal" EXCLUDE)
endforeach()

# Where CAF is, for programs that use the package, unless they find it without being told.
cmake_path(GET CAF_INCLUDE_DIR PARENT_PATH GREENROOM_CAF_PREFIX)
if(GREENROOM_CAF_PREFIX MATCHES "^/usr(/local)?$")
  set(GREENROOM_CAF_PREFIX "")
endif()
configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/greenroomConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/greenroomConfig.cmake"
  INSTALL_DESTINATION "${package_dir}"
  NO_SET_AND_CHECK_MACRO)
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
# The documents, at their places in the tree, so that their links lead somewhere.
foreach(document IN ITEMS LICENSE README.md ARCHITECTURE.md CHANGELOG.md actors/README.md http/README.md tests/kit/README.md)
  get_filename_component(folder "${document}" DIRECTORY)
  install(FILES "${PROJECT_SOURCE_DIR}/${document}" DESTINATION "${CMAKE_INSTALL_DOCDIR}/${folder}")
endforeach()
install(
  DIRECTORY "${PROJECT_SOURCE_DIR}/examples/"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples"
  FILES_MATCHING
  PATTERN "*.cpp"
  PATTERN "*.toml")
