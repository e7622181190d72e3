#include "server/service/error_detail.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace clm {
namespace {

constexpr char kErrorInfoUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr char kBadRequestUrl[] = "type.googleapis.com/google.rpc.BadRequest";
constexpr char kRetryInfoUrl[] = "type.googleapis.com/google.rpc.RetryInfo";

template <typename Message>
std::optional<Message> PayloadOf(const absl::Status& status, absl::string_view url) {
  const absl::optional<absl::Cord> payload = status.GetPayload(url);
  Message message;
  if (!payload.has_value() || !message.ParseFromString(std::string(*payload))) return std::nullopt;
  return message;
}

template <typename Message>
absl::Status WithPayload(absl::Status status, absl::string_view url, const Message& message) {
  if (!status.ok()) status.SetPayload(url, absl::Cord(message.SerializeAsString()));
  return status;
}

v1::ErrorInfo InfoOf(const absl::Status& status) {
  if (const auto info = PayloadOf<v1::ErrorInfo>(status, kErrorInfoUrl)) return *info;
  v1::ErrorInfo info;
  info.set_reason(absl::StatusCodeToString(status.code()));
  info.set_domain(kErrorDomain);
  return info;
}

}  // namespace

absl::Status WithReason(absl::Status status, absl::string_view reason,
                        std::initializer_list<std::pair<absl::string_view, absl::string_view>> metadata) {
  constexpr size_t kMaxReasonLength = 63;
  CLM_CHECK(!reason.empty() && reason.size() <= kMaxReasonLength);
  v1::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(kErrorDomain);
  for (const auto& [name, value] : metadata) (*info.mutable_metadata())[std::string(name)] = std::string(value);
  return WithPayload(std::move(status), kErrorInfoUrl, info);
}

absl::Status WithField(absl::Status status, absl::string_view field, absl::string_view description) {
  v1::BadRequest request = PayloadOf<v1::BadRequest>(status, kBadRequestUrl).value_or(v1::BadRequest());
  auto& violation = *request.add_field_violations();
  violation.set_field(std::string(field));
  violation.set_description(std::string(description));
  return WithPayload(std::move(status), kBadRequestUrl, request);
}

absl::Status InvalidField(absl::string_view field, absl::string_view description) {
  absl::Status status = absl::InvalidArgumentError(absl::StrCat(field, ": ", description));
  return WithField(WithReason(std::move(status), "INVALID_FIELD", {{"field", field}}), field, description);
}

absl::Status WithRetry(absl::Status status, absl::Duration delay) {
  v1::RetryInfo retry;
  const int64_t seconds = absl::ToInt64Seconds(delay);
  retry.mutable_retry_delay()->set_seconds(seconds);
  retry.mutable_retry_delay()->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(delay - absl::Seconds(seconds))));
  return WithPayload(std::move(status), kRetryInfoUrl, retry);
}

std::optional<absl::Duration> RetryDelayOf(const absl::Status& status) {
  const auto retry = PayloadOf<v1::RetryInfo>(status, kRetryInfoUrl);
  if (!retry.has_value()) return std::nullopt;
  return absl::Seconds(retry->retry_delay().seconds()) + absl::Nanoseconds(retry->retry_delay().nanos());
}

std::string ReasonOf(const absl::Status& status) { return InfoOf(status).reason(); }

v1::ErrorStatus ToErrorStatus(const absl::Status& status) {
  CLM_CHECK(!status.ok());
  v1::ErrorStatus result;
  result.set_code(static_cast<int32_t>(status.code()));
  result.set_message(std::string(status.message()));
  auto& info = *result.add_details();
  info.set_type_url(kErrorInfoUrl);
  info.set_value(InfoOf(status).SerializeAsString());
  for (const char* url : {kBadRequestUrl, kRetryInfoUrl}) {
    const absl::optional<absl::Cord> payload = status.GetPayload(url);
    if (!payload.has_value()) continue;
    auto& any = *result.add_details();
    any.set_type_url(url);
    any.set_value(std::string(*payload));
  }
  return result;
}

}  // namespace clm
