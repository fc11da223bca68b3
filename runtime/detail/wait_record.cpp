#include <greenroom/runtime/detail/wait_record.hpp>

#include <greenroom/runtime/internal/runtime_core.hpp>
#include <greenroom/runtime/select.hpp>

namespace greenroom::detail {
namespace {

/// Notes the cases of a select.
class case_list final : public case_reader {
public:
  explicit case_list(wait_record& to) noexcept : to_(to) {}
  void operator()(wait_kind kind, const void* place) override { to_.add({kind_of(kind), place}); }

private:
  wait_record& to_;
};

} // namespace

wait_record read_wait(actor_cell& cell) noexcept {
  wait_record seen;
  if (!cell.observe()) return seen;
  const auto noted = cell.waits_for.load(std::memory_order_relaxed); // observe() has acquired it
  const auto since = cell.wait_since.load(std::memory_order_relaxed);
  const auto* const place = cell.wait_object.load(std::memory_order_relaxed);
  const auto kind = kind_of(noted);
  seen.timed = is_timed(noted);
  seen.is_select = kind == wait_kind::select;
  if (seen.is_select) {
    case_list cases(seen);
    const auto& select = *static_cast<const select_cases*>(place); // in the frame of an actor that is kept where it is
    select.list(select, cases);
    if (!seen.waits()) seen.add({wait_kind::select, nullptr}); // no case can win
  } else {
    seen.add({kind, place});
  }
  cell.end_observation();
  const auto now = now_ms_of(*cell.home);
  seen.lasted = std::chrono::milliseconds(since > now ? 0U : now - since);
  return seen;
}

} // namespace greenroom::detail
