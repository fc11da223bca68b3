# Packages of an installed Greenroom, by cpack: `cpack --preset package` makes Debian's of a shared build, tools/check_packages makes and checks them.
#
#   libgreenroom0.1   the shared libraries, by the part of the version that their names carry: versions that differ in it stand side by side
#   libgreenroom-dev  headers, the CMake package, pkg-config's files, the test kit, documents, examples
#   greenroom-tools   the command `greenroom`, and the script that makes certificates for nodes

set(CPACK_PACKAGE_NAME greenroom)
set(CPACK_PACKAGE_VENDOR "The Greenroom authors")
set(CPACK_PACKAGE_CONTACT "The Greenroom authors <maintainers@greenroom.invalid>" CACHE STRING "Who maintains the packages")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "greenroom built using CMake") # CPack's default: each package has its own
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_GENERATOR TGZ)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL development tools)
if(GREENROOM_IS_SHARED)
  set(CPACK_GENERATOR DEB)
  list(PREPEND CPACK_COMPONENTS_ALL runtime)
endif()

set(runtime "libgreenroom${GREENROOM_SOVERSION}")
set(same_version "(= ${PROJECT_VERSION}-1)")
set(about [[
Greenroom runs coroutines as lightweight actors, with typed mailboxes, select,
deadlines and supervision as in Erlang/OTP, and an HTTP front. It can be
embedded in a program that uses the C++ Actor Framework already.]])

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SOURCE greenroom)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${PROJECT_BINARY_DIR}")
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME ${runtime})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION "supervised actors for C++: shared libraries\n${about}")

file(WRITE "${PROJECT_BINARY_DIR}/debian/triggers" "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA "${PROJECT_BINARY_DIR}/debian/triggers")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libgreenroom-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${runtime} ${same_version}, libcaf-dev (>= 0.17.6), libfmt-dev")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "libspdlog-dev, cmake (>= 3.25), pkg-config")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "supervised actors for C++: headers and test kit\n${about}")

set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME greenroom-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS "${runtime} ${same_version}")
set(CPACK_DEBIAN_TOOLS_PACKAGE_SUGGESTS openssl) # for node_certificates
set(CPACK_DEBIAN_TOOLS_DESCRIPTION "supervised actors for C++: command line tool\n${about}")

# What only packages have: copyright, changelog, and files that Debian wants compressed.
set(CPACK_PRE_BUILD_SCRIPTS "${CMAKE_CURRENT_LIST_DIR}/debian_files.cmake")
set(CPACK_GREENROOM_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")

include(CPack)
