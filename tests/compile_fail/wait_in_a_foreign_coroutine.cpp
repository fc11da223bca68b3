// expect: greenroom waits can be awaited only inside a greenroom task<>
// A wait suspends an actor; another coroutine type has none.
#include <coroutine>

#include <greenroom/runtime/mailbox.hpp>

struct foreign {
  struct promise_type {
    foreign get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() {}
  };
};

#ifdef GREENROOM_CONTROL
using kind = greenroom::task<>;
#else
using kind = foreign;
#endif

kind wait(greenroom::mailbox<int> in) { const auto item = co_await in.receive(); }
