#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/command.h"
#include "client/render.h"
#include "clm/v1/service.grpc.pb.h"
#include "core/base/units.h"

namespace clm::client {
namespace {

int Show(Session& session, const grpc::Status& status, const google::protobuf::Message& json,
         const v1::ListModelsResponse& models) {
  return session.Answer(status, json, [&] {
    std::vector<std::vector<std::string>> rows = {
        {"checkpoint", "representation", "device", "parameters", "memory", "holders"}};
    for (const v1::Model& model : models.models()) {
      rows.push_back({ShortId(model.checkpoint()), model.representation(), model.device(),
                      absl::StrCat(model.parameters()), FormatBytes(model.resident_bytes()),
                      absl::StrCat(model.holders())});
    }
    std::printf("%s", Table(rows).c_str());
  });
}

int List(Session& session) {
  const auto stub = v1::ModelService::NewStub(session.channel());
  v1::ListModelsResponse response;
  const auto context = session.UnaryContext();
  const grpc::Status status = stub->ListModels(context.get(), v1::ListModelsRequest(), &response);
  return Show(session, status, response, response);
}

int Load(Session& session, const std::string& checkpoint) {
  const auto stub = v1::ModelService::NewStub(session.channel());
  v1::LoadModelRequest request;
  request.set_checkpoint(checkpoint);
  v1::ListModelsResponse models;
  v1::Model& model = *models.add_models();
  const auto context = session.UnaryContext();
  const grpc::Status status = stub->LoadModel(context.get(), request, &model);
  return Show(session, status, model, models);
}

int Unload(Session& session, const std::string& checkpoint) {
  const auto stub = v1::ModelService::NewStub(session.channel());
  v1::UnloadModelRequest request;
  request.set_checkpoint(checkpoint);
  v1::UnloadModelResponse response;
  const auto context = session.UnaryContext();
  const grpc::Status status = stub->UnloadModel(context.get(), request, &response);
  return session.Answer(status, response,
                        [&] { std::printf("freed %s\n", FormatBytes(response.freed_bytes()).c_str()); });
}

}  // namespace

void AddModel(CLI::App& app, Session& session) {
  CLI::App* command = app.add_subcommand("model", "Checkpoints in the server's memory");
  command->require_subcommand(1);
  command->add_subcommand("list", "Loaded models")->callback([&session] { session.exit_code = List(session); });
  const auto checkpoint = std::make_shared<std::string>();
  CLI::App* load = command->add_subcommand("load", "Load and keep a checkpoint");
  load->add_option("checkpoint", *checkpoint)->required();
  load->callback([&session, checkpoint] { session.exit_code = Load(session, *checkpoint); });
  CLI::App* unload = command->add_subcommand("unload", "Give its memory back");
  unload->add_option("checkpoint", *checkpoint)->required();
  unload->callback([&session, checkpoint] { session.exit_code = Unload(session, *checkpoint); });
}

}  // namespace clm::client
