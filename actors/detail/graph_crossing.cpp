#include <greenroom/actors/detail/graph_crossing.hpp>

#include <stdexcept>

#include <fmt/format.h>

namespace greenroom::detail {

namespace {

std::string text_of(const wire_type& type) {
  return fmt::format("{}, version {}: {}", type.name, type.version, type.layout);
}

/// FNV-1a, which is the same everywhere.
std::uint64_t fingerprint_of(const std::string& text) {
  std::uint64_t sum = 0xcbf29ce484222325;
  for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return sum;
}

} // namespace

way_out::~way_out() = default;

void way_out::check_size(std::size_t bytes) {
  if (bytes > most_item_bytes)
    throw std::length_error(
        fmt::format("an item of {} bytes cannot cross to another node: {} are possible", bytes, most_item_bytes));
}

crossing_type crossing_type_of(const wire_type& item, const wire_type* reply) {
  auto text = text_of(item);
  if (reply != nullptr) text += "; answered by " + text_of(*reply);
  const auto sum = fingerprint_of(text);
  return {std::move(text), sum};
}

crossing_item with_current_trace(std::string bytes) {
  const auto trace = current_trace();
  return {trace ? trace.traceparent() : std::string(), std::move(bytes)};
}

} // namespace greenroom::detail
