#include "core/model/determinism.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include "absl/strings/str_cat.h"
#include "core/base/thread_pool.h"
#include "core/model/torch_status.h"

namespace clm {

absl::Status ConfigureDeterminism(int threads) {
  if (threads < 0 || threads > 1024) {
    return absl::InvalidArgumentError(absl::StrCat("threads is ", threads, ", must be in [0, 1024]"));
  }
  return CatchTorch("determinism", [threads] {
    at::Context& context = at::globalContext();
    context.setDeterministicAlgorithms(true, /*warn_only=*/false);
    // Otherwise every new tensor is filled with NaN, which finds bugs but costs a pass over it.
    context.setDeterministicFillUninitializedMemory(false);
    context.setAllowTF32CuBLAS(false);
    context.setAllowTF32CuDNN(false);
    context.setBenchmarkCuDNN(false);
    at::set_num_threads(threads > 0 ? threads : static_cast<int>(AvailableThreads()));
    return absl::OkStatus();
  });
}

int ComputeThreads() { return at::get_num_threads(); }

}  // namespace clm
