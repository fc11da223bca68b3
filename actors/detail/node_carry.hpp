// The actors at the two ends of a stream between nodes, for items and for requests of a type.
// Thread safety: as actors.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <greenroom/actors/ask.hpp>
#include <greenroom/actors/detail/node_flow.hpp>
#include <greenroom/actors/request.hpp>
#include <greenroom/actors/wire.hpp>
#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/detail/item_trace.hpp>
#include <greenroom/runtime/mailbox.hpp>
#include <greenroom/runtime/select.hpp>
#include <greenroom/runtime/spawn.hpp>
#include <greenroom/runtime/within.hpp>

namespace greenroom::detail {

template <class T>
struct flow_of {
  static flow_types types() { return {wire_type_of<T>(), std::nullopt}; }
};
template <class M>
struct flow_of<request<M>> {
  static flow_types types() {
    if constexpr (std::is_void_v<typename M::reply>) {
      return {wire_type_of<M>(), wire_type{"void", 1, ""}};
    } else {
      return {wire_type_of<M>(), wire_type_of<typename M::reply>()};
    }
  }
};

// -- where it is sent -------------------------------------------------------------------------------

/// Whatever ends the carrier, senders see a closed mailbox then, and the other node an ended stream.
template <class T>
struct carrier_end {
  mailbox<T> in;
  std::shared_ptr<outflow> out;
  ~carrier_end() {
    in.close(queued::drop);
    out->end();
  }
};

template <class T>
task<> carry(mailbox<T> in, std::shared_ptr<outflow> out) {
  const carrier_end<T> then{in, out};
  auto& sys = this_actor::system();
  while (auto item = co_await in.receive()) {
    auto bytes = wire_encode(*item);
    for (bool done = false; !done;) {
      if (!co_await outflow::room(out)) co_return;
      if (const auto fine = out->fits(bytes.size()); !fine) {
        sys.log().error("an item is lost: {}", fine.error().message());
        break;
      }
      done = out->put(bytes);
    }
  }
}

/// Waits for the answer to one request.
template <class M>
task<> await_answer(request<M> asked, mailbox<flow_answer> answers, std::uint64_t number,
                    std::shared_ptr<outflow> out) {
  using R = typename M::reply;
  const auto until = asked.context();
  auto first = co_await select(answers.receive(), until.done());
  if (first.index() == 1) {
    out->give_up(number);
    asked.fail(first.template get<1>());
    co_return;
  }
  auto& answer = first.template get<0>();
  if (!answer) {
    asked.fail(out->why());
  } else if (!*answer) {
    asked.fail(answer->error());
  } else if constexpr (std::is_void_v<R>) {
    asked.reply();
  } else {
    asked.reply(wire_decode<R>(**answer));
  }
}

template <class M>
task<> carry_requests(mailbox<request<M>> in, std::shared_ptr<outflow> out) {
  const carrier_end<request<M>> then{in, out};
  auto& sys = this_actor::system();
  while (auto asked = co_await in.receive()) {
    auto bytes = wire_encode(asked->message);
    auto [answers, to_answers] = make_mailbox<flow_answer>(bounded(1));
    std::uint64_t number = 0;
    bool sent = false;
    while (!sent && asked->wanted()) {
      if (!co_await outflow::room(out)) {
        asked->fail(out->why());
        while (auto rest = in.try_receive()) rest->fail(out->why());
        co_return;
      }
      if (const auto fine = out->fits(bytes.size()); !fine) {
        asked->fail(fine.error());
        break;
      }
      const auto left = (asked->deadline() - sys.now()).count(); // not negative, which would be no limit
      sent = out->ask(bytes, asked->deadline() == never ? -1 : std::max<std::int64_t>(left, 0), to_answers, number);
    }
    if (!sent) continue; // nobody waits for it any more
    to_answers = {};     // the one that is left is with the connection
    sys.spawn({.name = "remote request"}, await_answer<M>, *std::move(asked), std::move(answers), number, out);
  }
}

// -- where it is taken ------------------------------------------------------------------------------

template <class T>
task<> take(mailbox<flow_item> items, std::shared_ptr<flow_sink> back, weak_address<T> to) {
  while (auto item = co_await items.receive()) {
    auto value = wire_decode<T>(item->bytes);
    if (!value) co_return back->end(std::string(value.error().message()));
    const auto strong = to.lock();
    if (!strong) co_return back->end("its mailbox is closed");
    keep_trace(item->trace);
    const auto sent = co_await strong.send(*std::move(value));
    if (!sent) co_return back->end("its mailbox is closed");
    back->taken();
  }
}

/// Asks without a limit of its own: that of the other side's asker holds, by the context.
template <class M>
task<result<typename M::reply>> ask_for(const address<request<M>>* to, M message) {
  co_return co_await ask_until(*to, std::move(message), never);
}

template <class M>
task<> serve_one(M message, address<request<M>> to, std::shared_ptr<flow_sink> back, flow_item asked) {
  keep_trace(asked.trace);
  auto call = ask_for<M>(&to, std::move(message));
  const auto answer = co_await within(back->begin(asked.number, asked.time_left), std::move(call));
  if (!answer) {
    back->answer(asked.number, answer.error());
  } else if constexpr (std::is_void_v<typename M::reply>) {
    back->answer(asked.number, std::string());
  } else {
    back->answer(asked.number, wire_encode(*answer));
  }
}

template <class M>
task<> take_requests(mailbox<flow_item> items, std::shared_ptr<flow_sink> back, weak_address<request<M>> to) {
  auto& sys = this_actor::system();
  while (auto item = co_await items.receive()) {
    auto message = wire_decode<M>(item->bytes);
    if (!message) co_return back->end(std::string(message.error().message()));
    auto strong = to.lock();
    if (!strong) co_return back->end("its mailbox is closed");
    sys.spawn({.name = "remote request"}, serve_one<M>, *std::move(message), std::move(strong), back, *std::move(item));
  }
}

// -- which of them ----------------------------------------------------------------------------------

template <class T>
flow_server server_of(const address<T>& to) {
  return [weak = weak_address<T>(to)](mailbox<flow_item> items, std::shared_ptr<flow_sink> back) {
    return take<T>(std::move(items), std::move(back), weak);
  };
}
template <class M>
flow_server server_of(const address<request<M>>& to) {
  return [weak = weak_address<request<M>>(to)](mailbox<flow_item> items, std::shared_ptr<flow_sink> back) {
    return take_requests<M>(std::move(items), std::move(back), weak);
  };
}

template <class T>
void spawn_carrier(actor_system& sys, mailbox<T> in, std::shared_ptr<outflow> out) {
  sys.spawn({.made_name = "remote " + out->name()}, carry<T>, std::move(in), std::move(out));
}
template <class M>
void spawn_carrier(actor_system& sys, mailbox<request<M>> in, std::shared_ptr<outflow> out) {
  sys.spawn({.made_name = "remote " + out->name()}, carry_requests<M>, std::move(in), std::move(out));
}

} // namespace greenroom::detail
