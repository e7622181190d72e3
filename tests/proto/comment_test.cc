// Every message, field, enum value and rpc is explained where it is declared.
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "gtest/gtest.h"
#include "tests/proto/contract_description.h"

namespace clm::testing {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;

template <typename Descriptor>
bool HasComment(const Descriptor& descriptor) {
  google::protobuf::SourceLocation location;
  return descriptor.GetSourceLocation(&location) &&
         !(location.leading_comments.empty() && location.trailing_comments.empty());
}

class CommentTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const FileDescriptor* imported :
         {google::protobuf::Any::descriptor()->file(), google::protobuf::Duration::descriptor()->file(),
          google::protobuf::Timestamp::descriptor()->file()}) {
      FileDescriptorProto copy;
      imported->CopyTo(&copy);
      ASSERT_NE(pool_.BuildFile(copy), nullptr);
    }
    std::ifstream in(CLM_DESCRIPTOR_SET, std::ios::binary);
    ASSERT_TRUE(in) << CLM_DESCRIPTOR_SET;
    ASSERT_TRUE(set_.ParseFromIstream(&in));
    AddFilesInOrderOfImports();
  }

  std::vector<std::string> Uncommented() const {
    std::vector<std::string> names;
    for (const FileDescriptor* file : files_) {
      for (const auto* message : MessagesOf(*file)) {
        if (!HasComment(*message)) names.push_back(message->full_name());
        for (int i = 0; i < message->field_count(); ++i) {
          if (!HasComment(*message->field(i))) names.push_back(message->field(i)->full_name());
        }
      }
      AddUncommentedEnums(*file, names);
      AddUncommentedRpcs(*file, names);
    }
    return names;
  }

  std::vector<const FileDescriptor*> files_;

 private:
  // The zero value named *_UNSPECIFIED says what it is.
  static void AddUncommentedEnums(const FileDescriptor& file, std::vector<std::string>& names) {
    for (const auto* one : EnumsOf(file)) {
      if (!HasComment(*one)) names.push_back(one->full_name());
      for (int i = 0; i < one->value_count(); ++i) {
        const auto& value = *one->value(i);
        if (!HasComment(value) && !absl::EndsWith(value.name(), "_UNSPECIFIED")) names.push_back(value.full_name());
      }
    }
  }

  static void AddUncommentedRpcs(const FileDescriptor& file, std::vector<std::string>& names) {
    for (int s = 0; s < file.service_count(); ++s) {
      if (!HasComment(*file.service(s))) names.push_back(file.service(s)->full_name());
      for (int i = 0; i < file.service(s)->method_count(); ++i) {
        if (!HasComment(*file.service(s)->method(i))) names.push_back(file.service(s)->method(i)->full_name());
      }
    }
  }

  bool ImportsAreKnown(const FileDescriptorProto& file) const {
    for (const std::string& import : file.dependency()) {
      if (pool_.FindFileByName(import) == nullptr) return false;
    }
    return true;
  }

  void AddFilesInOrderOfImports() {
    for (int round = 0; round < set_.file_size(); ++round) {
      for (const FileDescriptorProto& file : set_.file()) {
        if (pool_.FindFileByName(file.name()) != nullptr || !ImportsAreKnown(file)) continue;
        files_.push_back(pool_.BuildFile(file));
        ASSERT_NE(files_.back(), nullptr) << file.name();
      }
    }
  }

  DescriptorPool pool_;
  FileDescriptorSet set_;
};

TEST_F(CommentTest, DescriptorSetHoldsEveryFileOfTheContract) {
  std::vector<std::string> names;
  for (const FileDescriptor* file : files_) names.push_back(file->name());
  EXPECT_THAT(names, ::testing::UnorderedElementsAreArray(ContractFiles()));
}

TEST_F(CommentTest, EverythingInTheContractIsExplained) { EXPECT_THAT(Uncommented(), ::testing::IsEmpty()); }

}  // namespace
}  // namespace clm::testing
