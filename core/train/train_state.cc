#include "core/train/train_state.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/strict_json.h"

namespace clm {
namespace {

using Json = nlohmann::json;

constexpr int kVersion = 1;
constexpr size_t kDigestDigits = 64;

absl::Status Damaged(absl::string_view field) {
  return absl::DataLossError(absl::StrCat("train_state.json: ", field, " is missing or malformed"));
}

absl::Status ReadCount(const Json& object, const char* key, uint64_t& value) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned()) return Damaged(key);
  value = found->get<uint64_t>();
  return absl::OkStatus();
}

absl::Status ReadReal(const Json& object, const char* key, double& value) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return Damaged(key);
  value = found->get<double>();
  return std::isfinite(value) && value >= 0 ? absl::OkStatus() : Damaged(key);
}

absl::Status ReadDigest(const Json& object, const char* key, std::string& value) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return Damaged(key);
  value = found->get<std::string>();
  return value.size() == kDigestDigits ? absl::OkStatus() : Damaged(key);
}

absl::Status ReadValidations(const Json& object, std::vector<ValidationPoint>& points) {
  const auto found = object.find("validations");
  if (found == object.end() || !found->is_array()) return Damaged("validations");
  for (const Json& entry : *found) {
    if (!entry.is_object()) return Damaged("validations");
    ValidationPoint point;
    CLM_RETURN_IF_ERROR(ReadCount(entry, "step", point.step));
    CLM_RETURN_IF_ERROR(ReadCount(entry, "original_bytes", point.original_bytes));
    CLM_RETURN_IF_ERROR(ReadReal(entry, "bits_per_byte", point.bits_per_byte));
    points.push_back(point);
  }
  return absl::OkStatus();
}

}  // namespace

std::optional<ValidationPoint> TrainState::best() const {
  std::optional<ValidationPoint> lowest;
  for (const ValidationPoint& point : validations) {
    if (!lowest.has_value() || point.bits_per_byte < lowest->bits_per_byte) lowest = point;
  }
  return lowest;
}

std::string TrainState::ToJson() const {
  Json points = Json::array();
  for (const ValidationPoint& point : validations) {
    points.push_back(
        {{"step", point.step}, {"original_bytes", point.original_bytes}, {"bits_per_byte", point.bits_per_byte}});
  }
  const Json root = {{"version", kVersion},
                     {"step", step},
                     {"original_bytes", original_bytes},
                     {"targets", targets},
                     {"smoothed_loss_nats_per_byte", smoothed_loss_nats_per_byte},
                     {"seconds", seconds},
                     {"run_digest", run_digest},
                     {"threads", threads},
                     {"validations", points},
                     {"weights_digest", weights_digest},
                     {"optimizer_digest", optimizer_digest}};
  return root.dump(2) + "\n";
}

absl::StatusOr<TrainState> TrainState::FromJson(absl::string_view json) {
  const absl::StatusOr<Json> parsed = ParseStrictJson(json, {});
  if (!parsed.ok()) return absl::DataLossError(absl::StrCat("train_state.json: ", parsed.status().message()));
  const Json& root = *parsed;
  if (!root.is_object()) return absl::DataLossError("train_state.json is not a JSON object");
  const auto version = root.find("version");
  if (version == root.end() || *version != kVersion) {
    return absl::DataLossError(absl::StrCat("train_state.json: version is not ", kVersion));
  }
  TrainState state;
  CLM_RETURN_IF_ERROR(ReadCount(root, "step", state.step));
  CLM_RETURN_IF_ERROR(ReadCount(root, "original_bytes", state.original_bytes));
  CLM_RETURN_IF_ERROR(ReadCount(root, "targets", state.targets));
  CLM_RETURN_IF_ERROR(ReadReal(root, "smoothed_loss_nats_per_byte", state.smoothed_loss_nats_per_byte));
  CLM_RETURN_IF_ERROR(ReadReal(root, "seconds", state.seconds));
  CLM_RETURN_IF_ERROR(ReadDigest(root, "run_digest", state.run_digest));
  uint64_t threads = 0;
  CLM_RETURN_IF_ERROR(ReadCount(root, "threads", threads));
  if (threads > 1024) return Damaged("threads");
  state.threads = static_cast<int>(threads);
  CLM_RETURN_IF_ERROR(ReadValidations(root, state.validations));
  CLM_RETURN_IF_ERROR(ReadDigest(root, "weights_digest", state.weights_digest));
  CLM_RETURN_IF_ERROR(ReadDigest(root, "optimizer_digest", state.optimizer_digest));
  return state;
}

}  // namespace clm
