# Run by cpack on the files of each package before it is packed: adds and compresses what Debian's policy asks for (chapter 12), and takes out
# where libraries look for their neighbours (chapter 10.2), which the system's loader knows.
cmake_minimum_required(VERSION 3.25)
if(NOT CPACK_GENERATOR STREQUAL "DEB")
  return()
endif()

# In the form that https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/ describes: the text is indented, empty lines have a dot.
file(STRINGS "${CPACK_GREENROOM_LICENSE}" lines)
file(READ "${CPACK_GREENROOM_LICENSE}" license)
string(REGEX MATCH "Copyright \\(c\\) ([^\n]*)" copyright "${license}")
set(copyright "${CMAKE_MATCH_1}")
string(REGEX REPLACE "^.*\nCopyright[^\n]*\n\n" "" license "${license}")
string(STRIP "${license}" license)
string(REPLACE "\n" "\n " license " ${license}")
string(REPLACE "\n \n" "\n .\n" license "${license}")
set(copyright_file "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: greenroom

Files: *
Copyright: ${copyright}
License: Expat

License: Expat
${license}
")

string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC) # of SOURCE_DATE_EPOCH, if that is set
set(changelog "greenroom (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium

  * Greenroom ${CPACK_PACKAGE_VERSION}: its CHANGELOG.md is in libgreenroom-dev.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")

foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER "${component}" upper)
  set(root "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/${component}${CPACK_PACKAGING_INSTALL_PREFIX}")
  file(GLOB_RECURSE linked "${root}/bin/*" "${root}/lib/*.so.*")
  foreach(file IN LISTS linked)
    if(NOT IS_SYMLINK "${file}")
      file(RPATH_REMOVE FILE "${file}")
    endif()
  endforeach()

  set(share "${root}/share")
  set(documents "${share}/doc/${CPACK_DEBIAN_${upper}_PACKAGE_NAME}")
  file(MAKE_DIRECTORY "${documents}")
  file(REMOVE "${documents}/LICENSE") # it stands in the copyright
  file(WRITE "${documents}/copyright" "${copyright_file}")
  file(WRITE "${documents}/changelog.Debian" "${changelog}")
  file(GLOB_RECURSE pages "${share}/man/*")
  foreach(file IN LISTS pages ITEMS "${documents}/changelog.Debian")
    if(NOT file MATCHES "\\.gz$")
      execute_process(COMMAND gzip -9 -n -f "${file}" COMMAND_ERROR_IS_FATAL ANY)
    endif()
  endforeach()
  file(CHMOD_RECURSE "${share}"
       FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ
       DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
  file(GLOB scripts "${share}/greenroom/*")
  if(scripts)
    file(CHMOD ${scripts} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
  endif()
endforeach()
