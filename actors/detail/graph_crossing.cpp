#include <greenroom/actors/detail/graph_crossing.hpp>

#include <stdexcept>

#include <fmt/format.h>

namespace greenroom::detail {

namespace {

// A mailbox of batches: each node sends one at a time, so nobody waits for room.
constexpr std::uint32_t most_senders = 64;

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

way_in::way_in(std::string in, crossing_type of)
    : input(std::move(in)),
      type(std::move(of)),
      batches(bounded(most_senders)),
      to_batches(batches.address()),
      asked(bounded(most_senders)),
      to_asked(asked.address()) {}

result<void> way_in::check_type(std::uint64_t fingerprint) const {
  if (fingerprint == type.fingerprint) return {};
  return error(errc::type_mismatch, fmt::format("{} takes {}: run the same program on all nodes", input, type.text));
}

crossing_receipt::crossing_receipt(std::shared_ptr<way_in> way, request<crossing_batch> asked)
    : way_(std::move(way)), asked_(std::move(asked)) {
  const auto& batch = asked_.message;
  auto fits = way_->check_type(batch.type);
  if (fits && way_->seen_.size() >= most_senders && !way_->seen_.contains(batch.from))
    fits = error(errc::limit, fmt::format("{} is sent to by {} nodes already", way_->input, most_senders));
  if (!fits) {
    refuse(fits.error());
    return;
  }
  seen_ = &way_->seen_[batch.from];
  if (seen_->life != batch.life || seen_->number < batch.number) {
    *seen_ = {batch.life, batch.number, 0};
  } else if (seen_->number > batch.number) { // that was answered long ago
    asked_.reply(static_cast<std::uint32_t>(batch.items.size()));
    seen_ = nullptr;
  }
}

crossing_receipt::~crossing_receipt() {
  if (seen_ != nullptr) asked_.reply(std::uint32_t{seen_->taken});
}

const std::string* crossing_receipt::next() {
  if (seen_ == nullptr || seen_->taken >= asked_.message.items.size()) return nullptr;
  const auto& item = asked_.message.items[seen_->taken];
  if (traced_ || !item.trace.empty()) {
    const auto trace = item.trace.empty() ? std::nullopt : trace_context::parse(item.trace);
    keep_trace(trace ? *trace : trace_context());
    traced_ = trace.has_value();
  }
  return &item.bytes;
}

void crossing_receipt::refuse(error why) {
  if (seen_ != nullptr && seen_->taken != 0) {
    asked_.reply(std::uint32_t{seen_->taken}); // the next one is refused when it comes again
  } else {
    asked_.fail(std::move(why));
  }
  seen_ = nullptr;
}

} // namespace greenroom::detail
