// CompressionServiceImpl: clm.v1.CompressionService. Each call is one line: convert, call its handler, convert.
//
// Thread-safety: thread-safe. Ownership: everything given outlives it.
#pragma once

#include <utility>

#include "clm/v1/service.grpc.pb.h"
#include "server/job/job_table.h"
#include "server/service/operations.h"
#include "server/service/serve.h"
#include "server/service/server_paths.h"

namespace clm {

class CompressionServiceImpl final : public v1::CompressionService::Service {
 public:
  // `check_spec` is asked about every new job before it is queued.
  // Encode and Decode from file to file keep to `paths`.
  CompressionServiceImpl(const CallRuntime& runtime, JobTable& table, Operations& operations, JobSpecCheck check_spec,
                         ServerPaths paths)
      : runtime_(runtime),
        table_(table),
        operations_(operations),
        check_spec_(std::move(check_spec)),
        paths_(std::move(paths)) {}

  grpc::Status Prepare(grpc::ServerContext* context, const v1::SubmitJobRequest* request, v1::Job* response) override;
  grpc::Status Train(grpc::ServerContext* context, const v1::SubmitJobRequest* request, v1::Job* response) override;
  grpc::Status EvaluateBPB(grpc::ServerContext* context, const v1::SubmitJobRequest* request,
                           v1::Job* response) override;
  grpc::Status Encode(grpc::ServerContext* context,
                      grpc::ServerReaderWriter<v1::EncodeResponse, v1::EncodeRequest>* stream) override;
  grpc::Status Decode(grpc::ServerContext* context,
                      grpc::ServerReaderWriter<v1::DecodeResponse, v1::DecodeRequest>* stream) override;
  grpc::Status Compress(grpc::ServerContext* context,
                        grpc::ServerReaderWriter<v1::CompressResponse, v1::CompressRequest>* stream) override;
  grpc::Status Decompress(grpc::ServerContext* context,
                          grpc::ServerReaderWriter<v1::DecompressResponse, v1::DecompressRequest>* stream) override;
  grpc::Status Generate(grpc::ServerContext* context, const v1::GenerateRequest* request,
                        grpc::ServerWriter<v1::GenerateResponse>* writer) override;
  grpc::Status Trace(grpc::ServerContext* context,
                     grpc::ServerReaderWriter<v1::TraceResponse, v1::TraceRequest>* stream) override;
  grpc::Status Compare(grpc::ServerContext* context, const v1::CompareRequest* request,
                       v1::CompareResponse* response) override;

 private:
  const CallRuntime& runtime_;
  JobTable& table_;
  Operations& operations_;
  const JobSpecCheck check_spec_;
  const ServerPaths paths_;
};

}  // namespace clm
