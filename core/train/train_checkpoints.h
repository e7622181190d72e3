// TrainCheckpoints: the checkpoints a run writes while it trains, and how it finds its way back.
//
//   <folder>/step-0000001200/weights.safetensors    parameters by name, as trained (composed rows factored)
//                            optimizer.safetensors  first_moments, second_moments: flat [total]
//                            train_state.json       step, digests of both files, validations
//
// A checkpoint is written under a temporary name and published as a whole, so a folder of that name is complete. What a
// disk damaged is found by the digests, and the one before is used. The newest `keep_last` and the one of the best
// validation are kept.
//
// Thread-safety: one thread at a time; one process per folder. No LibTorch.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/file_io.h"
#include "core/checkpoint/parameter_layout.h"
#include "core/train/train_state.h"

namespace clm {

// Three flat arrays of layout.total() floats.
template <typename Float>
struct TrainArrays {
  std::span<Float> weights;
  std::span<Float> first_moments;
  std::span<Float> second_moments;
};

class TrainCheckpoints {
 public:
  // `files` and `layout` outlive this. The folder is made on the first Write().
  TrainCheckpoints(FileSystem& files, std::string folder, const ParameterLayout& layout, int keep_last)
      : files_(files), folder_(std::move(folder)), layout_(layout), keep_last_(keep_last) {}

  // Publishes the checkpoint of state.step (replacing one of that step) and removes those no longer kept. The digests
  // of the files are filled in here.
  absl::Status Write(TrainState state, const TrainArrays<const float>& arrays);

  // The newest whole checkpoint of run `run_digest` into `arrays`; nothing when there is none. Damaged ones are passed
  // over, with a sentence each in `notes`. FAILED_PRECONDITION when the folder holds a whole checkpoint of another run.
  // `arrays` are unspecified after an error and unchanged when nothing is found.
  absl::StatusOr<std::optional<TrainState>> RestoreNewest(const std::string& run_digest,
                                                          const TrainArrays<float>& arrays,
                                                          std::vector<std::string>& notes) const;

  // Steps that have a folder, ascending. Empty when nothing was written yet.
  absl::StatusOr<std::vector<uint64_t>> Steps() const;

 private:
  std::string PathOf(uint64_t step) const;
  absl::Status WriteFiles(const std::string& path, TrainState& state, const TrainArrays<const float>& arrays);
  absl::Status RemoveOld(const TrainState& state);
  absl::StatusOr<TrainState> Restore(uint64_t step, const std::string& run_digest,
                                     const TrainArrays<float>& arrays) const;

  FileSystem& files_;
  const std::string folder_;
  const ParameterLayout& layout_;
  const int keep_last_;
};

}  // namespace clm
