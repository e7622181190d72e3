// A gRPC server inside the test that records what it is asked and answers what the test says.
//
//   FakeServer server;
//   server.job.set_state(...);
//   EXPECT_EQ(server.Run({"job", "show", "j1"}), 0);   // runs `clm job show j1` against it
//   EXPECT_EQ(server.output(), "...");
#pragma once

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "client/session.h"
#include "clm/v1/artifact.grpc.pb.h"
#include "clm/v1/job.grpc.pb.h"
#include "clm/v1/service.grpc.pb.h"
#include "core/base/digest.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"

namespace clm::client {

class FakeServer final : public v1::CompressionService::Service,
                         public v1::JobService::Service,
                         public v1::ArtifactService::Service,
                         public v1::ModelService::Service,
                         public v1::AdminService::Service {
 public:
  FakeServer() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(static_cast<v1::CompressionService::Service*>(this));
    builder.RegisterService(static_cast<v1::JobService::Service*>(this));
    builder.RegisterService(static_cast<v1::ArtifactService::Service*>(this));
    builder.RegisterService(static_cast<v1::ModelService::Service*>(this));
    builder.RegisterService(static_cast<v1::AdminService::Service*>(this));
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
    job.set_name("jobs/j1");
    job.set_state(v1::JOB_STATE_SUCCEEDED);
  }
  ~FakeServer() override { server_->Shutdown(); }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  // Runs one command line; what it prints on stdout is in output(), on stderr in errors().
  int Run(std::vector<std::string> arguments, void (*add)(CLI::App&, Session&)) {
    CLI::App app("test", "clm");
    Session session;
    session.options().address = address_;
    app.add_option("--output", session.options().output);
    app.fallthrough();
    add(app, session);
    std::reverse(arguments.begin(), arguments.end());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    try {
      app.parse(arguments);
    } catch (const CLI::ParseError& error) {
      session.exit_code = kExitUsage;
      std::fprintf(stderr, "%s", error.what());
    }
    std::fflush(stdout);
    output_ = ::testing::internal::GetCapturedStdout();
    errors_ = ::testing::internal::GetCapturedStderr();
    return session.exit_code;
  }
  const std::string& output() const { return output_; }
  const std::string& errors() const { return errors_; }
  const std::string& address() const { return address_; }

  // What the server answers.
  grpc::Status status;               // every call ends with it
  v1::Job job;                       // every job call
  std::vector<v1::JobEvent> events;  // WatchJob; empty: one event with `job`
  v1::CompareResponse comparison;
  v1::Artifact artifact;
  std::string download;          // content of DownloadArtifact
  uint64_t committed_bytes = 0;  // of GetUploadStatus; 0: NOT_FOUND
  std::string reversed_suffix;   // appended to what Decompress gives

  // What it was asked.
  v1::SubmitJobRequest submitted;
  std::string uploaded;
  uint64_t first_upload_offset = 0;
  std::string upload_sha256;
  v1::GenerateRequest generate;
  v1::EncodeRequest::Start encode;
  v1::DecodeRequest::Start decode;
  v1::DecompressRequest::Start decompress;
  v1::DecompressResponse::Summary decompress_summary;  // what Decompress answers
  v1::TraceRequest::Start trace;
  v1::TraceResponse::Summary trace_summary;  // what Trace answers
  v1::FileReport files;                      // what a call from file to file answers
  std::vector<std::string> calls;

  grpc::Status Prepare(grpc::ServerContext*, const v1::SubmitJobRequest* request, v1::Job* response) override {
    return Submitted("Prepare", *request, *response);
  }
  grpc::Status Train(grpc::ServerContext*, const v1::SubmitJobRequest* request, v1::Job* response) override {
    return Submitted("Train", *request, *response);
  }
  grpc::Status EvaluateBPB(grpc::ServerContext*, const v1::SubmitJobRequest* request, v1::Job* response) override {
    return Submitted("EvaluateBPB", *request, *response);
  }
  grpc::Status Compare(grpc::ServerContext*, const v1::CompareRequest* request,
                       v1::CompareResponse* response) override {
    calls.push_back("Compare " + request->baseline() + " " + request->candidate());
    *response = comparison;
    return status;
  }

