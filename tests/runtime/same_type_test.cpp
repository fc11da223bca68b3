// Two files have a type of the same name, each in its unnamed namespace: this one and same_type_elsewhere_test.cpp.
#include <greenroom/runtime/detail/same_type.hpp>

#include <string>
#include <typeindex>
#include <vector>

#include <gtest/gtest.h>

#include <greenroom/runtime/actor_system.hpp>
#include <greenroom/runtime/context.hpp>
#include <greenroom/tests/runtime/support.hpp>

namespace greenroom::test {

std::type_index own_type_elsewhere();
std::string own_text_elsewhere(const context& ctx);

namespace {

struct own {
  int value;
};

TEST(SameType, ComparesTypesNotTheirNames) {
  EXPECT_TRUE(detail::same_type(typeid(std::string), typeid(std::string)));
  EXPECT_FALSE(detail::same_type(typeid(std::string), typeid(int)));
  EXPECT_TRUE(detail::same_type(typeid(own), typeid(own)));
  EXPECT_TRUE(detail::same_type(typeid(std::vector<own>), typeid(std::vector<own>)));
  EXPECT_FALSE(detail::same_type(typeid(own), own_type_elsewhere()));
}

TEST(SameType, ValueOfAContextIsNoValueOfATypeThatIsCalledTheSame) {
  actor_system sys(quiet(1));
  const auto ctx = sys.context().with_value(own{7});
  ASSERT_NE(ctx.value<own>(), nullptr);
  EXPECT_EQ(ctx.value<own>()->value, 7);
  EXPECT_EQ(own_text_elsewhere(ctx), "none");
}

} // namespace
} // namespace greenroom::test
