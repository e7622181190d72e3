// CodecSet: the coders a decoder has, and which of them a frame needs.
//
// Thread-safety: Add before sharing; const methods may run on any thread. Ownership: shares the coders.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/codec/block_coder.h"

namespace clm {

// Whether `status` is Find's refusal of another canary: the machine computes what it should not.
bool IsCanaryFailure(const absl::Status& status);

class CodecSet {
 public:
  // Empty: knows no codec at all.
  CodecSet() = default;
  // Everything that needs no checkpoint: stored, count and adaptive. Built once per process.
  static CodecSet BuiltIn();

  // One of them. Requires a codec that needs no checkpoint.
  static std::shared_ptr<const BlockCoder> BuiltInCoder(CodecId codec);

  void Add(std::shared_ptr<const BlockCoder> coder) { coders_.push_back(std::move(coder)); }
  // Where coders come from whose codec the set has none of: those that need a checkpoint.
  using Source = std::function<absl::StatusOr<std::shared_ptr<const BlockCoder>>(const CodecParameters& wanted)>;
  void SetSource(Source source) { source_ = std::move(source); }

  // The coder of exactly these parameters. FAILED_PRECONDITION otherwise, with what the frame asks for and what is
  // here: another predictor or representation, other settings, or a canary that shows that the same predictor computes
  // other numbers on this machine. Errors of the source are passed on.
  absl::StatusOr<std::shared_ptr<const BlockCoder>> Find(const CodecParameters& wanted) const;

 private:
  std::vector<std::shared_ptr<const BlockCoder>> coders_;
  Source source_;
};

}  // namespace clm
