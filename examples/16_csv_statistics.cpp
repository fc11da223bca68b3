// Statistics for each shop over a CSV file of any size: cut into chunks of whole lines, counted on all processors, added up in order, in some megabytes of
// memory. Killed at any moment it goes on where it was, and the result is the same.
//
// Run: 16_csv_statistics                              makes a small file, and shows that two threads and one give the same
//      16_csv_statistics --make BYTES FILE            makes a file of so many bytes
//      16_csv_statistics FILE [THREADS [CHECKPOINT [MS]]]  counts one, with a bar if it is a terminal; how far it is stands in the file CHECKPOINT, written
//                                                     each so many milliseconds
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include <greenroom/actors/chunk_pipeline.hpp>
#include <greenroom/actors/csv_statistics.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/random.hpp>

using namespace greenroom;

/// Writes lines like `2026-03-14,shop-0042,-12.50` until there are so many bytes. The same each time.
void make_file(const std::string& file, std::uint64_t bytes) {
  std::ofstream out(file, std::ios::binary);
  xoshiro random(16);
  std::string block = "day,shop,amount\n";
  for (std::uint64_t written = 0; written < bytes;) {
    while (block.size() < 1'000'000 && written + block.size() < bytes) {
      const auto draw = random.next();
      fmt::format_to(std::back_inserter(block), "2026-{:02}-{:02},shop-{:04},{}{}.{:02}\n", 1 + draw % 12,
                     1 + (draw >> 8) % 28, (draw >> 16) % 1'000, (draw >> 32) % 16 == 0 ? "-" : "",
                     (draw >> 36) % 10'000, (draw >> 50) % 100);
    }
    out << block;
    written += block.size();
    block.clear();
  }
}

result<key_statistics> count_lines(const chunk& lines) { return csv_statistics(lines, {.key = 1, .amount = 2}); }

task<result<key_statistics>> count_file(std::string file, chunk_options how, std::uint64_t chunk_size) {
  const auto input = co_await blocking(chunks_of_file, std::filesystem::path(file), by_lines(chunk_size));
  if (!input) co_return input.error();
  auto job = process_chunks(*input, count_lines, merge_statistics, key_statistics(), std::move(how));
  co_return co_await std::move(job);
}

void print(const key_statistics& all) {
  for (const auto& [shop, of] : all.sorted())
    fmt::print("{}: {} sales, {} in all, {} on average, from {} to {}\n", shop, of.count, amount_text(of.sum, 2),
               amount_text(of.mean(), 2), amount_text(of.least, 2), amount_text(of.greatest, 2));
}

int count_big_file(const std::string& file, std::size_t threads, const std::string& checkpoint,
                   std::chrono::milliseconds every) {
  options opts;
  opts.workers = threads;
  actor_system sys(opts);
  chunk_options how{
      .workers = threads, .checkpoint = checkpoint, .checkpoint_every = every, .job = "statistics of shops"};
  actor bar;
  if (::isatty(STDERR_FILENO) != 0) {
    const auto show = [](std::string_view line) { fmt::print(stderr, "{}", line); };
    bar = sys.spawn({.name = "bar"}, show_progress, how.meter, show, std::chrono::milliseconds(100));
  }
  const auto all = sys.run(count_file, file, how, usual_chunk);
  if (!all) how.meter.end(sys.now(), work_state::failed); // also if it did not even begin
  if (bar) bar.wait();
  if (!all) fmt::print(stderr, "16_csv_statistics: {}\n", all.error().message());
  if (all) print(*all);
  return all ? 0 : 1;
}

int count_small_file() {
  const auto file = std::filesystem::temp_directory_path() / fmt::format("16_csv_statistics.{}.csv", ::getpid());
  make_file(file.native(), 100'000);
  actor_system sys;
  const auto two = sys.run(count_file, file.native(), chunk_options{.workers = 2}, std::uint64_t{4'096});
  const auto one = sys.run(count_file, file.native(), chunk_options{.workers = 1}, usual_chunk);
  std::filesystem::remove(file);
  if (!two || !one) return 1;
  amounts all;
  for (const auto& line : two->sorted()) {
    all.count += line.of.count;
    all.sum += line.of.sum;
  }
  fmt::print("{} sales of {} shops, {} in all; by one chunk and by many: {}\n", all.count, two->keys(),
             amount_text(all.sum, 2), two->save() == one->save() ? "the same" : "DIFFERENT");
  const result<key_statistics> broken = count_lines({0, 0, 44, "day,shop,amount\n2026-01-01,shop-1,twelve euros\n"});
  fmt::print("{}\n", broken.error().message());
  return 0;
}

int main(int argc, char** argv) {
  if (argc < 2) return count_small_file();
  const auto number = [](const char* text) {
    std::uint64_t n = 0;
    std::from_chars(text, text + std::strlen(text), n);
    return n;
  };
  if (argc == 4 && std::string(argv[1]) == "--make") return make_file(argv[3], number(argv[2])), 0;
  return count_big_file(argv[1], argc > 2 ? number(argv[2]) : 2, argc > 3 ? argv[3] : "",
                        std::chrono::milliseconds(argc > 4 ? number(argv[4]) : 1'000));
}
