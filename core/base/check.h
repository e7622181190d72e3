// CLM_CHECK: stops the process on a broken invariant of our own. Never for what a caller, a file or a device can cause;
// that is an absl::Status.
#pragma once

#include <cstdio>
#include <cstdlib>

#define CLM_CHECK(condition)                                                                 \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      std::fprintf(stderr, "%s:%d: broken invariant: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)
