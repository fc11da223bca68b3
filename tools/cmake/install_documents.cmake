# Installs the documents at their places in the tree, so that their links lead somewhere; those to headers lead to where these are installed.
# Run when it is installed, with SOURCE (the project), SCRATCH (a folder of the build), DOCUMENTS and HEADERS (where they go).
file(GLOB_RECURSE documents RELATIVE "${SOURCE}" "${SOURCE}/docs/*.md" "${SOURCE}/examples/*.md")
foreach(document IN ITEMS README.md ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md runtime/README.md actors/README.md http/README.md
                          tests/kit/README.md tests/semantics/README.md ${documents})
  get_filename_component(folder "${document}" DIRECTORY)
  file(RELATIVE_PATH headers "${DOCUMENTS}/${folder}" "${HEADERS}")
  file(RELATIVE_PATH root "${SOURCE}/${folder}" "${SOURCE}/")
  string(REPLACE "." "[.]" root "${root}")
  file(READ "${SOURCE}/${document}" text)
  string(REGEX REPLACE "\\]\\(${root}(runtime|actors|http|tests/kit)/([a-z_/]+[.]hpp)" "](${headers}/\\1/\\2" text "${text}")
  string(REGEX REPLACE "\\]\\(([a-z_]+[.]hpp)" "](${headers}/${folder}/\\1" text "${text}") # in the README of a folder
  string(REPLACE "${headers}/tests/kit/" "${headers}/testkit/" text "${text}")
  file(WRITE "${SCRATCH}/${document}" "${text}")
  file(INSTALL "${SCRATCH}/${document}" DESTINATION "${DOCUMENTS}/${folder}")
endforeach()
