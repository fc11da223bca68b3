// A large input in chunks, mapped on several threads and reduced to one value in order, in bounded memory.
#include <algorithm>
#include <iostream>
#include <string>

#include <greenroom/actors/chunk_pipeline.hpp>
#include <greenroom/runtime/actor_system.hpp>

using namespace greenroom;

struct counts {
  std::uint64_t lines = 0;
  std::uint64_t longest = 0;
};

result<counts> count(const chunk& piece) { // a plain function: runs on a thread that may block
  counts found;
  std::uint64_t length = 0;
  for (const char c : piece.bytes) {
    if (c != '\n') {
      ++length;
      continue;
    }
    ++found.lines;
    found.longest = std::max(found.longest, length);
    length = 0;
  }
  return found;
}

void add(counts& all, counts one) { // by one actor, in the order of the chunks
  all.lines += one.lines;
  all.longest = std::max(all.longest, one.longest);
}

task<result<counts>> program(std::string text) {
  const auto input = chunks_of_text(std::move(text), by_lines(64)); // chunks_of_file(path, by_lines()) for files
  if (!input) co_return input.error();
  std::cout << input->count() << " chunks\n";
  chunk_options how{.workers = 2, .in_flight = 4};
  auto counting = process_chunks(*input, count, add, counts(), std::move(how));
  co_return co_await std::move(counting);
}

int main() {
  std::string text;
  for (int i = 0; i < 1'000; ++i) text += std::string(static_cast<std::size_t>(i) % 37, 'x') + "\n";
  actor_system sys;
  const auto all = sys.run(program, text);
  if (!all) return 1;
  std::cout << all->lines << " lines, the longest has " << all->longest << " characters\n";
}
