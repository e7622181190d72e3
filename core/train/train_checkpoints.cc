#include "core/train/train_checkpoints.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "core/artifact/safetensors.h"
#include "core/base/digest.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"

namespace clm {
namespace {

constexpr char kPrefix[] = "step-";
constexpr char kTemporary[] = "tmp-step";
constexpr char kTrainWeights[] = "weights.safetensors";
constexpr char kOptimizer[] = "optimizer.safetensors";
constexpr char kState[] = "train_state.json";
constexpr uint64_t kMaxStateBytes = uint64_t{64} << 20;

absl::StatusOr<std::string> DigestOfFile(const FileSystem& files, const std::string& path) {
  CLM_ASSIGN_OR_RETURN(const std::unique_ptr<MappedFile> map, files.Map(path));
  return Sha256Hex(map->data());
}

// A file whose digest agrees was written by this program; shapes are still compared, because the layout may be another.
absl::Status CopyTensor(const SafetensorsFile& file, const std::string& name, uint64_t size, float* out) {
  const TensorView* tensor = file.Find(name);
  if (tensor == nullptr || tensor->type != TensorType::kF32 || tensor->bytes.size() != size * sizeof(float)) {
    return absl::DataLossError(absl::StrCat("tensor ", name, " is missing or misshapen"));
  }
  std::memcpy(out, tensor->bytes.data(), tensor->bytes.size());
  return absl::OkStatus();
}

TensorView FlatView(const std::string& name, std::span<const float> values) {
  return {.name = name,
          .type = TensorType::kF32,
          .shape = {values.size()},
          .bytes = {reinterpret_cast<const char*>(values.data()), values.size_bytes()}};
}

}  // namespace

std::string TrainCheckpoints::PathOf(uint64_t step) const {
  return JoinPath(folder_, absl::StrFormat("%s%010u", kPrefix, step));
}

absl::StatusOr<std::vector<uint64_t>> TrainCheckpoints::Steps() const {
  std::vector<uint64_t> steps;
  if (!files_.Exists(folder_)) return steps;
  CLM_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(folder_));
  for (const std::string& name : names) {
    absl::string_view digits = name;
    uint64_t step = 0;
    if (absl::ConsumePrefix(&digits, kPrefix) && absl::SimpleAtoi(digits, &step) &&
        PathOf(step) == JoinPath(folder_, name)) {
      steps.push_back(step);
    }
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

absl::Status TrainCheckpoints::Write(TrainState state, const TrainArrays<const float>& arrays) {
  const std::string temporary = JoinPath(folder_, kTemporary);
  CLM_RETURN_IF_ERROR(files_.RemoveTree(temporary));
  CLM_RETURN_IF_ERROR(files_.MakeDirectories(temporary));
  CLM_RETURN_IF_ERROR(WriteFiles(temporary, state, arrays));
  // One is there only when it was found damaged and its step came again.
  CLM_RETURN_IF_ERROR(files_.RemoveTree(PathOf(state.step)));
  CLM_RETURN_IF_ERROR(PublishDirectory(files_, temporary, PathOf(state.step)));
  return RemoveOld(state);
}

absl::Status TrainCheckpoints::WriteFiles(const std::string& path, TrainState& state,
                                          const TrainArrays<const float>& arrays) {
  const std::vector<TensorView> weights = TensorViews(layout_, arrays.weights);
  CLM_RETURN_IF_ERROR(WriteSafetensors(files_, JoinPath(path, kTrainWeights), weights, {}));
  const std::vector<TensorView> moments = {FlatView("first_moments", arrays.first_moments),
                                           FlatView("second_moments", arrays.second_moments)};
  CLM_RETURN_IF_ERROR(WriteSafetensors(files_, JoinPath(path, kOptimizer), moments, {}));
  CLM_ASSIGN_OR_RETURN(state.weights_digest, DigestOfFile(files_, JoinPath(path, kTrainWeights)));
  CLM_ASSIGN_OR_RETURN(state.optimizer_digest, DigestOfFile(files_, JoinPath(path, kOptimizer)));
  return WriteFileAtomically(files_, JoinPath(path, kState), state.ToJson());
}

absl::Status TrainCheckpoints::RemoveOld(const TrainState& state) {
  CLM_ASSIGN_OR_RETURN(const std::vector<uint64_t> steps, Steps());
  const std::optional<ValidationPoint> best = state.best();
  for (size_t i = 0; i + static_cast<size_t>(keep_last_) < steps.size(); ++i) {
    if (best.has_value() && steps[i] == best->step) continue;
    CLM_RETURN_IF_ERROR(files_.RemoveTree(PathOf(steps[i])));
  }
  return absl::OkStatus();
}

absl::StatusOr<TrainState> TrainCheckpoints::Restore(uint64_t step, const std::string& run_digest,
                                                     const TrainArrays<float>& arrays) const {
  const std::string path = PathOf(step);
  CLM_ASSIGN_OR_RETURN(const std::string json, ReadFile(files_, JoinPath(path, kState), kMaxStateBytes));
  CLM_ASSIGN_OR_RETURN(TrainState state, TrainState::FromJson(json));
  if (state.step != step) return absl::DataLossError(absl::StrCat("train_state.json is of step ", state.step));
  for (const auto& [name, digest] :
       {std::pair(kTrainWeights, state.weights_digest), {kOptimizer, state.optimizer_digest}}) {
    CLM_ASSIGN_OR_RETURN(const std::string actual, DigestOfFile(files_, JoinPath(path, name)));
    if (actual != digest) return absl::DataLossError(absl::StrCat(name, " does not have the stored digest"));
  }
  if (state.run_digest != run_digest) {
    return absl::FailedPreconditionError(absl::StrCat(path, " belongs to another run: its digest is ", state.run_digest,
                                                      ", this run's is ", run_digest));
  }
  CLM_ASSIGN_OR_RETURN(const SafetensorsFile weights, SafetensorsFile::Open(files_, JoinPath(path, kTrainWeights)));
  for (const ParameterSpec& spec : layout_.parameters()) {
    CLM_RETURN_IF_ERROR(
        CopyTensor(weights, spec.name, static_cast<uint64_t>(spec.size()), arrays.weights.data() + spec.offset));
  }
  CLM_ASSIGN_OR_RETURN(const SafetensorsFile moments, SafetensorsFile::Open(files_, JoinPath(path, kOptimizer)));
  CLM_RETURN_IF_ERROR(CopyTensor(moments, "first_moments", arrays.first_moments.size(), arrays.first_moments.data()));
  CLM_RETURN_IF_ERROR(
      CopyTensor(moments, "second_moments", arrays.second_moments.size(), arrays.second_moments.data()));
  return state;
}

absl::StatusOr<std::optional<TrainState>> TrainCheckpoints::RestoreNewest(const std::string& run_digest,
                                                                          const TrainArrays<float>& arrays,
                                                                          std::vector<std::string>& notes) const {
  CLM_ASSIGN_OR_RETURN(const std::vector<uint64_t> steps, Steps());
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    absl::StatusOr<TrainState> state = Restore(*step, run_digest, arrays);
    if (state.ok()) return std::optional<TrainState>(*std::move(state));
    const absl::StatusCode code = state.status().code();
    // Only damage is passed over; a disk that cannot be read now may be readable later.
    if (code != absl::StatusCode::kDataLoss && code != absl::StatusCode::kNotFound) return state.status();
    notes.push_back(
        absl::StrCat("checkpoint ", PathOf(*step), " is damaged and was passed over: ", state.status().message()));
  }
  return std::optional<TrainState>();
}

}  // namespace clm
