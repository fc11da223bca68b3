// load_search: looks for the highest rate that keeps a limit, by trials: doubles or halves the rate until the limit lies between two, then takes
// what lies between them until they are within a twentieth.
// Thread safety: owner only.
#pragma once

#include <cmath>
#include <optional>

namespace load {

class rate_search {
public:
  /// `first` is what to try first, from `least` to `most`.
  rate_search(double first, double least, double most) : next_(first), least_(least), most_(most) {}

  /// Returns the rate to try; nothing when the search is over.
  std::optional<double> next() const {
    if (is_exact() || next_ < least_ || next_ > most_) return std::nullopt;
    return next_;
  }
  /// Says what became of it.
  void tell(bool is_kept) {
    (is_kept ? kept_ : broken_) = next_;
    next_ = !kept_ ? *broken_ / 2 : !broken_ ? *kept_ * 2 : std::sqrt(*kept_ * *broken_);
  }

  /// Returns the highest rate that has kept the limit.
  std::optional<double> kept() const { return kept_; }
  /// Says whether one a twentieth above it has not.
  bool is_exact() const { return kept_ && broken_ && *broken_ <= 1.05 * *kept_; }

private:
  double next_;
  double least_;
  double most_;
  std::optional<double> kept_;
  std::optional<double> broken_;
};

} // namespace load
