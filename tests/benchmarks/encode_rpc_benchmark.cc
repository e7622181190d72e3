// Encode through a server on loopback, beside the same work in process: one document per stream, sent in messages of
// 64 or 256 KiB, and from file to file. "byte" has no tokenizer to wait for, so it shows what the transport itself can
// carry.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "clm/v1/service.grpc.pb.h"
#include "core/artifact/artifact_store.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/representation/token.h"
#include "core/tokenizer/tokenizer_file.h"
#include "server/config/config.h"
#include "server/convert/pipeline_operations.h"
#include "server/run_server.h"
#include "server/server.h"
#include "tests/benchmarks/benchmark_text.h"
#include "tests/benchmarks/benchmark_tokenizer.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

// A server whose store holds the benchmark's tokenizer.
class RunningServer {
 public:
  static absl::StatusOr<std::unique_ptr<RunningServer>> Start() {
    std::unique_ptr<RunningServer> running(new RunningServer);
    SetLogLevel(LogLevel::kError);
    KeepMessageMemory();  // as clm_server does
    const std::string data = running->directory_.File("data");
    CLM_ASSIGN_OR_RETURN(running->tokenizer_, StoreTokenizer(JoinPath(data, "artifacts")));
    v1::ServerConfig config = DefaultConfig();
    config.set_data_dir(data);
    config.set_listen_address("127.0.0.1:0");
    config.clear_metrics_address();
    config.set_worker_path("/bin/true");  // there are no jobs
    config.add_allowed_roots(running->directory_.path());
    config.add_writable_roots(running->directory_.path());
    CLM_RETURN_IF_ERROR(WriteFileAtomically(PosixFileSystem(), running->directory_.File("text"), benchmarking::Text()));
    const ServerParts parts = {.make_operations = MakePipelineOperations, .make_spec_check = MakeJobSpecCheck};
    CLM_ASSIGN_OR_RETURN(running->server_, Server::Start(config, parts));
    running->stub_ = v1::CompressionService::NewStub(
        grpc::CreateChannel(running->server_->address(), grpc::InsecureChannelCredentials()));
    return running;
  }

  // Encodes `text` as one document. `ids` is what came back, packed.
  grpc::Status Encode(const std::string& kind, absl::string_view text, size_t message_bytes, std::string& ids) {
    grpc::ClientContext context;
    const auto stream = stub_->Encode(&context);
    std::thread sender([&] { Send(*stream, kind, text, message_bytes); });
    v1::EncodeResponse response;
    ids.clear();
    while (stream->Read(&response)) ids += response.symbols();
    sender.join();
    return stream->Finish();
  }

  // The same text as a file to a file of ids. `symbols` is how many there are.
  grpc::Status EncodeFile(const std::string& kind, size_t& symbols) {
    grpc::ClientContext context;
    const auto stream = stub_->Encode(&context);
    v1::EncodeRequest request = StartOf(kind);
    v1::FilePaths& files = *request.mutable_start()->mutable_files();
    files.set_input_path(directory_.File("text"));
    files.set_output_path(directory_.File("ids"));
    files.set_overwrite(true);
    stream->Write(request);
    stream->WritesDone();
    v1::EncodeResponse response;
    while (stream->Read(&response)) symbols = response.summary().symbols();
    return stream->Finish();
  }

 private:
  using Stream = grpc::ClientReaderWriterInterface<v1::EncodeRequest, v1::EncodeResponse>;

  RunningServer() = default;

  static absl::StatusOr<std::string> StoreTokenizer(const std::string& root) {
    CLM_RETURN_IF_ERROR(PosixFileSystem().MakeDirectories(root));
    CLM_ASSIGN_OR_RETURN(const auto store, ArtifactStore::Open(PosixFileSystem(), root, SystemClock(), {}));
    CLM_ASSIGN_OR_RETURN(ArtifactDraft draft, store->NewDraft(ArtifactKind::kTokenizer));
    CLM_RETURN_IF_ERROR(draft.WriteFile("tokenizer.json", benchmarking::TokenizerJson()));
    CLM_ASSIGN_OR_RETURN(const ArtifactId id, draft.Commit({}));
    return id.Name();
  }

