#include "tests/registry/allocation_watch.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

thread_local size_t largest_allocation = 0;

}  // namespace

// NOLINTBEGIN(cppcoreguidelines-no-malloc)
void* operator new(size_t bytes) {
  largest_allocation = std::max(largest_allocation, bytes);
  void* const memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) std::abort();
  return memory;
}
// The library gives what this one asks for back with the delete below.
void* operator new(size_t bytes, const std::nothrow_t&) noexcept { return ::operator new(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
// NOLINTEND(cppcoreguidelines-no-malloc)

namespace clm::testing {

void ForgetAllocations() { largest_allocation = 0; }
size_t LargestAllocation() { return largest_allocation; }

}  // namespace clm::testing
