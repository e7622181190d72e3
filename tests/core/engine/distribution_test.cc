#include "core/engine/distribution.h"

#include <gtest/gtest.h>

namespace clm {
namespace {

TEST(DistributionTest, Placeholder) {}

}  // namespace
}  // namespace clm