  // A "frame" is the input backwards.
  grpc::Status Compress(grpc::ServerContext*,
                        grpc::ServerReaderWriter<v1::CompressResponse, v1::CompressRequest>* stream) override {
    std::string data;
    v1::CompressRequest request;
    while (stream->Read(&request)) data += request.data();
    v1::CompressResponse response;
    response.set_frame(std::string(data.rbegin(), data.rend()));
    stream->Write(response);
    response.Clear();
    response.mutable_summary()->set_original_bytes(data.size());
    response.mutable_summary()->set_frame_bytes(data.size());
    response.mutable_summary()->set_sha256(Sha256Hex(data));
    stream->Write(response);
    return status;
  }
  grpc::Status Decompress(grpc::ServerContext*,
                          grpc::ServerReaderWriter<v1::DecompressResponse, v1::DecompressRequest>* stream) override {
    std::string frame;
    v1::DecompressRequest request;
    while (stream->Read(&request)) {
      if (request.has_start()) decompress = request.start();
      frame += request.frame();
    }
    v1::DecompressResponse response;
    response.set_data(std::string(frame.rbegin(), frame.rend()) + reversed_suffix);
    stream->Write(response);
    response.Clear();
    *response.mutable_summary() = decompress_summary;
    stream->Write(response);
    return status;
  }
  // One symbol per byte.
  grpc::Status Encode(grpc::ServerContext*,
                      grpc::ServerReaderWriter<v1::EncodeResponse, v1::EncodeRequest>* stream) override {
    v1::EncodeResponse response;
    response.mutable_header()->set_vocab_size(257);
    response.mutable_header()->set_width_bytes(2);
    stream->Write(response);
    v1::EncodeRequest request;
    while (stream->Read(&request)) {
      response.Clear();
      if (request.has_start()) encode = request.start();
      if (encode.has_files()) {
        *response.mutable_summary()->mutable_files() = files;
        stream->Write(response);
        continue;
      }
      for (const char c : request.data()) response.mutable_symbols()->append({c, '\0'});
      stream->Write(response);
    }
    return status;
  }
  grpc::Status Decode(grpc::ServerContext*,
                      grpc::ServerReaderWriter<v1::DecodeResponse, v1::DecodeRequest>* stream) override {
    v1::DecodeRequest request;
    uint32_t width = 0;
    while (stream->Read(&request)) {
      if (request.has_start()) decode = request.start();
      width = decode.width_bytes();
      v1::DecodeResponse response;
      if (decode.has_files()) *response.mutable_summary()->mutable_files() = files;
      for (size_t i = 0; i < request.symbols().size(); i += width)
        response.mutable_data()->push_back(request.symbols()[i]);
      stream->Write(response);
    }
    return status;
  }
  grpc::Status Generate(grpc::ServerContext*, const v1::GenerateRequest* request,
                        grpc::ServerWriter<v1::GenerateResponse>* writer) override {
    generate = *request;
    v1::GenerateResponse response;
    response.set_text("once upon ");
    writer->Write(response);
    response.set_text("a time");
    response.mutable_summary()->set_stop_reason(v1::STOP_REASON_BOUNDARY);
    writer->Write(response);
    return status;
  }

  // One row, then the input backwards.
  grpc::Status Trace(grpc::ServerContext*,
                     grpc::ServerReaderWriter<v1::TraceResponse, v1::TraceRequest>* stream) override {
    std::string data;
    v1::TraceRequest request;
    while (stream->Read(&request)) {
      if (request.has_start()) trace = request.start();
      data += request.data();
    }
    v1::TraceResponse response;
    response.mutable_header()->set_model("count");
    stream->Write(response);
    response.Clear();
    if (trace.report().format() == v1::TRACE_FORMAT_ROWS) response.add_rows()->set_token(7);
    response.set_data(std::string(data.rbegin(), data.rend()));
    stream->Write(response);
    response.Clear();
    *response.mutable_summary() = trace_summary;
    stream->Write(response);
    return status;
  }

  grpc::Status GetJob(grpc::ServerContext*, const v1::GetJobRequest* request, v1::Job* response) override {
    return JobCall("GetJob " + request->job(), *response);
  }
  grpc::Status CancelJob(grpc::ServerContext*, const v1::CancelJobRequest* request, v1::Job* response) override {
    return JobCall("CancelJob " + request->job(), *response);
  }
  grpc::Status ResumeJob(grpc::ServerContext*, const v1::ResumeJobRequest* request, v1::Job* response) override {
    return JobCall("ResumeJob " + request->job(), *response);
  }
  grpc::Status DeleteJob(grpc::ServerContext*, const v1::DeleteJobRequest* request, v1::DeleteJobResponse*) override {
    calls.push_back("DeleteJob " + request->job());
    return status;
  }
  // Two pages.
  grpc::Status ListJobs(grpc::ServerContext*, const v1::ListJobsRequest* request,
                        v1::ListJobsResponse* response) override {
    calls.push_back("ListJobs " + request->page_token());
    *response->add_jobs() = job;
    if (request->page_token().empty()) response->set_next_page_token("second");
    return status;
  }
  grpc::Status WatchJob(grpc::ServerContext*, const v1::WatchJobRequest* request,
                        grpc::ServerWriter<v1::JobEvent>* writer) override {
    calls.push_back("WatchJob " + std::to_string(request->cursor()));
    if (events.empty()) {
      v1::JobEvent event;
      event.set_cursor(1);
      *event.mutable_job() = job;
      writer->Write(event);
      return status;
    }
    // One event per connection: the client must come back with its cursor.
    for (const v1::JobEvent& event : events) {
      if (event.cursor() <= request->cursor()) continue;
      writer->Write(event);
      return event.cursor() == events.back().cursor() ? grpc::Status::OK
                                                      : grpc::Status(grpc::StatusCode::UNAVAILABLE, "cut");
    }
    return grpc::Status::OK;
  }

