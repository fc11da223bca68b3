// How the ends of things hold them: an address its mailbox, a guard its lock, a request its asker. One word, the pointer and a mark
// of what kind of end it is, so that the search for deadlocks can tell from an actor's frames which ends the actor holds, without
// any bookkeeping while it runs.
//
// It rests on two rules. A word with a mark stands in memory only while its end exists: moving from an end and destroying it clear
// the word, with a store that no compiler drops. And an end is counted by what it belongs to: if the frames of some actors show as
// many ends as are counted, nobody else has any.
// Thread safety: owner only; the search reads words of actors that sleep. Lifetime: the word owns nothing.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace greenroom::detail {

/// What kind of end a word is: its low bits. Odd, as no pointer to an aligned object is. Permits are of locks, which are aligned to 8
/// only, so their kind takes three bits; all others point to what is aligned to 16, and take four.
enum class end_kind : std::uint8_t {
  address = 1, ///< a strong send end of a mailbox
  mailbox = 3, ///< a receive end
  weak = 5,    ///< a weak send end
  permit = 7,  ///< a lock or permits; how many stands in the next word, sealed
  share = 9    ///< a request, or a seat in a game of turns
};

/// Returns the bits of a pointer that make room for the kind.
constexpr std::uintptr_t mask_of(end_kind kind) noexcept { return kind == end_kind::permit ? 7 : 15; }

/// Applied to a number of permits, seals and unseals it: the sealed number cannot be mistaken for a pointer, nor a pointer for it.
constexpr std::int64_t seal(std::int64_t permits) noexcept { return permits ^ (std::int64_t{0x5ea1} << 48); }

/// A pointer in all but its representation. Moving takes the pointer over.
template <class T, end_kind Kind>
class end_word {
public:
  end_word() noexcept = default;
  end_word(T* p) noexcept : word_(p == nullptr ? 0 : reinterpret_cast<std::uintptr_t>(p) + mark) {
    assert((reinterpret_cast<std::uintptr_t>(p) & mask_of(Kind)) == 0);
  }
  end_word(end_word&& other) noexcept : word_(std::exchange(other.word_, 0)) {}
  end_word& operator=(T* p) noexcept { return word_ = end_word(p).word_, *this; }
  end_word& operator=(end_word&&) = delete; // swap(), or take() and assign
  ~end_word() { *static_cast<volatile std::uintptr_t*>(&word_) = 0; }

  T* get() const noexcept { return reinterpret_cast<T*>(word_ & ~mask_of(Kind)); }
  operator T*() const noexcept { return get(); }
  T* operator->() const noexcept { return get(); }
  T& operator*() const noexcept { return *get(); }
  /// Returns the pointer and forgets it.
  T* take() noexcept { return reinterpret_cast<T*>(std::exchange(word_, 0) & ~mask_of(Kind)); }
  void swap(end_word& other) noexcept { std::swap(word_, other.word_); }
  friend bool operator==(const end_word& a, const end_word& b) noexcept { return a.word_ == b.word_; }
  friend bool operator==(const end_word& a, std::nullptr_t) noexcept { return a.word_ == 0; }

private:
  static constexpr auto mark = static_cast<std::uintptr_t>(Kind);

  std::uintptr_t word_ = 0;
};

} // namespace greenroom::detail
