// SPDX-License-Identifier: MIT
// Damage covers what was added, in bounded memory.
#include "frame/damage.h"

#include <gtest/gtest.h>

namespace vgpuview {
namespace {

bool covers(const Damage& damage, Point point) {
    for (const Rect& rect : damage.rects())
        if (!intersect(rect, {point, {1, 1}}).empty())
            return true;
    return false;
}

TEST(Damage, CoversEverythingAddedHoweverMuchItIs) {
    Damage damage;
    for (std::int32_t i = 0; i < 100; ++i)
        damage.add({{i * 7, i * 13}, {3, 3}});
    EXPECT_EQ(damage.rects().size(), Damage::capacity);
    for (std::int32_t i = 0; i < 100; ++i)
        EXPECT_TRUE(covers(damage, {i * 7 + 2, i * 13 + 2})) << i;
}

TEST(Damage, SwallowsWhatItAlreadyHas) {
    Damage damage = Damage::all({100, 100});
    damage.add({{10, 10}, {5, 5}});
    EXPECT_EQ(damage.rects().size(), 1U);
    damage.add({{-1, -1}, {200, 200}});
    ASSERT_EQ(damage.rects().size(), 1U);
    EXPECT_EQ(damage.bounds().size.width, 200U);
    damage.add(Rect{});
    EXPECT_EQ(damage.rects().size(), 1U);
    damage.clear();
    EXPECT_TRUE(damage.empty());
    EXPECT_TRUE(damage.bounds().empty());
}

} // namespace
} // namespace vgpuview
