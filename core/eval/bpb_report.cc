#include "core/eval/bpb_report.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/byte_reader.h"
#include "core/base/byte_writer.h"
#include "core/base/status_macros.h"
#include "core/base/units.h"
#include "core/data/strict_object.h"

namespace clm {
namespace {

using nlohmann::json;

constexpr absl::string_view kName = "report.json";
constexpr uint64_t kMaxReportBytes = uint64_t{1} << 30;

absl::Status Contradiction(absl::string_view field, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(kName, ".", field, " ", why));
}

bool IsDigest(absl::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isdigit(static_cast<unsigned char>(c)) || (c >= 'a' && c <= 'f');
         });
}

bool Close(double left, double right) { return std::abs(left - right) <= 1e-9 * std::max(1.0, std::abs(right)); }

std::string PackNats(const std::vector<double>& nats) {
  ByteWriter out;
  for (const double value : nats) out.WriteU64(std::bit_cast<uint64_t>(value));
  return absl::Base64Escape(out.view());
}

std::string PackBytes(const std::vector<uint64_t>& counts) {
  ByteWriter out;
  for (uint64_t value : counts) {
    for (; value >= 0x80; value >>= 7) out.WriteU8(static_cast<uint8_t>(value | 0x80));
    out.WriteU8(static_cast<uint8_t>(value));
  }
  return absl::Base64Escape(out.view());
}

absl::Status UnpackNats(absl::string_view text, uint64_t documents, std::vector<double>& nats) {
  std::string packed;
  if (!absl::Base64Unescape(text, &packed)) return Contradiction("document_nats", "is not base64");
  if (packed.size() / 8 != documents || packed.size() % 8 != 0) {
    return Contradiction("document_nats", absl::StrCat("does not hold ", documents, " numbers"));
  }
  ByteReader in(packed);
  uint64_t bits = 0;
  while (in.ReadU64(bits)) nats.push_back(std::bit_cast<double>(bits));
  return absl::OkStatus();
}

