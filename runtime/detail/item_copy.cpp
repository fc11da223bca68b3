#include <greenroom/runtime/detail/item_copy.hpp>

#include <sstream>

#include <greenroom/runtime/detail/frame_pool.hpp>

namespace greenroom::detail {

namespace {
constexpr std::size_t most_text = 200; // of an item in a log line. Units: bytes
}

item_copy::item_copy(const item_kind& kind, const void* item) {
  if (kind.size <= inside_bytes) {
    kind.copy(inside_, item);
  } else {
    void* const memory = frame_allocate(kind.size);
    try {
      kind.copy(memory, item);
    } catch (...) {
      frame_free(memory, kind.size);
      throw;
    }
    outside_ = memory;
  }
  kind_ = &kind;
}

item_copy::item_copy(item_copy&& other) noexcept { *this = std::move(other); }

item_copy& item_copy::operator=(item_copy&& other) noexcept {
  if (this == &other) return *this;
  this->~item_copy();
  kind_ = other.kind_;
  if (kind_ == nullptr) return *this;
  if (is_inside()) {
    kind_->move(inside_, other.inside_);
    kind_->destroy(other.inside_);
  } else {
    outside_ = other.outside_;
  }
  other.kind_ = nullptr;
  return *this;
}

item_copy::~item_copy() {
  if (kind_ == nullptr) return;
  kind_->destroy(get());
  if (!is_inside()) frame_free(outside_, kind_->size);
  kind_ = nullptr;
}

std::string item_copy::text() const {
  if (kind_ == nullptr || kind_->write == nullptr) return {};
  try {
    std::ostringstream out;
    kind_->write(out, get());
    auto text = std::move(out).str();
    if (text.size() <= most_text) return text;
    text.resize(most_text);
    return text + "...";
  } catch (...) { // an item that breaks its handler may break this, too
    return {};
  }
}

} // namespace greenroom::detail
