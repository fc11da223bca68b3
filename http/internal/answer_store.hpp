// The answers to requests with a key, and the keys of those that are under way.
// Thread safety: any thread. Lifetime: outlives its reservations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <greenroom/http/message.hpp>
#include <greenroom/runtime/clock.hpp>

namespace greenroom::http::internal {

/// 128 bits that nearly always differ where texts do. Who makes two texts with the same ones on purpose gets the answer to his own first.
class fingerprint {
public:
  /// Adds a text and its length, so that no two lists of texts are added alike.
  void add(std::string_view text) noexcept;
  friend bool operator==(const fingerprint&, const fingerprint&) noexcept = default;

private:
  void mix(std::uint64_t word) noexcept;
  std::uint64_t a_ = 0x243f6a8885a308d3;
  std::uint64_t b_ = 0x13198a2e03707344;
};

class answer_store {
public:
  struct limits {
    duration age;
    std::size_t answers;
    std::size_t bytes;
  };
  explicit answer_store(limits most) noexcept : most_(most) {}
  ~answer_store();

  enum class state : std::uint8_t {
    taken, // it was free, and belongs to the caller from now on
    under_way,
    answered,
    mistaken // it belongs to another request
  };
  struct found {
    state is;
    std::shared_ptr<const response> answer; ///< if it is answered
  };
  found take(const std::string& key, const fingerprint& of, time_point now);
  /// Keeps the answer, unless it is too large. Requires: the key is taken, as for the next.
  void keep(const std::string& key, const response& answer, time_point now);
  void free(const std::string& key) noexcept;

  /// What is held: keys of both kinds, and bytes of answers.
  std::size_t keys() const;
  std::size_t bytes() const;

private:
  struct entry;
  using table = std::map<std::string, entry>; // a tree: no choice of keys makes it slow
  using ages = std::list<table::iterator>;
  struct entry {
    fingerprint of;
    std::shared_ptr<const response> answer; // null while it is under way
    time_point kept_at{};
    std::size_t bytes = 0;
    ages::iterator place{};
  };
  void forget_oldest_locked(std::vector<table::node_type>& gone);

  const limits most_;
  mutable std::mutex lock_; // what is done under it allocates
  table entries_;           // guarded by lock_, as is the following
  ages answered_;           // the oldest at the front
  std::size_t bytes_ = 0;
};

/// Holds a key that is taken, and frees it unless its answer is kept. Thread safety: owner only.
class reservation {
public:
  reservation(answer_store& in, std::string key) noexcept : in_(in), key_(std::move(key)) {}
  reservation(const reservation&) = delete;
  reservation& operator=(const reservation&) = delete;
  ~reservation() {
    if (!kept_) in_.free(key_);
  }
  void keep(const response& answer, time_point now) {
    in_.keep(key_, answer, now);
    kept_ = true;
  }

private:
  answer_store& in_;
  const std::string key_;
  bool kept_ = false;
};

} // namespace greenroom::http::internal