// One LEB128 integer of at most 9 bytes (63 bits).
bool ReadVarint(ByteReader& in, uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 63; shift += 7) {
    uint8_t byte = 0;
    if (!in.ReadU8(byte)) return false;
    value |= uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

absl::Status UnpackBytes(absl::string_view text, uint64_t documents, std::vector<uint64_t>& counts) {
  std::string packed;
  if (!absl::Base64Unescape(text, &packed)) return Contradiction("document_original_bytes", "is not base64");
  ByteReader in(packed);
  uint64_t value = 0;
  while (!in.empty()) {
    if (!ReadVarint(in, value)) return Contradiction("document_original_bytes", "holds a damaged integer");
    counts.push_back(value);
  }
  if (counts.size() == documents) return absl::OkStatus();
  return Contradiction("document_original_bytes",
                       absl::StrCat("holds ", counts.size(), " numbers for ", documents, " documents"));
}

json ResultToJson(const BpbResult& result) {
  return {{"nats", result.nats},
          {"original_bytes", result.original_bytes},
          {"symbols", result.symbols},
          {"documents", result.documents},
          {"bits_per_byte", result.bits_per_byte},
          {"bits_per_byte_low", result.interval.low},
          {"bits_per_byte_high", result.interval.high},
          {"symbols_per_byte", result.symbols_per_byte},
          {"seconds", result.seconds},
          {"bytes_per_second", result.bytes_per_second},
          {"document_nats", PackNats(result.document_nats)},
          {"document_original_bytes", PackBytes(result.document_bytes)}};
}

absl::Status ResultFromJson(const json& value, BpbResult& result) {
  StrictObject object(value, absl::StrCat(kName, ".result"));
  CLM_RETURN_IF_ERROR(object.Get("nats", result.nats));
  CLM_RETURN_IF_ERROR(object.Get("original_bytes", result.original_bytes));
  CLM_RETURN_IF_ERROR(object.Get("symbols", result.symbols));
  CLM_RETURN_IF_ERROR(object.Get("documents", result.documents));
  CLM_RETURN_IF_ERROR(object.Get("bits_per_byte", result.bits_per_byte));
  CLM_RETURN_IF_ERROR(object.Get("bits_per_byte_low", result.interval.low));
  CLM_RETURN_IF_ERROR(object.Get("bits_per_byte_high", result.interval.high));
  CLM_RETURN_IF_ERROR(object.Get("symbols_per_byte", result.symbols_per_byte));
  CLM_RETURN_IF_ERROR(object.Get("seconds", result.seconds));
  CLM_RETURN_IF_ERROR(object.Get("bytes_per_second", result.bytes_per_second));
  std::string packed;
  CLM_RETURN_IF_ERROR(object.Get("document_nats", packed));
  CLM_RETURN_IF_ERROR(UnpackNats(packed, result.documents, result.document_nats));
  CLM_RETURN_IF_ERROR(object.Get("document_original_bytes", packed));
  CLM_RETURN_IF_ERROR(UnpackBytes(packed, result.documents, result.document_bytes));
  return object.Finish();
}

absl::Status RuleFromJson(const json& value, BpbRule& rule) {
  StrictObject object(value, absl::StrCat(kName, ".rule"));
  CLM_RETURN_IF_ERROR(object.Get("version", rule.version));
  CLM_RETURN_IF_ERROR(object.Get("counts_boundary", rule.counts_boundary));
  CLM_RETURN_IF_ERROR(object.Get("conditions_on_boundary", rule.conditions_on_boundary));
  CLM_RETURN_IF_ERROR(object.Get("masking", rule.masking));
  return object.Finish();
}

absl::Status ParametersFromJson(const json& value, ReportedParameters& parameters) {
  StrictObject object(value, absl::StrCat(kName, ".parameters"));
  CLM_RETURN_IF_ERROR(object.Get("body", parameters.body));
  CLM_RETURN_IF_ERROR(object.Get("embedding", parameters.embedding));
  CLM_RETURN_IF_ERROR(object.Get("head", parameters.head));
  return object.Finish();
}

absl::Status TrainingFromJson(const json& value, TrainingTotals& training) {
  StrictObject object(value, absl::StrCat(kName, ".training"));
  CLM_RETURN_IF_ERROR(object.Get("original_bytes", training.original_bytes));
  CLM_RETURN_IF_ERROR(object.Get("symbols", training.symbols));
  CLM_RETURN_IF_ERROR(object.Get("flops", training.flops));
  CLM_RETURN_IF_ERROR(object.Get("seconds", training.seconds));
  return object.Finish();
}

json HeadToJson(const BpbReport& report) {
  const BpbRule& rule = report.rule;
  const ReportedParameters& parameters = report.parameters;
  const TrainingTotals& training = report.training;
  return {{"schema_version", BpbReport::kSchemaVersion},
          {"checkpoint", report.checkpoint},
          {"representation", report.representation},
          {"representation_fingerprint", report.representation_fingerprint},
          {"tokenizer_sha256", report.tokenizer_sha256},
          {"universe_sha256", report.universe_sha256},
          {"split", report.split},
          {"held_out_sha256", report.held_out_sha256},
          {"rule",
           {{"version", rule.version},
            {"counts_boundary", rule.counts_boundary},
            {"conditions_on_boundary", rule.conditions_on_boundary},
            {"masking", rule.masking}}},
          {"scorer", report.scorer},
          {"vocab_size", report.vocab_size},
          {"parameters", {{"body", parameters.body}, {"embedding", parameters.embedding}, {"head", parameters.head}}},
          {"flops_per_byte", report.flops_per_byte},
          {"training",
           {{"original_bytes", training.original_bytes},
            {"symbols", training.symbols},
            {"flops", training.flops},
            {"seconds", training.seconds}}},
          {"decoded_bytes_per_second", report.decoded_bytes_per_second},
          {"created_at", report.created_at}};
}

absl::Status HeadFromJson(StrictObject& root, BpbReport& report) {
  CLM_RETURN_IF_ERROR(root.Get("checkpoint", report.checkpoint));
  CLM_RETURN_IF_ERROR(root.Get("representation", report.representation));
  CLM_RETURN_IF_ERROR(root.Get("representation_fingerprint", report.representation_fingerprint));
  CLM_RETURN_IF_ERROR(root.Get("tokenizer_sha256", report.tokenizer_sha256));
  CLM_RETURN_IF_ERROR(root.Get("universe_sha256", report.universe_sha256));
  CLM_RETURN_IF_ERROR(root.Get("split", report.split));
  CLM_RETURN_IF_ERROR(root.Get("held_out_sha256", report.held_out_sha256));
  CLM_RETURN_IF_ERROR(root.Get("scorer", report.scorer));
  CLM_RETURN_IF_ERROR(root.Get("vocab_size", report.vocab_size));
  CLM_RETURN_IF_ERROR(root.Get("flops_per_byte", report.flops_per_byte));
  CLM_RETURN_IF_ERROR(root.Get("decoded_bytes_per_second", report.decoded_bytes_per_second));
  return root.Get("created_at", report.created_at);
}

// The totals against the documents they were summed from.
absl::Status CheckResult(const BpbResult& result) {
  if (result.documents == 0) return Contradiction("result.documents", "is 0");
  if (result.document_nats.size() != result.documents || result.document_bytes.size() != result.documents) {
    return Contradiction("result.documents", "is not the number of documents listed");
  }
  if (result.original_bytes == 0) return Contradiction("result.original_bytes", "is 0");
  double nats = 0;
  uint64_t bytes = 0;
  for (size_t i = 0; i < result.documents; ++i) {
    if (!std::isfinite(result.document_nats[i]) || result.document_nats[i] < 0) {
      return Contradiction("result.document_nats", absl::StrCat("of document ", i, " is no cost"));
    }
    nats += result.document_nats[i];
    bytes += result.document_bytes[i];
  }
  if (bytes != result.original_bytes) {
    return Contradiction("result.original_bytes",
                         absl::StrCat("is ", result.original_bytes, ", its documents sum to ", bytes));
  }
  if (!Close(result.nats, nats)) {
    return Contradiction("result.nats", absl::StrCat("is ", result.nats, ", its documents sum to ", nats));
  }
  if (!Close(result.bits_per_byte, BitsPerByte(nats, static_cast<double>(bytes)))) {
    return Contradiction("result.bits_per_byte", "is not nats / (ln 2 * original_bytes)");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status BpbReport::Validate() const {
  if (representation.empty()) return Contradiction("representation", "is empty");
  if (split.empty()) return Contradiction("split", "is empty");
  if (!IsDigest(representation_fingerprint)) return Contradiction("representation_fingerprint", "is not a digest");
  if (!IsDigest(held_out_sha256)) return Contradiction("held_out_sha256", "is not a digest");
  if (!tokenizer_sha256.empty() && !IsDigest(tokenizer_sha256)) {
    return Contradiction("tokenizer_sha256", "is neither empty nor a digest");
  }
  if (!universe_sha256.empty() && !IsDigest(universe_sha256)) {
    return Contradiction("universe_sha256", "is neither empty nor a digest");
  }
  if (rule.version != BpbRule::kVersion) {
    return Contradiction("rule.version", absl::StrCat("is ", rule.version, ", this program knows ", BpbRule::kVersion));
  }
  return CheckResult(result);
}

absl::StatusOr<std::string> BpbReportToJson(const BpbReport& report) {
  CLM_RETURN_IF_ERROR(report.Validate());
  json root = HeadToJson(report);
  root["result"] = ResultToJson(report.result);
  return root.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

absl::StatusOr<BpbReport> BpbReportFromJson(absl::string_view text) {
  CLM_ASSIGN_OR_RETURN(const json value, ParseJson(text, kName, kMaxReportBytes));
  StrictObject root(value, std::string(kName));
  uint32_t version = 0;
  CLM_RETURN_IF_ERROR(root.Get("schema_version", version));
  if (version != BpbReport::kSchemaVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat(kName, ": schema version ", version, ", this program reads ", BpbReport::kSchemaVersion));
  }
  BpbReport report;
  CLM_RETURN_IF_ERROR(HeadFromJson(root, report));
  CLM_ASSIGN_OR_RETURN(const json* const rule, root.Child("rule"));
  CLM_RETURN_IF_ERROR(RuleFromJson(*rule, report.rule));
  CLM_ASSIGN_OR_RETURN(const json* const parameters, root.Child("parameters"));
  CLM_RETURN_IF_ERROR(ParametersFromJson(*parameters, report.parameters));
  CLM_ASSIGN_OR_RETURN(const json* const training, root.Child("training"));
  CLM_RETURN_IF_ERROR(TrainingFromJson(*training, report.training));
  CLM_ASSIGN_OR_RETURN(const json* const result, root.Child("result"));
  CLM_RETURN_IF_ERROR(ResultFromJson(*result, report.result));
  CLM_RETURN_IF_ERROR(root.Finish());
  CLM_RETURN_IF_ERROR(report.Validate());
  return report;
}

absl::Status WriteBpbReport(FileSystem& files, const std::string& path, const BpbReport& report) {
  CLM_ASSIGN_OR_RETURN(const std::string text, BpbReportToJson(report));
  return WriteFileAtomically(files, path, text);
}

absl::StatusOr<BpbReport> ReadBpbReport(const FileSystem& files, const std::string& path) {
  CLM_ASSIGN_OR_RETURN(const std::string text, ReadFile(files, path, kMaxReportBytes));
  return BpbReportFromJson(text);
}

}  // namespace clm
