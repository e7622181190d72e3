// What this machine can do at best, measured here: the limits that benchmarks state their share of.
//
// Figures are those of the moment; on a shared machine they vary like everything else. Thread-safety: any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace clm::benchmarking {

// Kernels
// -------------------------------------------------------------------------------------------------------------------

// Reads all words once with the widest vectors there are; returns their sum.
uint64_t ReadWords(std::span<const uint64_t> words);
// Looks up `probes` pseudo-random lines of 64 bytes that do not depend on each other, as a hash table with good
// prefetching would. Requires a power of two of lines, 8 words each. Returns a sum of what it read.
uint64_t ProbeLines(std::span<const uint64_t> words, size_t probes);
// The same, but the place of each line follows from the one before: the time of one is a latency.
uint64_t ChaseLines(std::span<const uint64_t> words, size_t probes);

// Limits of one thread
// -------------------------------------------------------------------------------------------------------------------

struct MachineLimits {
  double copy_bytes_per_second = 0;  // copied from and to memory that no cache holds
  double l2_probes_per_second = 0;   // of 64-byte lines in 512 KiB
};
// Measured at the first call; takes about 0.1 s.
const MachineLimits& Limits();

// Work that nothing can avoid.
struct LeastWork {
  double bytes_in = 0;   // read from memory
  double bytes_out = 0;  // written to it
  double probes = 0;     // of a table in L2
};
// Seconds that one thread needs for it at least. What a benchmark reports as "of_limit" is this over what it took.
double LimitSeconds(const LeastWork& work);

}  // namespace clm::benchmarking
