// healthcheck, version, completion.
#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/command.h"
#include "clm/v1/service.grpc.pb.h"
#include "core/base/units.h"
#include "core/base/version.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace clm::client {
namespace {

namespace health = ::grpc::health::v1;

int CheckHealth(Session& session, const std::string& service) {
  const auto stub = health::Health::NewStub(session.channel());
  health::HealthCheckRequest request;
  request.set_service(service);
  health::HealthCheckResponse response;
  const auto context = session.UnaryContext();
  const grpc::Status status = stub->Check(context.get(), request, &response);
  if (!status.ok()) return session.Report(status);
  const std::string name = health::HealthCheckResponse::ServingStatus_Name(response.status());
  std::printf("%s\n", name.c_str());
  return response.status() == health::HealthCheckResponse::SERVING ? kExitOk : kExitUnavailable;
}

int ShowVersion(Session& session, bool client_only) {
  if (!session.json()) std::printf("clm %s\n", std::string(Version()).c_str());
  if (client_only) return kExitOk;
  const auto stub = v1::AdminService::NewStub(session.channel());
  v1::Capabilities capabilities;
  const auto context = session.UnaryContext();
  const grpc::Status status = stub->GetCapabilities(context.get(), v1::GetCapabilitiesRequest(), &capabilities);
  if (!status.ok()) return session.Report(status);
  if (session.json()) {
    session.PrintJson(capabilities);
    return kExitOk;
  }
  std::printf("server %s %s\nlibtorch %s\ndevices %s\nrepresentations %s\ncodecs %s\n", capabilities.version().c_str(),
              capabilities.commit().c_str(),
              capabilities.libtorch_version().empty() ? "none" : capabilities.libtorch_version().c_str(),
              absl::StrJoin(capabilities.devices(), " ").c_str(),
              absl::StrJoin(capabilities.representations(), " ").c_str(),
              absl::StrJoin(capabilities.codecs(), " ").c_str());
  std::printf("limits: message %s, upload %s, prompt %s, %u queued and %u running jobs, %u calls of a kind\n",
              FormatBytes(capabilities.max_message_bytes()).c_str(),
              FormatBytes(capabilities.max_upload_bytes()).c_str(),
              FormatBytes(capabilities.max_prompt_bytes()).c_str(), capabilities.max_queued_jobs(),
              capabilities.max_running_jobs(), capabilities.max_concurrent_calls());
  return kExitOk;
}

// All words a shell may offer: `clm` alone and after each command that has subcommands.
std::string Words(const CLI::App& app) {
  std::string words;
  for (const CLI::App* command : app.get_subcommands({})) absl::StrAppend(&words, command->get_name(), " ");
  return words;
}

std::string BashScript(const CLI::App& app) {
  std::string script = "_clm() {\n  local cur=${COMP_WORDS[COMP_CWORD]} words=\n  case ${COMP_WORDS[1]} in\n";
  for (const CLI::App* command : app.get_subcommands({})) {
    const std::string inner = Words(*command);
    if (!inner.empty()) absl::StrAppend(&script, "    ", command->get_name(), ") words=\"", inner, "\" ;;\n");
  }
  absl::StrAppend(&script, "  esac\n  ((COMP_CWORD == 1)) && words=\"", Words(app), "\"\n",
                  "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -f -- \"$cur\")\n}\ncomplete -F _clm clm\n");
  return script;
}

std::string Script(const CLI::App& app, const std::string& shell) {
  if (shell == "zsh") return "autoload -U +X bashcompinit && bashcompinit\n" + BashScript(app);
  if (shell == "bash") return BashScript(app);
  std::string script = absl::StrCat("complete -c clm -n __fish_use_subcommand -a '", Words(app), "'\n");
  for (const CLI::App* command : app.get_subcommands({})) {
    const std::string inner = Words(*command);
    if (inner.empty()) continue;
    absl::StrAppend(&script, "complete -c clm -n '__fish_seen_subcommand_from ", command->get_name(), "' -a '", inner,
                    "'\n");
  }
  return script;
}

}  // namespace

void AddHealthcheck(CLI::App& app, Session& session) {
  const auto service = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("healthcheck", "Exit 0 when the server is ready");
  command->add_option("service", *service, "\"\" (ready), liveness, or a service such as clm.v1.JobService");
  command->callback([&session, service] { session.exit_code = CheckHealth(session, *service); });
}

void AddVersion(CLI::App& app, Session& session) {
  const auto client_only = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("version", "Versions and limits of client and server");
  command->add_flag("--client", *client_only, "Do not ask the server");
  command->callback([&session, client_only] { session.exit_code = ShowVersion(session, *client_only); });
}

void AddCompletion(CLI::App& app, Session& session) {
  const auto shell = std::make_shared<std::string>("bash");
  CLI::App* command = app.add_subcommand("completion", "Print a completion script: source <(clm completion bash)");
  command->add_option("shell", *shell)->check(CLI::IsMember({"bash", "zsh", "fish"}))->capture_default_str();
  command->callback([&app, &session, shell] {
    std::printf("%s", Script(app, *shell).c_str());
    session.exit_code = kExitOk;
  });
}

}  // namespace clm::client
