// The metric families of the service: the one list of names, types, labels and meanings.
//
// Dashboards and alerts rely on the names; tests/golden/metrics/families.txt holds them, so a change is seen. Labels
// are bounded: a job is never a label, it occupies a `slot`; `checkpoint` is a short id whose series go with the model.
#pragma once

#include <cstdint>
#include <span>

namespace clm {

enum class MetricType : uint8_t { kCounter, kGauge, kHistogram };

struct MetricFamily {
  const char* name;
  MetricType type;
  const char* labels;  // names in the order of their values, separated by commas; empty for none
  const char* help;
};

inline constexpr MetricFamily kCallDuration = {"clm_grpc_server_call_duration_seconds", MetricType::kHistogram,
                                               "method,code", "Time from the arrival of a call to its status."};
inline constexpr MetricFamily kCallsInFlight = {"clm_grpc_server_calls_in_flight", MetricType::kGauge, "method",
                                                "Calls that are being served."};
inline constexpr MetricFamily kCallsRejected = {"clm_grpc_server_rejected_total", MetricType::kCounter, "method,reason",
                                                "Calls refused before they began."};
inline constexpr MetricFamily kLanesInUse = {"clm_lanes_in_use", MetricType::kGauge, "",
                                             "Blocks that checkpoints are coding at this moment."};
inline constexpr MetricFamily kOriginalBytes = {"clm_original_bytes_total", MetricType::kCounter,
                                                "operation,representation", "Original bytes read."};
inline constexpr MetricFamily kFrameBlocks = {"clm_blocks_total", MetricType::kCounter, "codec,direction",
                                              "Blocks of frames written (compress) and decoded (decompress)."};
inline constexpr MetricFamily kCanaryFailures = {
    "clm_canary_failures_total", MetricType::kCounter, "",
    "Frames refused because their predictor computes other numbers on this machine. Alert above 0."};
inline constexpr MetricFamily kDecodedBytes = {"clm_decoded_bytes_total", MetricType::kCounter,
                                               "operation,representation", "Original bytes given back."};
inline constexpr MetricFamily kFrameBytes = {"clm_frame_bytes_total", MetricType::kCounter, "operation,representation",
                                             "Bytes of compressed frames written or read."};
inline constexpr MetricFamily kRoundTripFailures = {
    "clm_roundtrip_failures_total", MetricType::kCounter, "operation",
    "Blocks that did not decode back when they were verified, and were stored instead. Alert above 0."};
inline constexpr MetricFamily kGeneratedSymbols = {"clm_generated_symbols_total", MetricType::kCounter,
                                                   "representation", "Symbols generated."};
inline constexpr MetricFamily kTimeToFirstSymbol = {"clm_time_to_first_symbol_seconds", MetricType::kHistogram,
                                                    "representation",
                                                    "Time from the arrival of a Generate call to its first symbol."};
inline constexpr MetricFamily kInterSymbol = {"clm_inter_symbol_seconds", MetricType::kHistogram, "representation",
                                              "Mean time between two generated symbols of one call."};
inline constexpr MetricFamily kJobs = {"clm_jobs", MetricType::kGauge, "kind,state", "Jobs by kind and state."};
inline constexpr MetricFamily kJobQueueWait = {"clm_job_queue_wait_seconds", MetricType::kHistogram, "kind",
                                               "Time that a job waited before a worker started."};
inline constexpr MetricFamily kJobLastProgress = {"clm_job_last_progress_timestamp_seconds", MetricType::kGauge, "slot",
                                                  "When the job in this slot last told progress, seconds since 1970."};
inline constexpr MetricFamily kJobProgress = {"clm_job_progress_ratio", MetricType::kGauge, "slot,kind",
                                              "Done part of the phase of the job in this slot, 0 to 1."};
inline constexpr MetricFamily kJobInfo = {"clm_job_info", MetricType::kGauge, "slot,kind,job,display_name",
                                          "1 for the job that occupies this slot."};
inline constexpr MetricFamily kTrainLoss = {"clm_train_loss_nats_per_byte", MetricType::kGauge, "slot",
                                            "Training loss of the job in this slot, in nats per original byte."};
inline constexpr MetricFamily kTrainOriginalBytes = {"clm_train_original_bytes_total", MetricType::kCounter, "slot",
                                                     "Original bytes that training in this slot has read."};
inline constexpr MetricFamily kTrainStep = {"clm_train_step_seconds", MetricType::kHistogram, "slot",
                                            "Time of an optimizer step."};
inline constexpr MetricFamily kEvalBits = {"clm_eval_bits_total", MetricType::kCounter, "representation,split",
                                           "Bits that evaluated documents cost. Divide its rate by that of "
                                           "clm_eval_original_bytes_total for bits per byte."};
inline constexpr MetricFamily kEvalOriginalBytes = {"clm_eval_original_bytes_total", MetricType::kCounter,
                                                    "representation,split", "Original bytes of evaluated documents."};
inline constexpr MetricFamily kEvalBitsPerByte = {"clm_eval_bits_per_byte", MetricType::kGauge,
                                                  "checkpoint,representation,split",
                                                  "Last measured bits per original byte."};
inline constexpr MetricFamily kModelsLoaded = {"clm_models_loaded", MetricType::kGauge, "device", "Models in memory."};
inline constexpr MetricFamily kModelResidentBytes = {"clm_model_resident_bytes", MetricType::kGauge,
                                                     "checkpoint,device", "Memory that a loaded model takes."};
inline constexpr MetricFamily kModelEvictions = {"clm_model_evictions_total", MetricType::kCounter, "reason",
                                                 "Models removed from memory."};
inline constexpr MetricFamily kArtifactBytes = {"clm_artifact_bytes", MetricType::kGauge, "kind",
                                                "Bytes of stored artifacts."};
inline constexpr MetricFamily kJournalFsync = {"clm_journal_fsync_duration_seconds", MetricType::kHistogram, "",
                                               "Time of a commit of the job journal, its fsync included."};
inline constexpr MetricFamily kBuildInfo = {"clm_build_info", MetricType::kGauge, "version,commit,libtorch,device",
                                            "1; the labels say what is running."};
inline constexpr MetricFamily kProcessCpu = {"process_cpu_seconds_total", MetricType::kCounter, "",
                                             "User and system CPU time."};
inline constexpr MetricFamily kProcessOpenFds = {"process_open_fds", MetricType::kGauge, "", "Open file descriptors."};
inline constexpr MetricFamily kProcessMaxFds = {"process_max_fds", MetricType::kGauge, "",
                                                "Largest number of open file descriptors."};
inline constexpr MetricFamily kProcessResident = {"process_resident_memory_bytes", MetricType::kGauge, "",
                                                  "Resident memory."};
inline constexpr MetricFamily kProcessVirtual = {"process_virtual_memory_bytes", MetricType::kGauge, "",
                                                 "Virtual memory."};
inline constexpr MetricFamily kProcessStart = {"process_start_time_seconds", MetricType::kGauge, "",
                                               "Start of the process, seconds since 1970."};

// All of the above, by name.
std::span<const MetricFamily* const> AllMetricFamilies();

}  // namespace clm