  grpc::Status GetUploadStatus(grpc::ServerContext*, const v1::GetUploadStatusRequest*,
                               v1::GetUploadStatusResponse* response) override {
    response->set_committed_size_bytes(committed_bytes);
    return committed_bytes == 0 ? grpc::Status(grpc::StatusCode::NOT_FOUND, "no such upload") : grpc::Status::OK;
  }
  grpc::Status UploadArtifact(grpc::ServerContext*, grpc::ServerReader<v1::UploadArtifactRequest>* reader,
                              v1::UploadArtifactResponse* response) override {
    v1::UploadArtifactRequest request;
    while (reader->Read(&request)) {
      if (request.part_case() == v1::UploadArtifactRequest::kData) {
        if (uploaded.empty()) first_upload_offset = request.offset_bytes();
        uploaded += request.data();
      }
      if (request.has_finish()) upload_sha256 = request.finish().sha256();
    }
    calls.push_back("UploadArtifact");
    response->mutable_artifact()->set_name("artifacts/blob/" + upload_sha256);
    return status;
  }
  grpc::Status DownloadArtifact(grpc::ServerContext*, const v1::DownloadArtifactRequest*,
                                grpc::ServerWriter<v1::DownloadArtifactResponse>* writer) override {
    v1::DownloadArtifactResponse response;
    response.mutable_file()->set_name("data");
    response.mutable_file()->set_sha256(Sha256Hex("content"));
    writer->Write(response);
    response.Clear();
    response.set_data(download);
    writer->Write(response);
    return status;
  }
  grpc::Status ListArtifacts(grpc::ServerContext*, const v1::ListArtifactsRequest*,
                             v1::ListArtifactsResponse* response) override {
    if (!artifact.name().empty()) *response->add_artifacts() = artifact;
    return status;
  }
  grpc::Status GetArtifact(grpc::ServerContext*, const v1::GetArtifactRequest* request,
                           v1::Artifact* response) override {
    calls.push_back("GetArtifact " + request->artifact());
    *response = artifact;
    return status;
  }
  grpc::Status DeleteArtifact(grpc::ServerContext*, const v1::DeleteArtifactRequest*,
                              v1::DeleteArtifactResponse* response) override {
    response->set_freed_bytes(2048);
    return status;
  }
  grpc::Status PinArtifact(grpc::ServerContext*, const v1::PinArtifactRequest* request,
                           v1::Artifact* response) override {
    calls.push_back((request->remove() ? "Unpin " : "Pin ") + request->label());
    *response = artifact;
    return status;
  }

  grpc::Status LoadModel(grpc::ServerContext*, const v1::LoadModelRequest* request, v1::Model* response) override {
    calls.push_back("LoadModel " + request->checkpoint());
    response->set_checkpoint("artifacts/checkpoint/" + request->checkpoint());
    return status;
  }
  grpc::Status UnloadModel(grpc::ServerContext*, const v1::UnloadModelRequest*,
                           v1::UnloadModelResponse* response) override {
    response->set_freed_bytes(1024);
    return status;
  }
  grpc::Status ListModels(grpc::ServerContext*, const v1::ListModelsRequest*, v1::ListModelsResponse*) override {
    return status;
  }
  grpc::Status GetCapabilities(grpc::ServerContext*, const v1::GetCapabilitiesRequest*,
                               v1::Capabilities* response) override {
    response->set_version("9.9.9");
    return status;
  }

 private:
  grpc::Status Submitted(const std::string& method, const v1::SubmitJobRequest& request, v1::Job& response) {
    calls.push_back(method);
    submitted = request;
    response = job;
    return status;
  }
  grpc::Status JobCall(const std::string& call, v1::Job& response) {
    calls.push_back(call);
    response = job;
    return status;
  }

  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  std::string output_;
  std::string errors_;
};

}  // namespace clm::client
