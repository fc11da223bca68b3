# Puts all files of a folder into a source: cmake -DFOLDER=... -DHEADER=... -DNAME=... -DOUTPUT=... -P embed_files.cmake
# `NAME` is an array of file_text, in the order of their paths, that `HEADER` declares.
cmake_minimum_required(VERSION 3.25)

set(mark "file_text")
set(rows "")
file(GLOB_RECURSE paths RELATIVE "${FOLDER}" "${FOLDER}/*")
list(SORT paths)
foreach(path IN LISTS paths)
  file(READ "${FOLDER}/${path}" text)
  string(FIND "${text}" ")${mark}" found)
  if(NOT found EQUAL -1)
    message(FATAL_ERROR "${FOLDER}/${path}: its text holds ')${mark}', which ends the string that it is put into")
  endif()
  string(APPEND rows "    {\"${path}\", R\"${mark}(${text})${mark}\"},\n")
endforeach()
list(LENGTH paths count)

set(text "// Made by tools/cmake/embed_files.cmake: change the files themselves instead.
#include <${HEADER}>

namespace {
constexpr std::array<file_text, ${count}> files{{
${rows}}};
} // namespace

const std::span<const file_text> ${NAME}(files);
")
file(WRITE "${OUTPUT}.new" "${text}")
file(RENAME "${OUTPUT}.new" "${OUTPUT}")
