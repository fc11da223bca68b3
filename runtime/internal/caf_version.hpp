// Which CAF this is, and what its versions from 0.17.6 to 1.1 name differently, in one form. The only file that looks at CAF's
// version number; ARCHITECTURE.md lists what differs beyond names.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <caf/actor_control_block.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/config.hpp>
#include <caf/error.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/message.hpp>
#include <caf/sec.hpp>

// CAF's own number is 1706 for 0.17.6, but from 1.0 on it begins with a zero and so is read as an octal one.
#ifdef CAF_VERSION_MAJOR
#define GREENROOM_CAF (CAF_VERSION_MAJOR * 10000 + CAF_VERSION_MINOR * 100 + CAF_VERSION_PATCH)
#else
#define GREENROOM_CAF CAF_VERSION
#endif
#if GREENROOM_CAF < 1706
#error "Greenroom needs CAF 0.17.6 or later"
#endif

#if GREENROOM_CAF >= 10000
#include <caf/abstract_actor.hpp>
#include <caf/scheduler.hpp>
#include <caf/version.hpp>
#else
#include <caf/execution_unit.hpp>
#include <caf/monitorable_actor.hpp>
#endif
#if GREENROOM_CAF >= 1800
#include <caf/init_global_meta_objects.hpp>
#endif

namespace greenroom::internal {

/// Returns the version that this is compiled with, "0.17.6".
inline std::string caf_of_headers() {
  constexpr auto number = GREENROOM_CAF;
  return std::to_string(number / 10'000) + '.' + std::to_string(number / 100 % 100) + '.' +
         std::to_string(number % 100);
}

/// Returns the version of the library that runs; "" before 1.0, where CAF cannot be asked.
inline std::string caf_that_runs() {
#if GREENROOM_CAF >= 10000
  return caf::version::c_str();
#else
  return {};
#endif
}

// -- actors ---------------------------------------------------------------------------------------

#if GREENROOM_CAF >= 10000
using caf_unit = caf::scheduler; // what CAF hands on with each message: who runs the actors that it wakes
using caf_actor = caf::abstract_actor;
#else
using caf_unit = caf::execution_unit;
using caf_actor = caf::monitorable_actor;
#endif

/// The base of an actor of ours.
class caf_actor_base : public caf_actor {
public:
  using caf_actor::caf_actor;
  void setup_metrics() {} // asked for by make_actor() from 0.18 on

#if GREENROOM_CAF >= 10000
private:
  void force_close_mailbox() override {} // there is none; cleanup() has told of the end
#endif
};

/// What enqueue() returns: nothing, or from 0.18 on whether the actor lives.
using enqueue_result =
    decltype(std::declval<caf::abstract_actor&>().enqueue(caf::mailbox_element_ptr(), static_cast<caf_unit*>(nullptr)));

// -- messages -------------------------------------------------------------------------------------

/// Who stands between the answer and the one who asked: the rest of a composed actor. Gone from 1.0 on.
using caf_stages = std::vector<caf::strong_actor_ptr>;

inline caf::message take_content(caf::mailbox_element& from) {
#if GREENROOM_CAF >= 1800
  return std::move(from.payload);
#else
  return from.move_content_to_message();
#endif
}

inline caf_stages take_stages([[maybe_unused]] caf::mailbox_element& from) {
#if GREENROOM_CAF >= 10000
  return {};
#else
  return std::move(from.stages);
#endif
}

inline caf::mailbox_element_ptr make_element(caf::strong_actor_ptr from, caf::message_id id,
                                             [[maybe_unused]] caf_stages stages, caf::message content) {
#if GREENROOM_CAF >= 10000
  return caf::make_mailbox_element(std::move(from), id, std::move(content));
#else
  return caf::make_mailbox_element(std::move(from), id, std::move(stages), std::move(content));
#endif
}

// -- errors ---------------------------------------------------------------------------------------

inline std::string text_of([[maybe_unused]] const caf::actor_system& where, const caf::error& why) {
#if GREENROOM_CAF >= 1800
  return to_string(why);
#else
  return where.render(why);
#endif
}

/// Returns whether an answer says that none will come.
inline bool says_no_reply(const caf::error& why) {
#if GREENROOM_CAF >= 1800
  if (why == caf::sec::broken_promise) return true;
#endif
  return why == caf::sec::request_receiver_down;
}

// -- systems --------------------------------------------------------------------------------------

/// Tells CAF of its own types, which from 0.18 on must precede the first configuration. Again it does nothing.
inline bool announce_core_types() {
#if GREENROOM_CAF >= 1800
  [[maybe_unused]] static const bool once = (caf::core::init_global_meta_objects(), true);
#endif
  return true;
}

/// Whether CAF keeps its actors on threads of its own, as many as there are workers: from 1.0 on its scheduler cannot be replaced.
inline constexpr bool caf_has_own_threads = GREENROOM_CAF >= 10000;

/// Has CAF run its actors on so many threads of its own.
inline void use_threads_of_caf(caf::actor_system_config& config, std::size_t threads) {
#if GREENROOM_CAF >= 1800
  config.set("caf.scheduler.max-threads", threads);
  config.set("caf.scheduler.policy",
             "sharing"); // stealing, the default, polls: our idle system makes no context switches
#else
  config.set("scheduler.max-threads", threads);
#endif
}

} // namespace greenroom::internal
