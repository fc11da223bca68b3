#include <greenroom/actors/detail/chunk_plan.hpp>

#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace greenroom::detail {

std::uint64_t chunk_plan::begin() {
  if (!again_.empty()) return again_.extract(again_.begin()).value();
  open_.insert(next_);
  return next_++;
}

result<void> chunk_plan::resume(std::uint64_t next, std::set<std::uint64_t> open) {
  if (next > count_ || (!open.empty() && *open.rbegin() >= next))
    return error(errc::parse, fmt::format("it speaks of chunk {}, and there are {}", next, count_));
  next_ = next;
  open_ = open;
  again_ = std::move(open);
  return {};
}

namespace {

constexpr std::string_view head = "greenroom chunks 1";

std::uint64_t sum_of(std::string_view bytes) noexcept { // FNV-1a
  std::uint64_t sum = 0xcbf29ce484222325;
  for (const char c : bytes) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return sum;
}

/// Takes the next line off.
std::string_view take_line(std::string_view& text) {
  const auto at = text.find('\n');
  const auto line = text.substr(0, at);
  text.remove_prefix(at == text.npos ? text.size() : at + 1);
  return line;
}

/// Takes the next number off a line of them.
std::optional<std::uint64_t> take_number(std::string_view& line) {
  std::uint64_t number = 0;
  const auto [end, problem] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (problem != std::errc()) return std::nullopt;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  if (line.starts_with(' ')) line.remove_prefix(1);
  return number;
}

} // namespace

std::string checkpoint_text(std::string_view identity, const chunk_plan& plan, std::string_view state) {
  auto body = fmt::format("{}\n{}", identity, plan.next());
  for (const auto index : plan.open()) body += fmt::format(" {}", index);
  body += '\n';
  body += state;
  return fmt::format("{} {:016x}\n{}", head, sum_of(body), body);
}

result<std::string_view> read_checkpoint(std::string_view text, std::string_view identity, chunk_plan& plan) {
  const auto first = take_line(text);
  if (!first.starts_with(head)) return error(errc::parse, "it is no checkpoint of a job of chunks");
  if (first != fmt::format("{} {:016x}", head, sum_of(text)))
    return error(errc::parse, "it is damaged: its sum is wrong; remove it to begin anew");
  const auto of = take_line(text);
  if (of != identity)
    return error(errc::invalid_argument, fmt::format("it is of another input or way to cut it ({}; now {}): bring that "
                                                     "back, or remove the file to begin anew",
                                                     of, identity));
  auto numbers = take_line(text);
  const auto next = take_number(numbers);
  std::set<std::uint64_t> open;
  while (const auto index = take_number(numbers)) open.insert(*index);
  if (!next || !numbers.empty()) return error(errc::parse, "it does not say which chunks are done");
  if (auto resumed = plan.resume(*next, std::move(open)); !resumed) return resumed.error();
  return text;
}

} // namespace greenroom::detail
