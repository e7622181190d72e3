// Operations: what the calls of CompressionService and ModelService do, behind the protocol.
//
// Handlers check the protocol (first message, limits, cuts, ranges that a message shows by itself) and speak to this
// interface in chunks; its implementation binds core/pipeline and sees neither gRPC nor streams of messages. Requests
// and summaries are the messages of the contract, because they are what both sides agreed on; chunks are bytes and
// symbols.
//
// Every function runs on the thread of its call, may take long, must look at `cancel`, and may be called from several
// threads at once. It reads its source to the end unless it fails, and hands out results as soon as they are settled,
// in pieces of any size above 0. An error of a source or sink is returned as it is. Errors: as the rpcs in
// proto/clm/v1/service.proto say.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "clm/v1/codec.pb.h"
#include "clm/v1/evaluate.pb.h"
#include "clm/v1/generate.pb.h"
#include "clm/v1/service.pb.h"
#include "clm/v1/trace.pb.h"
#include "core/base/cancellation.h"
#include "core/base/types.h"

namespace clm {

// Fills its argument with the next piece, of any size; false at the end, with the argument empty.
using ByteSource = std::function<absl::StatusOr<bool>(std::string&)>;
using SymbolSource = std::function<absl::StatusOr<bool>(std::vector<SymbolId>&)>;

using ByteSink = std::function<absl::Status(absl::string_view)>;
using SymbolSink = std::function<absl::Status(std::span<const SymbolId>)>;

// The representation that a RepresentationRef turned out to mean.
struct RepresentationInfo {
  std::string kind;  // "byte", "token" or "coordinate"
  uint32_t vocab_size = 0;
  std::string fingerprint;  // 64 hex digits
};
// Called once, before the first result.
using RepresentationSink = std::function<absl::Status(const RepresentationInfo&)>;

// One piece of generated text and the symbols behind it.
using GenerateSink = std::function<absl::Status(absl::string_view text, std::span<const SymbolId> symbols)>;

// What Trace gives: the header once and first, then rows or bytes.
struct TraceSinks {
  std::function<absl::Status(const v1::TraceResponse::Header&)> begin;
  std::function<absl::Status(std::span<const v1::TraceRow>)> rows;  // at most 4096
  ByteSink bytes;
};

struct DecodeOutcome {
  std::string kind;  // of the representation
  bool valid_utf8 = false;
};

struct GenerateOutcome {
  std::string kind;  // of the checkpoint's representation
  v1::GenerateResponse::Summary summary;
};

class Operations {
 public:
  virtual ~Operations() = default;

  // Bytes of one document to symbols. Cutting the bytes elsewhere changes nothing.
  virtual absl::Status Encode(const v1::RepresentationRef& representation, const ByteSource& bytes,
                              const RepresentationSink& begin, const SymbolSink& symbols,
                              const CancellationToken& cancel) = 0;
  // Symbols of one document to bytes. `fingerprint` may be empty. FAILED_PRECONDITION for another fingerprint;
  // OUT_OF_RANGE naming position and id of an unknown symbol.
  virtual absl::StatusOr<DecodeOutcome> Decode(const v1::RepresentationRef& representation,
                                               const std::string& fingerprint, const SymbolSource& symbols,
                                               const ByteSink& bytes, const CancellationToken& cancel) = 0;

  // Bytes to a frame. The summary comes without bits_per_byte and seconds.
  virtual absl::StatusOr<v1::CompressResponse::Summary> Compress(const v1::CompressRequest::Start& start,
                                                                 const ByteSource& bytes, const ByteSink& frame,
                                                                 const CancellationToken& cancel) = 0;
  // A frame to bytes. The summary comes without seconds.
  virtual absl::StatusOr<v1::DecompressResponse::Summary> Decompress(const v1::DecompressRequest::Start& start,
                                                                     const ByteSource& frame, const ByteSink& bytes,
                                                                     const CancellationToken& cancel) = 0;

  // The request is within its documented ranges.
  virtual absl::StatusOr<GenerateOutcome> Generate(const v1::GenerateRequest& request, const GenerateSink& sink,
                                                   const CancellationToken& cancel) = 0;

  // `start` is within its documented ranges. The summary comes without output_bytes and seconds.
  virtual absl::StatusOr<v1::TraceResponse::Summary> Trace(const v1::TraceRequest::Start& start,
                                                           absl::string_view input, const TraceSinks& sinks,
                                                           const CancellationToken& cancel) = 0;

  virtual absl::StatusOr<v1::CompareResponse> Compare(const v1::CompareRequest& request,
                                                      const CancellationToken& cancel) = 0;

  virtual absl::StatusOr<v1::Model> LoadModel(const v1::LoadModelRequest& request, const CancellationToken& cancel) = 0;
  virtual absl::StatusOr<v1::UnloadModelResponse> UnloadModel(const v1::UnloadModelRequest& request) = 0;
  // By name of the checkpoint.
  virtual std::vector<v1::Model> ListModels() = 0;

  // libtorch_version, devices, representations and codecs of Capabilities; the server fills in the rest.
  virtual v1::Capabilities Describe() = 0;
};

// What a job needs besides being well formed: ranges of its options, artifacts that exist, paths below the allowed
// roots. OK, or the error that the submitting call answers with. Any thread.
using JobSpecCheck = std::function<absl::Status(const v1::JobSpec&)>;

}  // namespace clm
