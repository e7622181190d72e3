#include "server/metrics/metric_names.h"

#include <array>

namespace clm {

std::span<const MetricFamily* const> AllMetricFamilies() {
  static constexpr std::array kFamilies = {&kArtifactBytes,
                                           &kFrameBlocks,
                                           &kBuildInfo,
                                           &kCanaryFailures,
                                           &kDecodedBytes,
                                           &kEvalBits,
                                           &kEvalBitsPerByte,
                                           &kEvalOriginalBytes,
                                           &kFrameBytes,
                                           &kGeneratedSymbols,
                                           &kCallDuration,
                                           &kCallsInFlight,
                                           &kCallsRejected,
                                           &kInterSymbol,
                                           &kJobInfo,
                                           &kJobLastProgress,
                                           &kJobProgress,
                                           &kJobQueueWait,
                                           &kJobs,
                                           &kJournalFsync,
                                           &kLanesInUse,
                                           &kModelEvictions,
                                           &kModelResidentBytes,
                                           &kModelsLoaded,
                                           &kOriginalBytes,
                                           &kRoundTripFailures,
                                           &kTimeToFirstSymbol,
                                           &kTrainLoss,
                                           &kTrainOriginalBytes,
                                           &kTrainStep,
                                           &kProcessCpu,
                                           &kProcessMaxFds,
                                           &kProcessOpenFds,
                                           &kProcessResident,
                                           &kProcessStart,
                                           &kProcessVirtual};
  return kFamilies;
}

}  // namespace clm
