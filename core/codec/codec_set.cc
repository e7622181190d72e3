#include "core/codec/codec_set.h"

#include <algorithm>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/codec/adaptive_coder.h"
#include "core/codec/count_coder.h"
#include "core/codec/stored_block.h"

namespace clm {
namespace {

constexpr absl::string_view kCanaryPayload = "clm.canary";

absl::Status Difference(const CodecParameters& wanted, const CodecParameters& have) {
  if (wanted.predictor != have.predictor) {
    return absl::FailedPreconditionError(absl::StrCat("the frame was made with predictor ", ToHex(wanted.predictor),
                                                      ", the ", CodecName(have.codec), " coder here has ",
                                                      ToHex(have.predictor)));
  }
  if (wanted.representation != have.representation) {
    return absl::FailedPreconditionError(absl::StrCat("the frame was made with representation ",
                                                      ToHex(wanted.representation), ", the one here is ",
                                                      ToHex(have.representation)));
  }
  if (wanted.canary != have.canary) {
    absl::Status status = absl::FailedPreconditionError(
        absl::StrCat("predictor ", ToHex(have.predictor), " computes other numbers here: the frame's canary is ",
                     ToHex(wanted.canary), ", this machine's ", ToHex(have.canary)));
    status.SetPayload(kCanaryPayload, absl::Cord());
    return status;
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "the frame was made with precision ", wanted.precision_bits, ", window ", wanted.window_symbols, ", top-k ",
      wanted.top_k, ", boundary policy ", wanted.boundary_policy, "; the ", CodecName(have.codec), " coder here has ",
      have.precision_bits, ", ", have.window_symbols, ", ", have.top_k, ", ", have.boundary_policy));
}

}  // namespace

bool IsCanaryFailure(const absl::Status& status) { return status.GetPayload(kCanaryPayload).has_value(); }

CodecSet CodecSet::BuiltIn() {
  static const CodecSet* const kBuiltIn = [] {
    auto* set = new CodecSet;
    set->Add(std::make_shared<StoredBlock>());
    set->Add(std::make_shared<CountCoder>());
    set->Add(std::make_shared<AdaptiveCoder>());
    return set;
  }();
  return *kBuiltIn;
}

std::shared_ptr<const BlockCoder> CodecSet::BuiltInCoder(CodecId codec) {
  const CodecSet set = BuiltIn();
  const auto found = std::find_if(set.coders_.begin(), set.coders_.end(),
                                  [codec](const auto& coder) { return coder->parameters().codec == codec; });
  CLM_CHECK(found != set.coders_.end());
  return *found;
}

absl::StatusOr<std::shared_ptr<const BlockCoder>> CodecSet::Find(const CodecParameters& wanted) const {
  absl::Status nearest =
      absl::FailedPreconditionError(absl::StrCat("the frame needs a ", CodecName(wanted.codec),
                                                 " coder with predictor ", ToHex(wanted.predictor), "; none is here"));
  bool has_codec = false;
  for (const std::shared_ptr<const BlockCoder>& coder : coders_) {
    const CodecParameters& have = coder->parameters();
    if (have == wanted) return coder;
    if (have.codec != wanted.codec) continue;
    nearest = Difference(wanted, have);
    has_codec = true;
  }
  if (!has_codec && source_ != nullptr) return source_(wanted);
  return nearest;
}

}  // namespace clm
