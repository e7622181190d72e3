#include "server/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/artifact/upload_session.h"
#include "core/base/file_io.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "server/config/version.h"
#include "server/health.h"
#include "server/job/job_runner.h"
#include "server/metrics/exposer.h"
#include "server/metrics/job_metrics.h"
#include "server/service/admin_service.h"
#include "server/service/artifact_service.h"
#include "server/service/compression_service.h"
#include "server/service/job_service.h"
#include "server/service/model_service.h"

namespace clm {
namespace {

// Threads of gRPC beside those of calls: pollers, health, reflection.
constexpr size_t kSpareThreads = 64;
// Our own answers carry up to 256 KiB of data; the limit of messages never falls below one of them.
constexpr uint64_t kMinSendBytes = uint64_t{512} << 10;
// Uploads that nobody continues for this long are dropped at the next start.
constexpr absl::Duration kAbandonedUpload = absl::Hours(7 * 24);

// Metrics of jobs, and of the artifacts that a job may have made.
class ServerJobObserver final : public JobObserver {
 public:
  ServerJobObserver(Metrics& metrics, ArtifactStore& store) : metrics_(metrics), store_(store), jobs_(metrics) {}

  void OnMove(v1::JobKind kind, std::optional<JobState> from, std::optional<JobState> to) override {
    jobs_.OnMove(kind, from, to);
  }
  void OnStart(uint32_t slot, const v1::Job& job, absl::Duration queued) override { jobs_.OnStart(slot, job, queued); }
  void OnProgress(uint32_t slot, v1::JobKind kind, const v1::JobProgress& progress) override {
    jobs_.OnProgress(slot, kind, progress);
  }
  void OnStop(uint32_t slot, const v1::Job& job) override {
    jobs_.OnStop(slot, job);
    MeasureArtifacts(store_, metrics_);
  }

 private:
  Metrics& metrics_;
  ArtifactStore& store_;
  JobMetrics jobs_;
};

// The configured worker, or clm_worker beside this program.
absl::StatusOr<std::string> WorkerPath(const v1::ServerConfig& config) {
  std::string path = config.worker_path();
  if (path.empty()) {
    std::error_code error;
    const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
    if (error) return absl::InternalError(absl::StrCat("cannot find the own program: ", error.message()));
    path = (program.parent_path() / "clm_worker").string();
  }
  if (access(path.c_str(), X_OK) == 0) return path;
  return absl::FailedPreconditionError(absl::StrCat("worker_path: ", path, " is no program that can be run"));
}

absl::StatusOr<std::string> AbsolutePath(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  if (error) return absl::InvalidArgumentError(absl::StrCat("data_dir: ", path, ": ", error.message()));
  return absolute.lexically_normal().string();
}

absl::Duration Seconds(uint32_t seconds) { return absl::Seconds(static_cast<int64_t>(seconds)); }

}  // namespace

// In the order of construction; everything refers to what stands above it.
struct Server::State {
  v1::ServerConfig config;
  Metrics metrics;
  std::unique_ptr<FolderLock> lock;
  std::unique_ptr<ArtifactStore> store;
  std::unique_ptr<UploadSessions> uploads;
  std::unique_ptr<ServerJobObserver> observer;
  std::unique_ptr<JobTable> table;
  std::unique_ptr<JobRunner> runner;
  std::unique_ptr<Operations> operations;
  std::unique_ptr<MetricsExposer> exposer;

  std::unique_ptr<CallAdmission> admission;
  std::unique_ptr<CallWatchdog> watchdog;
  CallRuntime runtime{};
  std::unique_ptr<ArtifactHandler> artifact_handler;
  std::unique_ptr<ArtifactServiceImpl> artifact_service;
  std::unique_ptr<JobServiceImpl> job_service;
  std::unique_ptr<CompressionServiceImpl> compression_service;
  std::unique_ptr<ModelServiceImpl> model_service;
  std::unique_ptr<AdminServiceImpl> admin_service;
  std::unique_ptr<grpc::Server> grpc_server;
  std::unique_ptr<HealthReporter> health;
  int port = 0;
  bool drained = false;

