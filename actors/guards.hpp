// guards: what stands between a program and a service that it calls, in one include, and how it is stacked round one call. From outside: how long the
// caller waits at all; how often it is tried; how soon a second time beside the first; how many do so at once; whether it is tried at all; how long
// one attempt takes.
//
//   struct bank_client {                                       // one for each service; copies share the state
//     retry_budget again{{.share = 0.1}};
//     retry_budget twice{{.share = 0.05}};
//     bulkhead room{{.name = "bank", .at_once = 16}};
//     circuit_breaker breaker{{.name = "bank", .slow_after = 80ms}};
//   };
//   task<result<balance>> attempt(account_id id) {             // a coroutine, so that its time counts from its start
//     auto asking = with_timeout(100ms, fetch_balance(id));
//     co_return co_await std::move(asking);
//   }
//   task<result<balance>> balance_of(bank_client to, account_id id) {
//     const auto admitted = [=] { return to.room.call(to.breaker.call(attempt(id))); };
//     const auto hedged = [=] { return hedge(to.twice, 40ms, admitted); };
//     auto asking = with_timeout(300ms, retry(to.again, {.retries = 2}, hedged));
//     co_return co_await std::move(asking);
//   }
//
// Each layer takes and gives a task<result<T>>, so each can be left out, and a rate_limiter, a cache or a singleflight put where it belongs: a cache
// outside of all, a rate limiter beside the bulkhead. The breaker is inside of the bulkhead, so that the wait for room is no slowness of the service,
// and a queue before a service that has failed empties at once. What they refuse, unavailable, full and limit, retry() does not try again. Several
// services at once: gather.hpp, round such calls.
// Thread safety: as each says. Lifetime: copies share one state, so that calls may outlive who made them.
#pragma once

#include <greenroom/actors/bulkhead.hpp>
#include <greenroom/actors/circuit_breaker.hpp>
#include <greenroom/actors/hedge.hpp>
#include <greenroom/actors/rate_limiter.hpp>
#include <greenroom/actors/retry.hpp>
#include <greenroom/runtime/within.hpp>
