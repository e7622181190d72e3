#include "core/model/device.h"

#include <ATen/Context.h>
#include <dlfcn.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/model/torch_status.h"

namespace clm {
namespace {

// libtorch_cuda.so lies beside libtorch_cpu.so, wherever that was found.
std::string CudaLibraryPath() {
  Dl_info library{};
  const void* inside = reinterpret_cast<const void*>(&at::globalContext);
  if (dladdr(inside, &library) == 0 || library.dli_fname == nullptr) return "libtorch_cuda.so";
  const std::string path = library.dli_fname;
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "libtorch_cuda.so" : path.substr(0, slash + 1) + "libtorch_cuda.so";
}

absl::Status LoadCuda() {
  const std::string path = CudaLibraryPath();
  // Never closed: what it registers refers to its code.
  if (dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    const char* reason = dlerror();
    return absl::FailedPreconditionError(
        absl::StrCat("device cuda: cannot load ", path, ": ", reason == nullptr ? "unknown reason" : reason));
  }
  return CatchTorch("device cuda", [] {
    if (at::hasCUDA() && at::globalContext().hasCUDA() && at::detail::getCUDAHooks().deviceCount() > 0) {
      return absl::OkStatus();
    }
    return absl::FailedPreconditionError("device cuda: the CUDA libraries are here but no usable GPU is");
  });
}

const absl::Status& CudaStatus() {
  static const absl::Status& status = *new absl::Status(LoadCuda());  // one attempt per process
  return status;
}

}  // namespace

absl::StatusOr<DeviceKind> ResolveDevice(absl::string_view name) {
  if (name == "cpu") return DeviceKind::kCpu;
  if (name != "cuda" && name != "auto") {
    return absl::InvalidArgumentError(absl::StrCat("device is \"", name, "\", must be auto, cpu or cuda"));
  }
  const absl::Status& cuda = CudaStatus();
  if (cuda.ok()) return DeviceKind::kCuda;
  if (name == "cuda") return absl::FailedPreconditionError(cuda.message());
  Log(LogLevel::kDebug, "no GPU, using the CPU", {{"reason", std::string(cuda.message())}});
  return DeviceKind::kCpu;
}

absl::string_view DeviceName(DeviceKind device) { return device == DeviceKind::kCuda ? "cuda" : "cpu"; }

}  // namespace clm
