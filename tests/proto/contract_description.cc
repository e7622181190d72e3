#include "tests/proto/contract_description.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.pb.h"

namespace clm::testing {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;

std::string TypeName(const FieldDescriptor& field) {
  if (field.is_map()) {
    const Descriptor& entry = *field.message_type();
    return absl::StrCat("map<", entry.map_key()->type_name(), ", ", entry.map_value()->type_name(), ">");
  }
  std::string name = field.type_name();
  if (field.message_type() != nullptr) name = field.message_type()->full_name();
  if (field.enum_type() != nullptr) name = absl::StrCat("enum ", field.enum_type()->full_name());
  if (field.is_repeated()) return absl::StrCat("repeated ", name);
  return field.has_optional_keyword() ? absl::StrCat("optional ", name) : name;
}

std::string DescribeField(const FieldDescriptor& field) {
  std::string line = absl::StrCat("field ", field.containing_type()->full_name(), " ", field.number(), " ",
                                  field.name(), ": ", TypeName(field));
  if (field.real_containing_oneof() != nullptr) {
    absl::StrAppend(&line, " (oneof ", field.real_containing_oneof()->name(), ")");
  }
  return line;
}

std::string DescribeMethod(const MethodDescriptor& method) {
  return absl::StrCat("rpc ", method.service()->full_name(), " ", method.name(), ": ",
                      method.client_streaming() ? "stream " : "", method.input_type()->full_name(), " -> ",
                      method.server_streaming() ? "stream " : "", method.output_type()->full_name());
}

}  // namespace

std::vector<std::string> ContractFiles() {
  std::vector<std::string> files;
  for (const char* name : {"artifact", "codec", "error_detail", "evaluate", "generate", "job", "prepare",
                           "server_config", "service", "trace", "train"}) {
    files.push_back(absl::StrCat("clm/v1/", name, ".proto"));
  }
  return files;
}

std::vector<const Descriptor*> MessagesOf(const FileDescriptor& file) {
  std::vector<const Descriptor*> messages;
  for (int i = 0; i < file.message_type_count(); ++i) messages.push_back(file.message_type(i));
  for (size_t next = 0; next < messages.size(); ++next) {
    const Descriptor& message = *messages[next];
    for (int i = 0; i < message.nested_type_count(); ++i) {
      if (!message.nested_type(i)->options().map_entry()) messages.push_back(message.nested_type(i));
    }
  }
  return messages;
}

std::vector<const EnumDescriptor*> EnumsOf(const FileDescriptor& file) {
  std::vector<const EnumDescriptor*> enums;
  for (int i = 0; i < file.enum_type_count(); ++i) enums.push_back(file.enum_type(i));
  for (const Descriptor* message : MessagesOf(file)) {
    for (int i = 0; i < message->enum_type_count(); ++i) enums.push_back(message->enum_type(i));
  }
  return enums;
}

std::vector<std::string> DescribeFile(const FileDescriptor& file) {
  std::vector<std::string> lines;
  for (const Descriptor* message : MessagesOf(file)) {
    lines.push_back(absl::StrCat("message ", message->full_name()));
    for (int i = 0; i < message->field_count(); ++i) lines.push_back(DescribeField(*message->field(i)));
  }
  for (const EnumDescriptor* one : EnumsOf(file)) {
    for (int i = 0; i < one->value_count(); ++i) {
      lines.push_back(
          absl::StrCat("value ", one->full_name(), " ", one->value(i)->number(), " ", one->value(i)->name()));
    }
  }
  for (int s = 0; s < file.service_count(); ++s) {
    for (int i = 0; i < file.service(s)->method_count(); ++i) {
      lines.push_back(DescribeMethod(*file.service(s)->method(i)));
    }
  }
  return lines;
}

}  // namespace clm::testing
