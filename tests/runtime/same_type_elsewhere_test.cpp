// The other half of same_type_test.cpp.
#include <string>
#include <typeindex>

#include <gtest/gtest.h>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/context.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::test {
namespace {

struct own {
  std::string text;
};

} // namespace

std::type_index own_type_elsewhere() { return typeid(own); }
std::string own_text_elsewhere(const context& ctx) {
  const auto* const found = ctx.value<own>();
  return found != nullptr ? found->text : "none";
}

TEST(SameTypeElsewhere, ValueOfItsOwnTypeIsFound) {
  actor_system sys(quiet(1));
  EXPECT_EQ(own_text_elsewhere(sys.context().with_value(own{"here"})), "here");
}

} // namespace greenroom::test
