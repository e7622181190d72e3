// Description of compiled .proto files as text that a person can review in a diff.
//
//   field clm.v1.Artifact 1 name: string
//   field clm.v1.Artifact 4 files: repeated clm.v1.ArtifactFile
//   field clm.v1.EncodeRequest 2 data: bytes (oneof part)
//   value clm.v1.JobState 10 JOB_STATE_QUEUED
//   rpc clm.v1.JobService GetJob: clm.v1.GetJobRequest -> clm.v1.Job
//
// Every line stands for itself, so a line that goes away is a change that breaks clients or stored data, and a new line
// is an addition.
#pragma once

#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"

namespace clm::testing {

// The files of clm.v1, in the order of names.
std::vector<std::string> ContractFiles();

// All messages of `file`, nested ones included (map entries are not), in the order of declaration.
std::vector<const google::protobuf::Descriptor*> MessagesOf(const google::protobuf::FileDescriptor& file);
// All enums of `file`, nested ones included.
std::vector<const google::protobuf::EnumDescriptor*> EnumsOf(const google::protobuf::FileDescriptor& file);

// One line for each field, enum value and rpc of `file`.
std::vector<std::string> DescribeFile(const google::protobuf::FileDescriptor& file);

}  // namespace clm::testing
