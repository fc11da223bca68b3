// The work of examples/16_csv_statistics as a plain loop on one thread, without actors: csv_plain FILE [PART OF]. PART of OF, from 0, is that part of the
// file's lines; two such processes on the two halves are what two threads can reach at best.
// Prints the statistics as the example saves them.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <greenroom/actors/csv_statistics.hpp>

using namespace greenroom;

namespace {

/// Returns where the first line at or behind `place` begins.
std::uint64_t line_at(std::ifstream& in, std::uint64_t place) {
  if (place == 0) return 0;
  in.clear();
  in.seekg(static_cast<std::streamoff>(place - 1));
  std::string rest;
  std::getline(in, rest);
  return place + rest.size();
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 4) {
    std::fputs("csv_plain FILE [PART OF]\n", stderr);
    return 2;
  }
  const std::uint64_t part = argc == 4 ? std::strtoull(argv[2], nullptr, 10) : 0;
  const std::uint64_t of = argc == 4 ? std::strtoull(argv[3], nullptr, 10) : 1;
  std::ifstream in(argv[1], std::ios::binary);
  const std::uint64_t size = std::filesystem::file_size(argv[1]);
  std::uint64_t at = line_at(in, size / of * part);
  const std::uint64_t end = part + 1 == of ? size : line_at(in, size / of * (part + 1));
  in.clear();
  in.seekg(static_cast<std::streamoff>(at));

  key_statistics all;
  std::vector<char> block(1U << 20U);
  std::size_t kept = 0; // of a line that is not complete
  while (at + kept < end) {
    const auto wanted = std::min<std::uint64_t>(block.size() - kept, end - at - kept);
    in.read(block.data() + kept, static_cast<std::streamsize>(wanted));
    const auto filled = kept + static_cast<std::size_t>(in.gcount());
    const void* const last = at + filled == end ? block.data() + filled - 1 : ::memrchr(block.data(), '\n', filled);
    if (last == nullptr || in.gcount() == 0) return 1;
    const auto whole = static_cast<std::size_t>(static_cast<const char*>(last) - block.data()) + 1;
    const auto added = add_csv(all, {0, at, at + whole, {block.data(), whole}}, {.key = 1, .amount = 2});
    if (!added) {
      std::fprintf(stderr, "csv_plain: %s\n", std::string(added.error().message()).c_str());
      return 1;
    }
    kept = filled - whole;
    std::memmove(block.data(), block.data() + whole, kept);
    at += whole;
  }
  std::fputs(all.save().c_str(), stdout);
  return 0;
}
