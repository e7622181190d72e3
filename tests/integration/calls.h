// The calls of clm.v1 as functions: a request in, everything that came back out.
//
// Every call has a deadline, so that a server that hangs fails the test instead of stopping it. Thread-safety: as the
// stubs, thread-safe.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "clm/v1/artifact.grpc.pb.h"
#include "clm/v1/job.grpc.pb.h"
#include "clm/v1/service.grpc.pb.h"

namespace clm::testing {

inline constexpr int kCallSeconds = 120;

std::unique_ptr<grpc::ClientContext> NewContext(int seconds = kCallSeconds);

// Unary(*stubs.jobs, &v1::JobService::Stub::GetJob, request, response)
template <typename Stub, typename Request, typename Response>
grpc::Status Unary(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                   const Request& request, Response& response) {
  const std::unique_ptr<grpc::ClientContext> context = NewContext();
  return (stub.*method)(context.get(), request, &response);
}

// Sends all of `requests` while it passes every response to `take`.
template <typename Request, typename Response>
grpc::Status Exchange(grpc::ClientReaderWriter<Request, Response>& stream, const std::vector<Request>& requests,
                      const std::function<void(const Response&)>& take) {
  std::thread writer([&] {
    for (const Request& request : requests) {
      if (!stream.Write(request)) return;
    }
    stream.WritesDone();
  });
  Response response;
  while (stream.Read(&response)) take(response);
  writer.join();
  return stream.Finish();
}

struct EncodeAnswer {
  grpc::Status status;
  v1::EncodeResponse::Header header;
  v1::EncodeResponse::Summary summary;
  std::string symbols;
};
EncodeAnswer Encode(v1::CompressionService::Stub& stub, const v1::RepresentationRef& ref, absl::string_view data);

struct DecodeAnswer {
  grpc::Status status;
  v1::DecodeResponse::Summary summary;
  std::string data;
};
// Decodes what `encoded` holds.
DecodeAnswer Decode(v1::CompressionService::Stub& stub, const v1::RepresentationRef& ref, const EncodeAnswer& encoded);

struct CompressAnswer {
  grpc::Status status;
  v1::CompressResponse::Summary summary;
  std::string frame;
};
CompressAnswer Compress(v1::CompressionService::Stub& stub, absl::string_view data, uint32_t block_size_bytes);

struct DecompressAnswer {
  grpc::Status status;
  v1::DecompressResponse::Summary summary;
  std::string data;
};
DecompressAnswer Decompress(v1::CompressionService::Stub& stub, absl::string_view frame);

struct TraceAnswer {
  grpc::Status status;
  v1::TraceResponse::Header header;
  std::vector<v1::TraceRow> rows;
  std::string data;
  v1::TraceResponse::Summary summary;
};
TraceAnswer Trace(v1::CompressionService::Stub& stub, const v1::TraceRequest::Start& start, absl::string_view data);

struct GenerateAnswer {
  grpc::Status status;
  v1::GenerateResponse::Summary summary;
  std::string text;
};
GenerateAnswer Generate(v1::CompressionService::Stub& stub, const v1::GenerateRequest& request);

// An upload that says it has `total_size_bytes` and sends `data`.
struct UploadAnswer {
  grpc::Status status;
  v1::Artifact artifact;
};
UploadAnswer Upload(v1::ArtifactService::Stub& stub, v1::UploadArtifactRequest::Start start, absl::string_view data);

}  // namespace clm::testing
