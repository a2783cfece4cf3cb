#include "polyopt/isl/handle.h"

#include <gtest/gtest.h>

#include "polyopt/isl/context.h"

namespace cortex::polyhedral {
namespace {

TEST(Handle, CallCopiesLvaluesAndConsumesRvalues) {
  const Context context;
  const Set a = context.set("{ [i] : 0 <= i < 10 }");
  Set b = context.set("{ [i] : 5 <= i < 15 }");
  const Set both = call(isl_set_intersect, a, std::move(b));
  EXPECT_TRUE(isl_set_is_equal(both.get(), context.set("{ [i] : 5 <= i < 10 }").get()));
  EXPECT_TRUE(a);
  EXPECT_FALSE(b);
}

TEST(Handle, OneObjectMayBeCopiedAndConsumedInOneCall) {
  const Context context;
  Set s = context.set("{ [i] : 0 <= i < 10 }");
  const Set left = call(isl_set_subtract, s, std::move(s));
  ASSERT_TRUE(left);
  EXPECT_TRUE(isl_set_is_empty(left.get()));
  Set t = context.set("{ [i] : 0 <= i < 10 }");
  const Set other_way = call(isl_set_subtract, std::move(t), t);
  ASSERT_TRUE(other_way);
  EXPECT_TRUE(isl_set_is_empty(other_way.get()));
}

TEST(Handle, FailureIsNullAndPropagates) {
  const Context context;
  const Set bad = context.set("{ [i] : 0 <= }");
  EXPECT_FALSE(bad);
  EXPECT_FALSE(call(isl_set_union, bad, context.set("{ [i] : i = 0 }")));
  EXPECT_NE(context.refusal("test").message.find("test: isl failed"), std::string::npos);
}

TEST(Context, BudgetBecomesARefusal) {
  const Context context(10'000);
  const Set huge = context.set("{ [i, j, k] : 0 <= i, j, k < 5000 and 3i + 5j + 7k < 40000 }");
  const Val partial(isl_set_count_val(huge.get()));
  EXPECT_TRUE(context.failed());
  const Error error = context.refusal("counting");
  EXPECT_EQ(error.code, ErrorCode::unsupported);
  EXPECT_FALSE(context.failed());
  EXPECT_NE(error.message.find("gave up after 10000 isl operations"), std::string::npos) << error.message;
}

}  // namespace
}  // namespace cortex::polyhedral
