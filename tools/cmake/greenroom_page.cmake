# greenroom_embed_page(<target> <folder> <name>)
#
# Makes one document of <folder>/page.html, page.css and *.js and compiles it into the target, as the constant <name> of
# http/internal/<name>.hpp.
function(greenroom_embed_page target folder name)
  set(folder "${PROJECT_SOURCE_DIR}/${folder}")
  file(GLOB parts CONFIGURE_DEPENDS "${folder}/*")
  set(script "${PROJECT_SOURCE_DIR}/tools/cmake/embed_page.cmake")
  set(made "${PROJECT_BINARY_DIR}/embedded/${name}.cpp")
  add_custom_command(
    OUTPUT "${made}"
    COMMAND "${CMAKE_COMMAND}" "-DFOLDER=${folder}" "-DNAME=${name}" "-DOUTPUT=${made}" -P "${script}"
    DEPENDS ${parts} "${script}"
    COMMENT "Embedding ${name}")
  target_sources(${target} PRIVATE "${made}")
endfunction()
