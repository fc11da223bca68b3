#include <greenroom/runtime/detail/reason_of.hpp>

#include <greenroom/runtime/cancelled.hpp>
#include <greenroom/runtime/detail/type_name.hpp>

namespace greenroom::detail {

exit_reason reason_of(const std::exception_ptr& thrown) {
  if (!thrown) return {};
  try {
    std::rethrow_exception(thrown);
  } catch (const cancelled& c) {
    return {exit_kind::cancelled, c.cause};
  } catch (const bad_result& e) {
    return {exit_kind::failed, e.why()};
  } catch (const std::exception& e) {
    return {exit_kind::failed, error(errc::failed, type_name(typeid(e)) + ": " + e.what())};
  } catch (...) {
    return {exit_kind::failed, error(errc::failed, "an exception that is not derived from std::exception")};
  }
}

} // namespace greenroom::detail