  absl::Status OpenData();
  absl::Status OpenJobs();
  void MakeServices(const JobSpecCheck& check_spec);
  absl::Status Listen();
};

absl::Status Server::State::OpenData() {
  FileSystem& files = PosixFileSystem();
  CLM_ASSIGN_OR_RETURN(*config.mutable_data_dir(), AbsolutePath(config.data_dir()));
  CLM_RETURN_IF_ERROR(files.MakeDirectories(config.data_dir()));
  CLM_ASSIGN_OR_RETURN(lock, LockFolder(config.data_dir()));
  CLM_ASSIGN_OR_RETURN(
      store, ArtifactStore::Open(files, JoinPath(config.data_dir(), "artifacts"), SystemClock(), {.sweep = true}));
  UploadLimits limits;
  limits.max_size_bytes = config.max_upload_bytes();
  CLM_ASSIGN_OR_RETURN(uploads, UploadSessions::Open(*store, limits));
  MeasureArtifacts(*store, metrics);
  return absl::OkStatus();
}

absl::Status Server::State::OpenJobs() {
  JobJournalOptions journal_options;
  journal_options.path = JoinPath(config.data_dir(), "journal.sqlite");
  journal_options.on_commit = [this](absl::Duration time) {
    metrics.Observe(kJournalFsync, {}, absl::ToDoubleSeconds(time));
  };
  CLM_ASSIGN_OR_RETURN(auto journal, JobJournal::Open(std::move(journal_options)));
  observer = std::make_unique<ServerJobObserver>(metrics, *store);
  JobTableOptions table_options;
  table_options.max_queued_jobs = config.max_queued_jobs();
  table_options.observer = observer.get();
  CLM_ASSIGN_OR_RETURN(table, JobTable::Open(std::move(journal), table_options));
  JobRunnerOptions runner_options;
  CLM_ASSIGN_OR_RETURN(runner_options.worker_path, WorkerPath(config));
  runner_options.data_dir = config.data_dir();
  runner_options.slots = config.max_running_jobs();
  runner_options.max_resumes = config.max_job_resumes();
  runner_options.observer = observer.get();
  CLM_RETURN_IF_ERROR(runner_options.Validate());
  runner = std::make_unique<JobRunner>(*table, runner_options);
  return absl::OkStatus();
}

void Server::State::MakeServices(const JobSpecCheck& check_spec) {
  AdmissionLimits limits;
  limits.per_method = config.max_concurrent_calls();
  admission = std::make_unique<CallAdmission>(limits);
  watchdog = std::make_unique<CallWatchdog>(Seconds(config.idle_timeout_seconds()));
  runtime = {.metrics = &metrics,
             .admission = admission.get(),
             .watchdog = watchdog.get(),
             .default_deadline = config.default_deadline_seconds() == 0 ? absl::InfiniteDuration()
                                                                        : Seconds(config.default_deadline_seconds())};
  artifact_handler = std::make_unique<ArtifactHandler>(*store, *uploads, *table, metrics);
  artifact_service = std::make_unique<ArtifactServiceImpl>(runtime, *artifact_handler);
  job_service = std::make_unique<JobServiceImpl>(runtime, *table, *runner);
  ServerPaths paths;
  paths.readable_roots.assign(config.allowed_roots().begin(), config.allowed_roots().end());
  paths.writable_roots.assign(config.writable_roots().begin(), config.writable_roots().end());
  paths.data_dir = config.data_dir();
  compression_service =
      std::make_unique<CompressionServiceImpl>(runtime, *table, *operations, check_spec, std::move(paths));
  model_service = std::make_unique<ModelServiceImpl>(runtime, *operations);
  const v1::Capabilities capabilities = CapabilitiesOf(config, *operations);
  admin_service = std::make_unique<AdminServiceImpl>(runtime, capabilities);
  metrics.Set(kBuildInfo,
              {capabilities.version(), capabilities.commit(), capabilities.libtorch_version(), config.device()}, 1);
}

absl::Status Server::State::Listen() {
  if (!config.metrics_address().empty()) {
    CLM_ASSIGN_OR_RETURN(exposer, MetricsExposer::Start(config.metrics_address(), metrics));
  }
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  builder.AddListeningPort(config.listen_address(), grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(static_cast<int>(config.max_message_bytes()));
  builder.SetMaxSendMessageSize(static_cast<int>(std::max(config.max_message_bytes(), kMinSendBytes)));
  // Two servers on one port would hide a mistake.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // A connection whose peer has vanished is noticed within about a minute and a half, also while nothing is sent.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 30'000);
  AdmissionLimits limits;
  limits.per_method = config.max_concurrent_calls();
  grpc::ResourceQuota quota("clm_server");
  quota.SetMaxThreads(static_cast<int>(limits.Total() + kSpareThreads));
  builder.SetResourceQuota(quota);
  for (grpc::Service* service :
       std::initializer_list<grpc::Service*>{artifact_service.get(), job_service.get(), compression_service.get(),
                                             model_service.get(), admin_service.get()}) {
    builder.RegisterService(service);
  }
  grpc_server = builder.BuildAndStart();
  if (grpc_server == nullptr || port == 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", config.listen_address()));
  }
  health = std::make_unique<HealthReporter>(
      grpc_server->GetHealthCheckService(),
      std::vector<std::string>{"clm.v1.ArtifactService", "clm.v1.JobService", "clm.v1.CompressionService",
                               "clm.v1.ModelService", "clm.v1.AdminService"});
  return absl::OkStatus();
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() { Drain(); }

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const v1::ServerConfig& config, const ServerParts& parts) {
  auto owned = std::make_unique<State>();
  State& state = *owned;
  state.config = config;
  CLM_RETURN_IF_ERROR(state.OpenData());
  CLM_RETURN_IF_ERROR(state.OpenJobs());
  CLM_ASSIGN_OR_RETURN(state.operations, parts.make_operations(state.config, *state.store, state.metrics));
  state.MakeServices(parts.make_spec_check(state.config, *state.store));
  CLM_RETURN_IF_ERROR(state.Listen());
  std::unique_ptr<Server> server(new Server(std::move(owned)));
  // Only now: a server that cannot listen must not start workers.
  CLM_RETURN_IF_ERROR(state.runner->Start());
  const absl::StatusOr<size_t> dropped = state.uploads->DropIdle(kAbandonedUpload);
  if (dropped.ok() && *dropped > 0) Log(LogLevel::kInfo, "abandoned uploads dropped", {{"uploads", *dropped}});
  state.health->SetReady();
  return server;
}

std::string Server::address() const {
  const std::string& configured = state_->config.listen_address();
  return absl::StrCat(configured.substr(0, configured.rfind(':')), ":", state_->port);
}

int Server::metrics_port() const { return state_->exposer == nullptr ? 0 : state_->exposer->port(); }

void Server::Drain() {
  State& state = *state_;
  if (std::exchange(state.drained, true)) return;
  state.health->SetDraining();
  state.admission->Drain();
  // Workers get their time while calls get theirs; watches end when the table is closed.
  std::thread stop_jobs([&state] { state.runner->Stop(); });
  const bool idle = state.admission->WaitUntilIdle(Seconds(state.config.drain_seconds()));
  if (!idle) Log(LogLevel::kWarning, "calls are cut after the drain time");
  state.grpc_server->Shutdown(absl::ToChronoTime(absl::Now() + absl::Seconds(1)));
  state.grpc_server->Wait();
  stop_jobs.join();
}

}  // namespace clm
