# Puts a page's style and scripts into its document, and that into a source: cmake -DFOLDER=... -DNAME=... -DOUTPUT=... -P embed_page.cmake
# Text that no part holds stands between the parentheses of the raw string, in pieces, since compilers limit their length.
cmake_minimum_required(VERSION 3.25)

# Gives the hash of a text as a Content-Security-Policy names it.
function(policy_hash text result)
  string(SHA256 hex "${text}")
  set(digits "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  set(base64 "")
  string(APPEND hex "00") # 32 bytes and a filler: eleven groups of three
  foreach(at RANGE 0 60 6)
    string(SUBSTRING "${hex}" ${at} 6 group)
    foreach(shift 18 12 6 0)
      math(EXPR digit "(0x${group} >> ${shift}) & 63")
      string(SUBSTRING "${digits}" ${digit} 1 letter)
      string(APPEND base64 "${letter}")
    endforeach()
  endforeach()
  string(REGEX REPLACE ".$" "=" base64 "${base64}")
  set(${result} "'sha256-${base64}'" PARENT_SCOPE)
endfunction()

# Reads a file as it is: without this CMake would take brackets and semicolons for its own.
function(read_text path result)
  file(READ "${path}" text)
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

read_text("${FOLDER}/page.html" page)
read_text("${FOLDER}/page.css" style)
file(GLOB scripts "${FOLDER}/*.js")
list(SORT scripts)
set(script "")
foreach(one IN LISTS scripts)
  read_text("${one}" text)
  string(APPEND script "${text}")
endforeach()

policy_hash("${style}" style_hash)
policy_hash("${script}" script_hash)
string(REPLACE "@STYLE@" "${style}" page "${page}")
string(REPLACE "@SCRIPT@" "${script}" page "${page}")
string(SHA256 tag "${page}")
string(SUBSTRING "${tag}" 0 32 tag)

set(mark "page_text")
string(FIND "${page}" ")${mark}" found)
if(NOT found EQUAL -1)
  message(FATAL_ERROR "${FOLDER}: its text holds ')${mark}', which ends the string that it is put into")
endif()

set(text
    "// Made by tools/cmake/embed_page.cmake. Change the files in http/graph_page/ instead.
#include <greenroom/http/internal/${NAME}.hpp>

namespace greenroom::http::internal {

const document ${NAME}{R\"${mark}(${page})${mark}\", R\"(\"${tag}\")\", \"${script_hash}\", \"${style_hash}\"};

} // namespace greenroom::http::internal
")
file(WRITE "${OUTPUT}.new" "${text}")
file(RENAME "${OUTPUT}.new" "${OUTPUT}")