  v1::EncodeRequest StartOf(const std::string& kind) const {
    v1::EncodeRequest request;
    v1::RepresentationRef& ref = *request.mutable_start()->mutable_representation();
    ref.set_kind(kind);
    if (kind != "byte") ref.set_artifact(tokenizer_);
    return request;
  }

  void Send(Stream& stream, const std::string& kind, absl::string_view text, size_t message_bytes) const {
    v1::EncodeRequest request = StartOf(kind);
    bool open = stream.Write(request);
    while (open && !text.empty()) {
      const absl::string_view part = text.substr(0, message_bytes);
      request.mutable_data()->assign(part.data(), part.size());
      open = stream.Write(request);
      text.remove_prefix(part.size());
    }
    stream.WritesDone();
  }

  testing::TemporaryDirectory directory_;
  std::string tokenizer_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<v1::CompressionService::Stub> stub_;
};

RunningServer& TheServer() {
  static const auto* const kServer = [] {
    auto* server = new absl::StatusOr<std::unique_ptr<RunningServer>>(RunningServer::Start());
    if (!server->ok()) {
      std::fprintf(stderr, "%s\n", server->status().ToString().c_str());
      std::exit(1);
    }
    return server;
  }();
  return ***kServer;
}

void SetRates(benchmark::State& state, size_t ids) {
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(benchmarking::Text().size()));
  state.counters["ids/s"] = benchmark::Counter(static_cast<double>(ids), benchmark::Counter::kIsIterationInvariantRate);
}

void BM_EncodeInProcess(benchmark::State& state) {
  const TokenRepresentation representation(benchmarking::NewTokenizer());
  const size_t message_bytes = static_cast<size_t>(state.range(0));
  std::vector<SymbolId> out;
  for (auto _ : state) {
    const std::unique_ptr<StreamingEncoder> encoder = representation.NewEncoder();
    out.clear();
    absl::Status status;
    for (absl::string_view text = benchmarking::Text(); !text.empty() && status.ok();) {
      status = encoder->Push(text.substr(0, message_bytes), out);
      text.remove_prefix(std::min(message_bytes, text.size()));
    }
    if (status.ok()) status = encoder->Finish(out);
    if (!status.ok()) return state.SkipWithError(status.ToString().c_str());
  }
  SetRates(state, out.size());
}

void BM_EncodeRpc(benchmark::State& state, const char* kind) {
  std::string ids;
  for (auto _ : state) {
    const grpc::Status status =
        TheServer().Encode(kind, benchmarking::Text(), static_cast<size_t>(state.range(0)), ids);
    if (!status.ok()) return state.SkipWithError(status.error_message().c_str());
  }
  SetRates(state, ids.size() / sizeof(uint16_t));
}

void BM_EncodeFile(benchmark::State& state, const char* kind) {
  size_t symbols = 0;
  for (auto _ : state) {
    const grpc::Status status = TheServer().EncodeFile(kind, symbols);
    if (!status.ok()) return state.SkipWithError(status.error_message().c_str());
  }
  SetRates(state, symbols);
}

void Messages(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("message")->Arg(64 << 10)->Arg(256 << 10);
  // The processor time of client, server and transport together.
  benchmark->UseRealTime()->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);
}

BENCHMARK(BM_EncodeInProcess)->Apply(Messages);
BENCHMARK_CAPTURE(BM_EncodeRpc, token, "token")->Apply(Messages);
BENCHMARK_CAPTURE(BM_EncodeRpc, byte, "byte")->Apply(Messages);
BENCHMARK_CAPTURE(BM_EncodeFile, token, "token")->UseRealTime()->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_EncodeFile, byte, "byte")->UseRealTime()->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace clm
