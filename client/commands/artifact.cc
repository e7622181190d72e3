#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/command.h"
#include "client/files.h"
#include "client/render.h"
#include "client/upload.h"
#include "clm/v1/artifact.grpc.pb.h"
#include "core/base/digest.h"
#include "core/base/status_macros.h"
#include "core/base/units.h"

namespace clm::client {
namespace {

void PrintArtifact(const v1::Artifact& artifact) {
  std::printf("artifact  %s\ncreated   %s\n", artifact.name().c_str(), TimeText(artifact.create_time()).c_str());
  for (const v1::ArtifactFile& file : artifact.files()) {
    std::printf("file      %s  %s  %s\n", file.name().c_str(), FormatBytes(file.size_bytes()).c_str(),
                file.sha256().c_str());
  }
  for (const std::string& parent : artifact.parents()) std::printf("parent    %s\n", parent.c_str());
  for (const auto& [key, value] : artifact.attributes()) std::printf("%s = %s\n", key.c_str(), value.c_str());
  for (const std::string& pin : artifact.pins()) std::printf("pin       %s\n", pin.c_str());
}

int Show(Session& session, const absl::StatusOr<v1::Artifact>& artifact) {
  if (!artifact.ok()) return session.Report(artifact.status());
  if (session.json()) {
    session.PrintJson(*artifact);
  } else {
    PrintArtifact(*artifact);
  }
  return kExitOk;
}

absl::StatusOr<v1::Artifact> Get(Session& session, const std::string& id) {
  const auto stub = v1::ArtifactService::NewStub(session.channel());
  v1::GetArtifactRequest request;
  request.set_artifact(id);
  v1::Artifact artifact;
  const auto context = session.UnaryContext();
  CLM_RETURN_IF_ERROR(ToAbsl(stub->GetArtifact(context.get(), request, &artifact)));
  return artifact;
}

absl::StatusOr<v1::Artifact> Pin(Session& session, const v1::PinArtifactRequest& request) {
  const auto stub = v1::ArtifactService::NewStub(session.channel());
  v1::Artifact artifact;
  const auto context = session.UnaryContext();
  CLM_RETURN_IF_ERROR(ToAbsl(stub->PinArtifact(context.get(), request, &artifact)));
  return artifact;
}

int List(Session& session, const std::string& kind) {
  const auto stub = v1::ArtifactService::NewStub(session.channel());
  v1::ListArtifactsRequest request;
  request.set_kind(ArtifactKindOf(kind));
  v1::ListArtifactsResponse all;
  do {
    v1::ListArtifactsResponse response;
    const auto context = session.UnaryContext();
    const grpc::Status status = stub->ListArtifacts(context.get(), request, &response);
    if (!status.ok()) return session.Report(status);
    for (v1::Artifact& artifact : *response.mutable_artifacts()) *all.add_artifacts() = std::move(artifact);
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  if (session.json()) {
    session.PrintJson(all);
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows = {{"artifact", "kind", "size", "created", "pins"}};
  for (const v1::Artifact& artifact : all.artifacts()) {
    rows.push_back({ShortId(artifact.name()), KindName(artifact.kind()), FormatBytes(artifact.total_size_bytes()),
                    TimeText(artifact.create_time()), absl::StrCat(artifact.pins_size())});
  }
  std::printf("%s", Table(rows).c_str());
  return kExitOk;
}

// Streams one file to `target` and checks its digest before it gets its name.
absl::Status Download(Session& session, const v1::DownloadArtifactRequest& request, const std::string& target) {
  const auto stub = v1::ArtifactService::NewStub(session.channel());
  grpc::ClientContext context;
  const InterruptScope scope([&context] { context.TryCancel(); });
  const auto reader = stub->DownloadArtifact(&context, request);
  v1::DownloadArtifactResponse response;
  v1::ArtifactFile file;
  std::unique_ptr<Output> output;
  Sha256 digest;
  while (reader->Read(&response)) {
    if (response.has_file()) {
      file = response.file();
      CLM_ASSIGN_OR_RETURN(output, Output::Create(target.empty() ? file.name() : target));
    }
    if (output == nullptr) return absl::InternalError("the server sent data before the file's description");
    digest.Update(response.data());
    CLM_RETURN_IF_ERROR(output->Write(response.data()));
  }
  CLM_RETURN_IF_ERROR(ToAbsl(reader->Finish()));
  if (output == nullptr) return absl::InternalError("the server sent nothing");
  const std::string sha256 = ToHex(digest.Finish());
  if (sha256 != file.sha256()) {
    return absl::DataLossError(
        absl::StrCat(file.name(), " came with sha256 ", sha256, ", it should be ", file.sha256()));
  }
  CLM_RETURN_IF_ERROR(output->Commit());
  session.Note(absl::StrCat(file.name(), ": ", output->bytes_written(), " bytes, sha256 ", sha256));
  return absl::OkStatus();
}

int Delete(Session& session, const std::string& id) {
  const auto stub = v1::ArtifactService::NewStub(session.channel());
  v1::DeleteArtifactRequest request;
  request.set_artifact(id);
  v1::DeleteArtifactResponse response;
  const auto context = session.UnaryContext();
  const grpc::Status status = stub->DeleteArtifact(context.get(), request, &response);
  return session.Answer(status, response,
                        [&] { std::printf("freed %s\n", FormatBytes(response.freed_bytes()).c_str()); });
}

void AddPin(CLI::App& parent, Session& session, const char* name, const char* help, bool remove) {
  const auto request = std::make_shared<v1::PinArtifactRequest>();
  request->set_remove(remove);
  CLI::App* command = parent.add_subcommand(name, help);
  command->add_option("artifact", *request->mutable_artifact(), "Name, id or prefix of the id")->required();
  command->add_option("label", *request->mutable_label(), "Who and why")->required();
  command->callback([&session, request] { session.exit_code = Show(session, Pin(session, *request)); });
}

// Adds a subcommand with one positional argument.
void AddOne(CLI::App& parent, const char* name, const char* help, const char* argument,
            std::function<void(const std::string&)> run) {
  const auto value = std::make_shared<std::string>();
  CLI::App* command = parent.add_subcommand(name, help);
  command->add_option(argument, *value)->required();
  command->callback([value, run = std::move(run)] { run(*value); });
}

}  // namespace

void AddArtifact(CLI::App& app, Session& session) {
  CLI::App* command = app.add_subcommand("artifact", "List, send, fetch, pin and delete artifacts");
  command->require_subcommand(1);

  const auto kind = std::make_shared<std::string>();
  CLI::App* list = command->add_subcommand("list", "All artifacts, oldest first");
  list->add_option("--kind", *kind)
      ->check(CLI::IsMember({"tokenizer", "universe", "corpus", "checkpoint", "report", "blob"}));
  list->callback([&session, kind] { session.exit_code = List(session, *kind); });

  AddOne(*command, "show", "One artifact", "artifact",
         [&session](const std::string& id) { session.exit_code = Show(session, Get(session, id)); });
  AddOne(*command, "put", "Upload a file", "file",
         [&session](const std::string& path) { session.exit_code = Show(session, UploadFile(session, path)); });
  AddOne(*command, "delete", "Delete an artifact that nothing depends on", "artifact",
         [&session](const std::string& id) { session.exit_code = Delete(session, id); });
  AddPin(*command, session, "pin", "Protect from deletion", false);
  AddPin(*command, session, "unpin", "Remove a pin", true);

  const auto request = std::make_shared<v1::DownloadArtifactRequest>();
  const auto target = std::make_shared<std::string>();
  CLI::App* get = command->add_subcommand("get", "Download one file of an artifact");
  get->add_option("artifact", *request->mutable_artifact(), "Name, id or prefix of the id")->required();
  get->add_option("file", *request->mutable_file_name(), "File inside (may be left out when there is only one)");
  get->add_option("-o,--out", *target, "File, or - for stdout (default: the file's own name)");
  get->callback(
      [&session, request, target] { session.exit_code = session.Report(Download(session, *request, *target)); });
}

}  // namespace clm::client
