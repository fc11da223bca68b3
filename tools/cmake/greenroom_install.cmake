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
foreach(document IN ITEMS LICENSE README.md ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md runtime/README.md actors/README.md
                 http/README.md tests/kit/README.md tests/semantics/README.md)
  get_filename_component(folder "${document}" DIRECTORY)
  install(FILES "${PROJECT_SOURCE_DIR}/${document}" DESTINATION "${CMAKE_INSTALL_DOCDIR}/${folder}")
endforeach()
install(
  DIRECTORY "${PROJECT_SOURCE_DIR}/examples/"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples"
  FILES_MATCHING
  PATTERN "*.cpp"
  PATTERN "*.toml"
  PATTERN "*.md")
install(
  DIRECTORY "${PROJECT_SOURCE_DIR}/docs/"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}/docs"
  FILES_MATCHING
  PATTERN "*.md"
  PATTERN "*.png"
  PATTERN "snippets" EXCLUDE)
