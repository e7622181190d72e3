// How results look to people: aligned tables, one progress line on a terminal, plain lines otherwise.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "clm/v1/artifact.pb.h"
#include "clm/v1/job.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace clm::client {

// Columns padded to their widest cell, two spaces between; the first row is the header. Every row has the same length.
std::string Table(const std::vector<std::vector<std::string>>& rows);

// "2026-11-21 10:00:00" in UTC; "-" when unset.
std::string TimeText(const google::protobuf::Timestamp& time);

// "0.123", with `digits` after the point.
std::string Number(double value, int digits);

// "running", "succeeded", ...
std::string StateName(v1::JobState state);
// "prepare", "train", "evaluate".
std::string KindName(v1::JobKind kind);
// "tokenizer", "corpus", ...; the inverse gives UNSPECIFIED for an unknown word.
std::string KindName(v1::ArtifactKind kind);
v1::ArtifactKind ArtifactKindOf(const std::string& name);

// The last part of "jobs/{id}" or "artifacts/{kind}/{id}".
std::string IdOf(const std::string& name);
// The first 12 digits of an artifact's id: enough for every request.
std::string ShortId(const std::string& name);

// "train   42 %  1200/2860 steps  loss 1.02 nats/byte  1m 20s left"
std::string ProgressText(const v1::JobProgress& progress);

// One line that is rewritten on a terminal; otherwise a new line when the phase changes and at most every ten seconds.
// Not thread-safe.
class ProgressLine {
 public:
  // `enabled` false prints nothing.
  ProgressLine(bool enabled, std::string prefix);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void Show(const v1::JobProgress& progress);
  // Ends the line, so that other text may follow.
  void Clear();

 private:
  const bool enabled_;
  const bool terminal_;
  const std::string prefix_;
  std::string last_phase_;
  absl::Time last_line_ = absl::InfinitePast();
  bool open_ = false;
};

}  // namespace clm::client
