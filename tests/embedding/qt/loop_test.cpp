// Greenroom in a program whose loop is Qt's. Compiled where Qt 5 is found.
#include <functional>
#include <string>

#include <QCoreApplication>
#include <QMetaObject>
#include <QObject>
#include <QThread>
#include <QTimer>
#include <gtest/gtest.h>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/host_loop.hpp>
#include <greenroom/runtime/mailbox.hpp>

namespace greenroom::loop_test {
namespace {

/// What a window would be: an object that only Qt's thread may touch.
class label final : public QObject {
public:
  void show(const std::string& text) {
    EXPECT_EQ(QThread::currentThread(), thread());
    if (!text_.empty()) text_ += ' ';
    text_ += text;
  }
  const std::string& text() const noexcept { return text_; }

private:
  std::string text_;
};

host_loop seen_by_actors(QObject& receiver) {
  return host_loop([at = &receiver](std::function<void()> work) {
    QMetaObject::invokeMethod(at, std::move(work), Qt::QueuedConnection);
  });
}

task<> shout(mailbox<std::string> in, host_loop loop, label* on) {
  while (const auto word = co_await in.receive()) {
    std::string text = *word + "!";
    auto showing = loop.call(&label::show, on, std::move(text));
    const auto shown = co_await std::move(showing);
    EXPECT_TRUE(shown);
  }
}

task<int> seconds_of(int minutes) { co_return minutes * 60; }

TEST(QtLoop, ActorsShowWhatTheLoopSentThem) {
  int argc = 1;
  char name[] = "qt_loop_test";
  char* argv[] = {name, nullptr};
  QCoreApplication app(argc, argv);
  label on;
  options opts;
  opts.workers = 2;
  opts.log_level = "off";
  actor_system sys(opts);
  const auto loop = seen_by_actors(app);
  auto [in, words] = make_mailbox<std::string>(bounded(8));
  const auto shouter = sys.spawn(shout, std::move(in), loop, &on);
  QTimer::singleShot(0, &app, [&] {
    EXPECT_TRUE(words.try_send("one"));
    EXPECT_TRUE(words.try_send("two"));
    loop.start(
        sys,
        [&](const result<int>& seconds) {
          EXPECT_EQ(QThread::currentThread(), app.thread());
          EXPECT_EQ(seconds.value(), 180);
          words = {};
          // It ends when its mailbox is empty. Who waits for that is an actor, never the loop.
          loop.start(
              sys, [&](const result<void>&) { app.quit(); }, [](actor who) -> task<> { (void)co_await who.join(); },
              shouter);
        },
        seconds_of, 3);
  });
  EXPECT_EQ(app.exec(), 0);
  EXPECT_EQ(on.text(), "one! two!");
}

} // namespace
} // namespace greenroom::loop_test
