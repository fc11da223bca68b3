// `greenroom new`: a service project to begin with, made of the files in new_project/, where it is called my-service.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include <greenroom/tools/greenroom/command.hpp>

struct file_text {
  std::string_view path;
  std::string_view text;
};

namespace cli {

/// The files of new_project/, by path; made by tools/cmake/embed_files.cmake.
extern const std::span<const file_text> new_project;

extern const command new_command;

} // namespace cli
