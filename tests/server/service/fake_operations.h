// Operations without a model: symbols are the bytes plus one, a frame is "F" and the bytes backwards by chunk,
// generation says the prompt again.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/digest.h"
#include "core/base/status_macros.h"
#include "server/service/operations.h"

namespace clm::testing {

class FakeOperations : public Operations {
 public:
  // What every function answers with when it is not OK.
  absl::Status failure;
  // Vocabulary of Encode.
  uint32_t vocab_size = 257;
  // What the last call asked for.
  v1::GenerateRequest last_generate;
  v1::CompressRequest::Start last_compress;
  v1::TraceRequest::Start last_trace;

  absl::Status Encode(const v1::RepresentationRef& representation, const ByteSource& bytes,
                      const RepresentationSink& begin, const SymbolSink& symbols,
                      const CancellationToken& cancel) override {
    CLM_RETURN_IF_ERROR(failure);
    CLM_RETURN_IF_ERROR(begin({.kind = representation.kind(), .vocab_size = vocab_size, .fingerprint = "f00d"}));
    std::string chunk;
    while (true) {
      CLM_RETURN_IF_ERROR(cancel.Check());
      CLM_ASSIGN_OR_RETURN(const bool more, bytes(chunk));
      if (!more) return absl::OkStatus();
      std::vector<SymbolId> out;
      for (const char c : chunk) out.push_back(static_cast<SymbolId>(static_cast<uint8_t>(c)) + 1);
      if (!out.empty()) CLM_RETURN_IF_ERROR(symbols(out));
    }
  }

  absl::StatusOr<DecodeOutcome> Decode(const v1::RepresentationRef& representation, const std::string& fingerprint,
                                       const SymbolSource& symbols, const ByteSink& bytes,
                                       const CancellationToken& cancel) override {
    CLM_RETURN_IF_ERROR(failure);
    if (!fingerprint.empty() && fingerprint != "f00d") return absl::FailedPreconditionError("another fingerprint");
    std::vector<SymbolId> piece;
    while (true) {
      CLM_RETURN_IF_ERROR(cancel.Check());
      CLM_ASSIGN_OR_RETURN(const bool more, symbols(piece));
      if (!more) return DecodeOutcome{.kind = representation.kind(), .valid_utf8 = true};
      std::string out;
      for (const SymbolId symbol : piece) {
        if (symbol == 0 || symbol > 256) return absl::OutOfRangeError(absl::StrCat("symbol ", symbol));
        out.push_back(static_cast<char>(symbol - 1));
      }
      CLM_RETURN_IF_ERROR(bytes(out));
    }
  }

  absl::StatusOr<v1::CompressResponse::Summary> Compress(const v1::CompressRequest::Start& start,
                                                         const ByteSource& bytes, const ByteSink& frame,
                                                         const CancellationToken& cancel) override {
    last_compress = start;
    CLM_RETURN_IF_ERROR(failure);
    std::string all;
    CLM_RETURN_IF_ERROR(ReadAll(bytes, cancel, all));
    CLM_RETURN_IF_ERROR(frame(absl::StrCat("F", all)));
    v1::CompressResponse::Summary summary;
    summary.set_original_bytes(all.size());
    summary.set_frame_bytes(all.size() + 1);
    summary.set_sha256(Sha256Hex(all));
    return summary;
  }

  absl::StatusOr<v1::DecompressResponse::Summary> Decompress(const v1::DecompressRequest::Start&,
                                                             const ByteSource& frame, const ByteSink& bytes,
                                                             const CancellationToken& cancel) override {
    CLM_RETURN_IF_ERROR(failure);
    std::string all;
    CLM_RETURN_IF_ERROR(ReadAll(frame, cancel, all));
    if (!absl::StartsWith(all, "F")) return absl::DataLossError("block 0 is damaged");
    CLM_RETURN_IF_ERROR(bytes(absl::string_view(all).substr(1)));
    v1::DecompressResponse::Summary summary;
    summary.set_original_bytes(all.size() - 1);
    summary.set_sha256_verified(true);
    return summary;
  }

  absl::StatusOr<GenerateOutcome> Generate(const v1::GenerateRequest& request, const GenerateSink& sink,
                                           const CancellationToken& cancel) override {
    last_generate = request;
    CLM_RETURN_IF_ERROR(failure);
    for (const char c : request.prompt()) {
      CLM_RETURN_IF_ERROR(cancel.Check());
      const SymbolId symbol = static_cast<uint8_t>(c);
      CLM_RETURN_IF_ERROR(sink(absl::string_view(&c, 1), std::span(&symbol, 1)));
    }
    GenerateOutcome outcome;
    outcome.kind = "byte";
    outcome.summary.set_new_symbols(request.prompt().size());
    outcome.summary.set_new_bytes(request.prompt().size());
    outcome.summary.set_stop_reason(v1::STOP_REASON_MAX_BYTES);
    return outcome;
  }

  // One row and the input backwards.
  absl::StatusOr<v1::TraceResponse::Summary> Trace(const v1::TraceRequest::Start& start, absl::string_view input,
                                                   const TraceSinks& sinks, const CancellationToken&) override {
    last_trace = start;
    CLM_RETURN_IF_ERROR(failure);
    v1::TraceResponse::Header header;
    header.set_representation("byte");
    CLM_RETURN_IF_ERROR(sinks.begin(header));
    const std::vector<v1::TraceRow> rows(1);
    CLM_RETURN_IF_ERROR(sinks.rows(rows));
    CLM_RETURN_IF_ERROR(sinks.bytes(std::string(input.rbegin(), input.rend())));
    v1::TraceResponse::Summary summary;
    summary.mutable_statistics()->set_original_bytes(input.size());
    return summary;
  }

  absl::StatusOr<v1::CompareResponse> Compare(const v1::CompareRequest&, const CancellationToken&) override {
    CLM_RETURN_IF_ERROR(failure);
    v1::CompareResponse response;
    response.set_verdict("undecided");
    return response;
  }

  absl::StatusOr<v1::Model> LoadModel(const v1::LoadModelRequest& request, const CancellationToken&) override {
    CLM_RETURN_IF_ERROR(failure);
    v1::Model model;
    model.set_checkpoint(request.checkpoint());
    return model;
  }
  absl::StatusOr<v1::UnloadModelResponse> UnloadModel(const v1::UnloadModelRequest&) override {
    CLM_RETURN_IF_ERROR(failure);
    return v1::UnloadModelResponse();
  }
  std::vector<v1::Model> ListModels() override { return {}; }
  v1::Capabilities Describe() override {
    v1::Capabilities capabilities;
    capabilities.add_representations("byte");
    return capabilities;
  }

 private:
  static absl::Status ReadAll(const ByteSource& source, const CancellationToken& cancel, std::string& all) {
    std::string chunk;
    while (true) {
      CLM_RETURN_IF_ERROR(cancel.Check());
      CLM_ASSIGN_OR_RETURN(const bool more, source(chunk));
      if (!more) return absl::OkStatus();
      all += chunk;
    }
  }
};

}  // namespace clm::testing
