#include "server/service/compression_service.h"

#include "server/service/compare_handler.h"
#include "server/service/compress_handler.h"
#include "server/service/decode_handler.h"
#include "server/service/decompress_handler.h"
#include "server/service/encode_handler.h"
#include "server/service/generate_handler.h"
#include "server/service/job_handler.h"
#include "server/service/trace_handler.h"

namespace clm {

grpc::Status CompressionServiceImpl::Prepare(grpc::ServerContext* context, const v1::SubmitJobRequest* request,
                                             v1::Job* response) {
  return ServeUnary(runtime_, "CompressionService/Prepare", *context, *response,
                    [&](Call&) { return HandleSubmit(table_, v1::JOB_KIND_PREPARE, check_spec_, *request); });
}

grpc::Status CompressionServiceImpl::Train(grpc::ServerContext* context, const v1::SubmitJobRequest* request,
                                           v1::Job* response) {
  return ServeUnary(runtime_, "CompressionService/Train", *context, *response,
                    [&](Call&) { return HandleSubmit(table_, v1::JOB_KIND_TRAIN, check_spec_, *request); });
}

grpc::Status CompressionServiceImpl::EvaluateBPB(grpc::ServerContext* context, const v1::SubmitJobRequest* request,
                                                 v1::Job* response) {
  return ServeUnary(runtime_, "CompressionService/EvaluateBPB", *context, *response,
                    [&](Call&) { return HandleSubmit(table_, v1::JOB_KIND_EVALUATE, check_spec_, *request); });
}

grpc::Status CompressionServiceImpl::Encode(grpc::ServerContext* context,
                                            grpc::ServerReaderWriter<v1::EncodeResponse, v1::EncodeRequest>* stream) {
  return ServeBidi(runtime_, "CompressionService/Encode", *context, *stream,
                   [&](Call& call, MessageReader<v1::EncodeRequest>& in, MessageWriter<v1::EncodeResponse>& out) {
                     return HandleEncode({operations_, *runtime_.metrics, paths_}, call, in, out);
                   });
}

grpc::Status CompressionServiceImpl::Decode(grpc::ServerContext* context,
                                            grpc::ServerReaderWriter<v1::DecodeResponse, v1::DecodeRequest>* stream) {
  return ServeBidi(runtime_, "CompressionService/Decode", *context, *stream,
                   [&](Call& call, MessageReader<v1::DecodeRequest>& in, MessageWriter<v1::DecodeResponse>& out) {
                     return HandleDecode({operations_, *runtime_.metrics, paths_}, call, in, out);
                   });
}

grpc::Status CompressionServiceImpl::Compress(
    grpc::ServerContext* context, grpc::ServerReaderWriter<v1::CompressResponse, v1::CompressRequest>* stream) {
  return ServeBidi(runtime_, "CompressionService/Compress", *context, *stream,
                   [&](Call& call, MessageReader<v1::CompressRequest>& in, MessageWriter<v1::CompressResponse>& out) {
                     return HandleCompress(operations_, *runtime_.metrics, call, in, out);
                   });
}

grpc::Status CompressionServiceImpl::Decompress(
    grpc::ServerContext* context, grpc::ServerReaderWriter<v1::DecompressResponse, v1::DecompressRequest>* stream) {
  return ServeBidi(
      runtime_, "CompressionService/Decompress", *context, *stream,
      [&](Call& call, MessageReader<v1::DecompressRequest>& in, MessageWriter<v1::DecompressResponse>& out) {
        return HandleDecompress(operations_, *runtime_.metrics, call, in, out);
      });
}

grpc::Status CompressionServiceImpl::Generate(grpc::ServerContext* context, const v1::GenerateRequest* request,
                                              grpc::ServerWriter<v1::GenerateResponse>* writer) {
  return ServeServerStream(runtime_, "CompressionService/Generate", *context, *writer,
                           [&](Call& call, MessageWriter<v1::GenerateResponse>& out) {
                             return HandleGenerate(operations_, *runtime_.metrics, call, *request, out);
                           });
}

grpc::Status CompressionServiceImpl::Trace(grpc::ServerContext* context,
                                           grpc::ServerReaderWriter<v1::TraceResponse, v1::TraceRequest>* stream) {
  return ServeBidi(runtime_, "CompressionService/Trace", *context, *stream,
                   [&](Call& call, MessageReader<v1::TraceRequest>& in, MessageWriter<v1::TraceResponse>& out) {
                     return HandleTrace(operations_, *runtime_.metrics, call, in, out);
                   });
}

grpc::Status CompressionServiceImpl::Compare(grpc::ServerContext* context, const v1::CompareRequest* request,
                                             v1::CompareResponse* response) {
  return ServeUnary(runtime_, "CompressionService/Compare", *context, *response,
                    [&](Call& call) { return HandleCompare(operations_, call, *request); });
}

}  // namespace clm
