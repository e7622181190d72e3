// Server: everything clm_server is made of, from its lock on the data folder to its open port.
//
//   CLM_ASSIGN_OR_RETURN(const std::unique_ptr<Server> server, Server::Start(config, parts));
//   ... server->address() ...
//   server->Drain();
//
// Below the data folder it writes what follows; elsewhere only the outputs of Encode and Decode, below writable_roots.
//
//   LOCK             held for the server's life; a second server is refused by name
//   journal.sqlite   jobs (job_journal.h), with its -wal and -shm
//   artifacts/       the store (artifact_store.h)
//   jobs/<id>/       working folders of jobs (job_runner.h)
//
// Thread-safety: Drain() may be called from any thread, once; the destructor after it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "clm/v1/server_config.pb.h"
#include "core/artifact/artifact_store.h"
#include "server/metrics/metrics.h"
#include "server/service/operations.h"

namespace clm {

// What the server is given from outside: the work behind its calls. The store and the metrics outlive what is made
// here.
struct ServerParts {
  std::function<absl::StatusOr<std::unique_ptr<Operations>>(const v1::ServerConfig&, ArtifactStore&, Metrics&)>
      make_operations;
  std::function<JobSpecCheck(const v1::ServerConfig&, ArtifactStore&)> make_spec_check;
};

class Server {
 public:
  // `config` must be valid (ValidateConfig). Accepts calls and runs jobs when it returns.
  // Errors: FAILED_PRECONDITION when another server has the data folder, or the worker is missing; UNAVAILABLE naming
  // the address when a port cannot be bound; those of journal and store.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const v1::ServerConfig& config, const ServerParts& parts);
  ~Server();  // drains when that was not done

  // "host:port" with the port that is really used.
  std::string address() const;
  // 0 when there is no metrics endpoint.
  int metrics_port() const;

  // Ends in order: health says NOT_SERVING, new calls are UNAVAILABLE, running calls get up to drain_seconds, workers
  // are stopped and their jobs queued for the next start.
  void Drain();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace clm
