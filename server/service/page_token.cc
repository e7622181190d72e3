#include "server/service/page_token.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/byte_reader.h"
#include "core/base/byte_writer.h"
#include "core/base/checksum.h"
#include "server/service/error_detail.h"

namespace clm {
namespace {

constexpr size_t kDefaultPageSize = 100;
constexpr size_t kMaxPageSize = 1000;

uint32_t CheckSum(uint64_t sequence, absl::string_view filter) {
  return Crc32c(absl::StrCat("jobs/", sequence, "/", filter));
}

}  // namespace

std::string MakePageToken(uint64_t before_sequence, absl::string_view filter) {
  ByteWriter out;
  out.WriteU64(before_sequence);
  out.WriteU32(CheckSum(before_sequence, filter));
  return absl::WebSafeBase64Escape(out.view());
}

absl::StatusOr<uint64_t> ReadPageToken(absl::string_view token, absl::string_view filter) {
  if (token.empty()) return 0;
  std::string bytes;
  uint64_t sequence = 0;
  uint32_t sum = 0;
  if (absl::WebSafeBase64Unescape(token, &bytes)) {
    ByteReader in(bytes);
    if (in.ReadU64(sequence) && in.ReadU32(sum) && in.empty() && sequence != 0 && sum == CheckSum(sequence, filter)) {
      return sequence;
    }
  }
  return InvalidField("page_token", "is not one that this request's filter was answered with");
}

absl::StatusOr<size_t> PageSize(int32_t requested) {
  if (requested < 0) return InvalidField("page_size", absl::StrCat(requested, " is negative"));
  if (requested == 0) return kDefaultPageSize;
  return std::min(static_cast<size_t>(requested), kMaxPageSize);
}

}  // namespace clm
