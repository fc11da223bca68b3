#include <greenroom/http/internal/client_core.hpp>

#include <fmt/format.h>

#include <greenroom/http/internal/characters.hpp>
#include <greenroom/http/internal/content_coding.hpp>
#include <greenroom/runtime/detail/item_trace.hpp>
#include <greenroom/runtime/timer.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom::http::internal {
namespace {

const client_options& checked(const client_options& how) {
  if (const auto outcome = how.check(); !outcome) throw usage_error(std::string(outcome.error().message()));
  return how;
}

bool is_redirection(int status) noexcept {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// Says whether a server that answers so may answer otherwise soon.
bool is_passing(int status) noexcept { return status == 502 || status == 503 || status == 504; }

/// Returns a coding of the answer's body that its request does not allow, or "". Source: RFC 9110 section 12.5.3, but stricter: without the
/// field a server may choose any coding, and nobody here would notice that the bytes are coded.
std::string_view unasked_coding(const outgoing& request, const incoming& from) {
  if (from.ended() && !from.parser.has_content()) return {}; // there is no body
  std::string allowed;
  for (const auto& f : request.fields) {
    if (same_word(f.name, "accept-encoding")) allowed.append(f.value).append(",");
  }
  std::string_view unasked;
  for (const auto& f : from.parser.head().fields) {
    if (!same_word(f.name, "content-encoding")) continue;
    for_each_element(f.value, [&](std::string_view coding) {
      if (!same_word(coding, "identity") && !allows_coding(allowed, coding)) unasked = coding;
    });
  }
  return unasked;
}

/// Asks the hook, which sees the span of the call as what the actor works for.
std::string traceparent_of_call(const client_options& how, const trace_context& call) {
  if (!how.traceparent) return {};
  std::optional<greenroom::detail::works_for> in_call;
  if (call) in_call.emplace(call);
  auto field = how.traceparent(this_actor::context());
  if (!all_of(field, value_char)) field.clear();
  return field;
}

error refused_coding(std::string_view coding) {
  return {errc::upstream,
          fmt::format("the answer is refused: its body has the coding '{}', which the request does not allow; with a "
                      "field Accept-Encoding that does, the body comes as it is",
                      coding.substr(0, 40))};
}

} // namespace

client_core::client_core(actor_system& sys, client_options how)
    : system(sys),
      options(checked(how)),
      pool(std::make_shared<connection_pool>(
          sys, pool_limits{options.connections_per_host, options.idle_connections, options.idle_time})),
      budget_(options.retry_share, options.retry_reserve) {}

// -- one attempt ------------------------------------------------------------------------------------------

task<result<std::unique_ptr<stream>>> client_core::secured(self core, web_url to) {
  endpoint where(to.host, to.port);
  auto connecting = core->system.net().connect(std::move(where));
  auto made = co_await std::move(connecting);
  if (!made || !to.secure) co_return made;
  auto securing = core->options.secure(std::move(*made), to.host);
  co_return co_await std::move(securing);
}

task<result<std::unique_ptr<stream>>> client_core::connect(self core, web_url to) {
  if (to.secure && !core->options.secure)
    co_return error(errc::unsupported, "this client speaks no https, as client_options::secure is not set");
  const auto limit = core->options.connect_time;
  auto connecting = secured(core, to);
  auto limited = with_timeout(limit, std::move(connecting));
  auto made = co_await std::move(limited);
  if (!made && made.error().is(errc::timed_out)) {
    co_return error(errc::timed_out,
                    fmt::format("cannot connect: {}: no connection within {} s", to.authority(), seconds_of(limit)));
  }
  co_return made;
}

/// Sends a request once; and once more at once if the connection that it was sent over had been closed by the server meanwhile, which
/// happens to every kept connection now and then.
task<attempt_result> client_core::attempt(self core, request_ptr request) {
  const auto trace = traceparent_of_call(core->options, request->trace);
  auto entering = connection_pool::enter(core->pool, request->url.origin());
  auto held = co_await std::move(entering);
  request->had_turn->store(true, std::memory_order_relaxed);
  for (bool fresh = false;; fresh = true) {
    const bool reused = !fresh && held.reuse();
    if (!reused) {
      auto connecting = connect(core, request->url);
      auto made = co_await std::move(connecting);
      if (!made) co_return attempt_result(made.error(), progress::none);
      held.open(std::move(*made));
    }
    auto x = std::make_unique<incoming>(std::move(held), *request);
    auto talking = converse(x.get(), request->head(trace), request->body);
    co_await std::move(talking);
    if (x->parser.at() != response_parser::state::failed) co_return attempt_result(std::move(x));
    const auto how_far = x->parser.begun() ? progress::answered : x->any_sent ? progress::sent : progress::none;
    const bool stale = reused && (how_far == progress::none || (how_far == progress::sent && request->may_repeat()));
    if (!stale) co_return attempt_result(x->parser.why(), how_far);
    held = std::move(x->held);
    held.distrust();
  }
}

// -- retries ----------------------------------------------------------------------------------------------

/// Takes a token for a retry or a hedge.
bool client_core::spend() noexcept {
  if (budget_.spend()) return true;
  retries_denied_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

/// Returns how long to wait before a request is sent again; nothing if it is not to be.
std::optional<duration> client_core::pause_before_retry(const outgoing& request, const attempt_result& failed,
                                                        int retries) {
  if (retries >= options.retries) return std::nullopt;
  duration asked = duration::zero();
  if (failed.answer) {
    const auto& head = failed.answer->parser.head();
    if (!is_passing(head.status) || !request.may_repeat()) return std::nullopt;
    if (const auto after = find_field(head.fields, "retry-after"))
      asked = read_retry_after(*after, system.wall_now()).value_or(duration::zero());
  } else {
    const bool passing = failed.why.is(errc::io) || failed.why.is(errc::closed) || failed.why.is(errc::timed_out);
    if (!passing || failed.how_far == progress::answered) return std::nullopt;
    if (failed.how_far == progress::sent && !request.may_repeat()) return std::nullopt;
  }
  const auto pause = std::max(asked, greenroom::detail::full_jitter(options.retry_pause, retries));
  // Who cannot wait so long is better off with what there is.
  if (pause >= this_actor::context().remaining() || !spend()) return std::nullopt;
  return pause;
}

task<attempt_result> client_core::persist(self core, request_ptr request) {
  for (int retries = 0;; ++retries) {
    attempt_result got;
    if (request->hedge_after == duration::max() || !request->may_repeat()) {
      auto trying = attempt(core, request);
      got = co_await std::move(trying);
    } else {
      auto trying = hedged(core, request);
      got = co_await std::move(trying);
    }
    const auto pause = core->pause_before_retry(*request, got, retries);
    if (!pause) co_return got;
    if (got.answer) got.answer->drain();
    got = attempt_result();
    core->retries_.fetch_add(1, std::memory_order_relaxed);
    co_await sleep_for(*pause);
  }
}

// -- hedging ----------------------------------------------------------------------------------------------

struct client_core::pair {
  attempt_result of[2];
};

task<> client_core::run_attempt(self core, request_ptr request, address<std::size_t> done, std::shared_ptr<pair> into,
                                std::size_t index) {
  auto trying = attempt(std::move(core), request);
  into->of[index] = co_await std::move(trying);
  (void)done.try_send(index);
}

/// Starts one attempt, and another one if the first is slow. Returns which one is to count: the first with an answer, or else the last.
task<std::size_t> client_core::race(scope& both, self core, request_ptr request, std::shared_ptr<pair> results) {
  auto ends = make_mailbox<std::size_t>(bounded(2));
  std::size_t winner = 0;
  both.spawn({.name = "http request"}, run_attempt, core, request, ends.out, results, std::size_t{0});
  const auto in_time = co_await ends.in.receive_for(request->hedge_after);
  if (in_time) co_return winner;
  int running = 1;
  if (core->spend()) {
    core->hedges_.fetch_add(1, std::memory_order_relaxed);
    both.spawn({.name = "http hedge"}, run_attempt, core, request, ends.out, results, std::size_t{1});
    ++running;
  }
  ends.out = {}; // if both were to fail by an exception, the mailbox closes
  for (bool answered = false; running > 0 && !answered; --running) {
    const auto done = co_await ends.in.receive();
    if (!done) break;
    winner = *done;
    answered = results->of[winner].answer != nullptr;
  }
  both.cancel();
  co_return winner;
}

task<attempt_result> client_core::hedged(self core, request_ptr request) {
  auto results = std::make_shared<pair>();
  auto racing = with_scope(race, std::move(core), std::move(request), results);
  const auto winner = co_await std::move(racing);
  if (!winner) co_return attempt_result(winner.error(), progress::answered);
  if (auto& loser = results->of[1 - *winner]; loser.answer) loser.answer->drain();
  co_return std::move(results->of[*winner]);
}

// -- redirections -----------------------------------------------------------------------------------------

task<result<std::unique_ptr<incoming>>> client_core::answer_to(self core, outgoing request) {
  const auto most = core->options.redirects;
  const auto now = std::make_shared<outgoing>(std::move(request)); // changes between attempts only
  for (int followed = 0;; ++followed) {
    auto trying = persist(core, now);
    auto got = co_await std::move(trying);
    if (!got.answer) co_return got.why;
    const auto& head = got.answer->parser.head();
    const auto location = find_field(head.fields, "location");
    if (most == 0 || !is_redirection(head.status) || !location) {
      if (const auto coding = unasked_coding(*now, *got.answer); !coding.empty()) co_return refused_coding(coding);
      co_return std::move(got.answer);
    }
    const auto shown = shown_reference(*location);
    if (followed == most)
      co_return error(
          errc::upstream,
          fmt::format("it was redirected more often than the limit of {} times, at last to '{}'", most, shown));
    if (const auto turned = now->redirect(head.status, *location); !turned) {
      co_return error(errc::upstream,
                      fmt::format("its redirection to '{}' is not followed: {}", shown, turned.error().message()));
    }
    core->redirects_.fetch_add(1, std::memory_order_relaxed);
    got.answer->drain();
  }
}

// -- counts and codes -------------------------------------------------------------------------------------

void client_core::count_call() noexcept {
  requests_.fetch_add(1, std::memory_order_relaxed);
  budget_.earn();
}

errc code_for_caller(errc cause) noexcept {
  switch (cause) {
  case errc::timed_out:
  case errc::cancelled:
  case errc::stopped:
  case errc::failed: // an exception of a hook
  case errc::unsupported: return cause;
  default: return errc::upstream;
  }
}

client_stats client_core::stats() const {
  const auto connections = pool->stats();
  client_stats now;
  now.requests = requests_.load(std::memory_order_relaxed);
  now.failed = failed_.load(std::memory_order_relaxed);
  now.retries = retries_.load(std::memory_order_relaxed);
  now.retries_denied = retries_denied_.load(std::memory_order_relaxed);
  now.hedges = hedges_.load(std::memory_order_relaxed);
  now.redirects = redirects_.load(std::memory_order_relaxed);
  now.opened = connections.opened;
  now.reused = connections.reused;
  now.stale = connections.stale;
  now.open = connections.open;
  now.idle = connections.idle;
  now.waiting = connections.waiting;
  return now;
}

} // namespace greenroom::http::internal
