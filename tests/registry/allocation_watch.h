// The largest piece of memory that this thread has asked for. Replaces the program's operator new.
#pragma once

#include <cstddef>

namespace clm::testing {

void ForgetAllocations();
size_t LargestAllocation();

}  // namespace clm::testing
