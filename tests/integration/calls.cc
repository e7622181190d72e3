#include "tests/integration/calls.h"

#include <chrono>

#include "core/base/digest.h"

namespace clm::testing {
namespace {

// Below every limit on messages that the tests set.
constexpr size_t kPieceBytes = 32 << 10;

std::vector<absl::string_view> Pieces(absl::string_view data) {
  std::vector<absl::string_view> pieces;
  for (size_t at = 0; at < data.size(); at += kPieceBytes) pieces.push_back(data.substr(at, kPieceBytes));
  return pieces;
}

}  // namespace

std::unique_ptr<grpc::ClientContext> NewContext(int seconds) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(seconds));
  return context;
}

EncodeAnswer Encode(v1::CompressionService::Stub& stub, const v1::RepresentationRef& ref, absl::string_view data) {
  std::vector<v1::EncodeRequest> requests(1);
  *requests[0].mutable_start()->mutable_representation() = ref;
  for (const absl::string_view piece : Pieces(data)) requests.emplace_back().set_data(piece.data(), piece.size());
  EncodeAnswer answer;
  const auto context = NewContext();
  const auto stream = stub.Encode(context.get());
  answer.status =
      Exchange<v1::EncodeRequest, v1::EncodeResponse>(*stream, requests, [&answer](const v1::EncodeResponse& response) {
        if (response.has_header()) answer.header = response.header();
        if (response.has_summary()) answer.summary = response.summary();
        answer.symbols += response.symbols();
      });
  return answer;
}

DecodeAnswer Decode(v1::CompressionService::Stub& stub, const v1::RepresentationRef& ref, const EncodeAnswer& encoded) {
  std::vector<v1::DecodeRequest> requests(1);
  v1::DecodeRequest::Start& start = *requests[0].mutable_start();
  *start.mutable_representation() = ref;
  start.set_fingerprint(encoded.header.fingerprint());
  start.set_width_bytes(encoded.header.width_bytes());
  for (const absl::string_view piece : Pieces(encoded.symbols)) {
    requests.emplace_back().set_symbols(piece.data(), piece.size());
  }
  DecodeAnswer answer;
  const auto context = NewContext();
  const auto stream = stub.Decode(context.get());
  answer.status =
      Exchange<v1::DecodeRequest, v1::DecodeResponse>(*stream, requests, [&answer](const v1::DecodeResponse& response) {
        if (response.has_summary()) answer.summary = response.summary();
        answer.data += response.data();
      });
  return answer;
}

CompressAnswer Compress(v1::CompressionService::Stub& stub, absl::string_view data, uint32_t block_size_bytes) {
  std::vector<v1::CompressRequest> requests(1);
  requests[0].mutable_start()->set_block_size_bytes(block_size_bytes);
  for (const absl::string_view piece : Pieces(data)) requests.emplace_back().set_data(piece.data(), piece.size());
  CompressAnswer answer;
  const auto context = NewContext();
  const auto stream = stub.Compress(context.get());
  answer.status = Exchange<v1::CompressRequest, v1::CompressResponse>(*stream, requests,
                                                                      [&answer](const v1::CompressResponse& response) {
                                                                        if (response.has_summary())
                                                                          answer.summary = response.summary();
                                                                        answer.frame += response.frame();
                                                                      });
  return answer;
}

DecompressAnswer Decompress(v1::CompressionService::Stub& stub, absl::string_view frame) {
  std::vector<v1::DecompressRequest> requests(1);
  requests[0].mutable_start();
  for (const absl::string_view piece : Pieces(frame)) requests.emplace_back().set_frame(piece.data(), piece.size());
  DecompressAnswer answer;
  const auto context = NewContext();
  const auto stream = stub.Decompress(context.get());
  answer.status = Exchange<v1::DecompressRequest, v1::DecompressResponse>(
      *stream, requests, [&answer](const v1::DecompressResponse& response) {
        if (response.has_summary()) answer.summary = response.summary();
        answer.data += response.data();
      });
  return answer;
}

TraceAnswer Trace(v1::CompressionService::Stub& stub, const v1::TraceRequest::Start& start, absl::string_view data) {
  std::vector<v1::TraceRequest> requests(1);
  *requests[0].mutable_start() = start;
  for (const absl::string_view piece : Pieces(data)) requests.emplace_back().set_data(piece.data(), piece.size());
  TraceAnswer answer;
  const auto context = NewContext();
  const auto stream = stub.Trace(context.get());
  answer.status =
      Exchange<v1::TraceRequest, v1::TraceResponse>(*stream, requests, [&answer](const v1::TraceResponse& response) {
        if (response.has_header()) answer.header = response.header();
        if (response.has_summary()) answer.summary = response.summary();
        answer.rows.insert(answer.rows.end(), response.rows().begin(), response.rows().end());
        answer.data += response.data();
      });
  return answer;
}

GenerateAnswer Generate(v1::CompressionService::Stub& stub, const v1::GenerateRequest& request) {
  GenerateAnswer answer;
  const auto context = NewContext();
  const auto stream = stub.Generate(context.get(), request);
  v1::GenerateResponse response;
  while (stream->Read(&response)) {
    if (response.has_summary()) answer.summary = response.summary();
    answer.text += response.text();
  }
  answer.status = stream->Finish();
  return answer;
}

UploadAnswer Upload(v1::ArtifactService::Stub& stub, v1::UploadArtifactRequest::Start start, absl::string_view data) {
  UploadAnswer answer;
  v1::UploadArtifactResponse response;
  const auto context = NewContext();
  const auto stream = stub.UploadArtifact(context.get(), &response);
  v1::UploadArtifactRequest request;
  *request.mutable_start() = std::move(start);
  bool open = stream->Write(request);
  uint64_t offset = 0;
  for (const absl::string_view piece : Pieces(data)) {
    request.set_data(piece.data(), piece.size());
    request.set_offset_bytes(offset);
    offset += piece.size();
    open = open && stream->Write(request);
  }
  request.Clear();
  request.mutable_finish()->set_sha256(Sha256Hex(data));
  if (open) stream->Write(request);
  stream->WritesDone();
  answer.status = stream->Finish();
  answer.artifact = response.artifact();
  return answer;
}

}  // namespace clm::testing
