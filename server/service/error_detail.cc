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

// The message travels twice, and trailing metadata beyond 8 KiB is refused by gRPC itself, so what a caller's own text
// can blow up is cut.
constexpr size_t kMaxMessageBytes = 1024;
constexpr size_t kMaxDetailBytes = 256;

v1::ErrorInfo InfoOf(const absl::Status& status) {
  if (const auto info = PayloadOf<v1::ErrorInfo>(status, kErrorInfoUrl)) return *info;
  v1::ErrorInfo info;
  info.set_reason(absl::StatusCodeToString(status.code()));
  info.set_domain(kErrorDomain);
  return info;
}

// At most `limit` bytes of `text`, whole UTF-8 characters, marked where it was cut.
std::string Shortened(absl::string_view text, size_t limit) {
  if (text.size() <= limit) return std::string(text);
  constexpr uint8_t kContinuationMask = 0xC0;
  constexpr uint8_t kContinuation = 0x80;
  size_t end = limit;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & kContinuationMask) == kContinuation) --end;
  return absl::StrCat(text.substr(0, end), "... (", text.size(), " bytes)");
}

}  // namespace

std::string ShortMessage(const absl::Status& status) { return Shortened(status.message(), kMaxMessageBytes); }

absl::Status WithReason(absl::Status status, absl::string_view reason,
                        std::initializer_list<std::pair<absl::string_view, absl::string_view>> metadata) {
  constexpr size_t kMaxReasonLength = 63;
  CLM_CHECK(!reason.empty() && reason.size() <= kMaxReasonLength);
  v1::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(kErrorDomain);
  for (const auto& [name, value] : metadata) {
    (*info.mutable_metadata())[std::string(name)] = Shortened(value, kMaxDetailBytes);
  }
  return WithPayload(std::move(status), kErrorInfoUrl, info);
}

absl::Status WithField(absl::Status status, absl::string_view field, absl::string_view description) {
  v1::BadRequest request = PayloadOf<v1::BadRequest>(status, kBadRequestUrl).value_or(v1::BadRequest());
  auto& violation = *request.add_field_violations();
  violation.set_field(Shortened(field, kMaxDetailBytes));
  violation.set_description(Shortened(description, kMaxDetailBytes));
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
  result.set_message(ShortMessage(status));
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
