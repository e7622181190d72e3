#include "core/pipeline/document_spool.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/byte_reader.h"
#include "core/base/byte_writer.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

constexpr size_t kBufferBytes = 1 << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<DocumentSpoolWriter>> DocumentSpoolWriter::Create(FileSystem& files,
                                                                                 const std::string& path) {
  CLM_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, files.Create(path));
  return std::unique_ptr<DocumentSpoolWriter>(new DocumentSpoolWriter(std::move(file)));
}

absl::Status DocumentSpoolWriter::Append(absl::string_view document) {
  ByteWriter length;
  length.WriteU64(document.size());
  buffer_.append(length.view().data(), length.size());
  buffer_.append(document.data(), document.size());
  if (buffer_.size() < kBufferBytes) return absl::OkStatus();
  CLM_RETURN_IF_ERROR(file_->Append(buffer_));
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status DocumentSpoolWriter::Finish() {
  CLM_RETURN_IF_ERROR(file_->Append(buffer_));
  buffer_.clear();
  return file_->Close();
}

absl::StatusOr<std::unique_ptr<DocumentSpool>> DocumentSpool::Open(const FileSystem& files, const std::string& path) {
  CLM_ASSIGN_OR_RETURN(std::unique_ptr<MappedFile> file, files.Map(path));
  std::unique_ptr<DocumentSpool> spool(new DocumentSpool(std::move(file)));
  ByteReader in(spool->file_->data());
  while (!in.empty()) {
    uint64_t length = 0;
    absl::string_view document;
    if (!in.ReadU64(length) || !in.ReadBytes(static_cast<size_t>(length), document)) {
      return absl::DataLossError(absl::StrCat(path, " is cut off in document ", spool->documents()));
    }
    spool->documents_.push_back(document);
    spool->bytes_ += length;
  }
  return spool;
}

}  // namespace clm
