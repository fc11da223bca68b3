#include <greenroom/actors/internal/library_file.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <elf.h>

#include <fmt/format.h>

namespace greenroom::internal {
namespace {

namespace fs = std::filesystem;

/// Where a part of the file ends; what no file has, if the numbers are nonsense.
std::uint64_t end_of(std::uint64_t begin, std::uint64_t size) noexcept {
  std::uint64_t end = 0;
  return __builtin_add_overflow(begin, size, &end) ? UINT64_MAX : end;
}

/// Returns how long the file has to be by its header and the table of its segments, as far as that is there.
std::uint64_t length_by_tables(std::ifstream& file, const Elf64_Ehdr& head, std::uint64_t size) {
  const auto segments = end_of(head.e_phoff, std::uint64_t{head.e_phnum} * sizeof(Elf64_Phdr));
  auto wanted = std::max(segments, end_of(head.e_shoff, std::uint64_t{head.e_shnum} * head.e_shentsize));
  if (segments > size || head.e_phentsize != sizeof(Elf64_Phdr)) return wanted;
  std::vector<Elf64_Phdr> table(head.e_phnum);
  file.seekg(static_cast<std::streamoff>(head.e_phoff));
  file.read(reinterpret_cast<char*>(table.data()), static_cast<std::streamsize>(table.size() * sizeof(Elf64_Phdr)));
  for (const auto& one : table) {
    if (one.p_type == PT_LOAD || one.p_type == PT_DYNAMIC)
      wanted = std::max(wanted, end_of(one.p_offset, one.p_filesz));
  }
  return wanted;
}

} // namespace

result<void> check_library_file(const fs::path& file) {
  std::error_code problem;
  if (!fs::exists(file, problem)) return error(errc::not_found, "there is no such file");
  if (!fs::is_regular_file(file, problem))
    return error(errc::parse, fs::is_directory(file, problem) ? "it is a directory and no library" : "it is no file");
  std::ifstream bytes(file, std::ios::binary);
  if (!bytes) return error(errc::io, "the file cannot be read");
  Elf64_Ehdr head{};
  bytes.read(reinterpret_cast<char*>(&head), sizeof head);
  const auto size = static_cast<std::uint64_t>(bytes.gcount()) < sizeof head
                        ? static_cast<std::uint64_t>(bytes.gcount())
                        : fs::file_size(file, problem);
  if (size == 0) return error(errc::parse, "the file is empty");
  if (std::memcmp(head.e_ident, ELFMAG, std::min<std::uint64_t>(size, SELFMAG)) != 0)
    return error(errc::parse, "it is no shared library: it does not begin as an ELF file does");
  if (size >= sizeof head && head.e_ident[EI_CLASS] != ELFCLASS64)
    return {}; // the loader says that it is of another machine
  const auto wanted = size < sizeof head ? sizeof head : length_by_tables(bytes, head, size);
  if (size >= wanted) return {};
  return error(errc::io,
               fmt::format("the file is cut off: it has {} bytes, and {} by its tables: build it or copy it anew", size,
                           wanted));
}

} // namespace greenroom::internal
