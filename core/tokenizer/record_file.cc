#include "core/tokenizer/record_file.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/byte_reader.h"
#include "core/base/byte_writer.h"
#include "core/base/checksum.h"
#include "core/base/status_macros.h"

namespace clm {
namespace {

constexpr int kVarintBits = 7;
constexpr uint8_t kMore = 0x80;
constexpr size_t kBlockHeaderBytes = 8;
constexpr size_t kMaxVarintBytes = 10;

}  // namespace

void AppendVarint(uint64_t value, std::string& out) {
  for (; value >= kMore; value >>= kVarintBits) out.push_back(static_cast<char>(static_cast<uint8_t>(value | kMore)));
  out.push_back(static_cast<char>(static_cast<uint8_t>(value)));
}

bool TakeVarint(absl::string_view& in, uint64_t& value) {
  uint64_t result = 0;
  for (size_t i = 0; i < std::min(in.size(), kMaxVarintBytes); ++i) {
    const auto byte = static_cast<uint8_t>(in[i]);
    result |= uint64_t{byte & (kMore - 1U)} << (kVarintBits * i);
    if (byte < kMore) {
      in.remove_prefix(i + 1);
      value = result;
      return true;
    }
  }
  return false;
}

absl::StatusOr<std::unique_ptr<RecordWriter>> RecordWriter::Create(FileSystem& files, const std::string& path) {
  CLM_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, files.Create(path));
  return std::unique_ptr<RecordWriter>(new RecordWriter(std::move(file)));
}

absl::Status RecordWriter::Append(absl::string_view record) {
  if (!payload_.empty() && payload_.size() + record.size() + kMaxVarintBytes > kRecordBlockBytes) {
    CLM_RETURN_IF_ERROR(WriteBlock());
  }
  if (record.size() > UINT32_MAX - kMaxVarintBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("a record has ", record.size(), " bytes; limit ", UINT32_MAX - kMaxVarintBytes));
  }
  AppendVarint(record.size(), payload_);
  payload_.append(record.data(), record.size());
  ++records_;
  return absl::OkStatus();
}

absl::Status RecordWriter::WriteBlock() {
  ByteWriter header;
  header.WriteU32(static_cast<uint32_t>(payload_.size()));
  header.WriteU32(Crc32c(payload_));
  block_.assign(header.view().data(), header.size());
  block_ += payload_;
  payload_.clear();
  return file_->Append(block_);
}

absl::Status RecordWriter::Finish(bool sync) {
  if (!payload_.empty()) CLM_RETURN_IF_ERROR(WriteBlock());
  if (sync) CLM_RETURN_IF_ERROR(file_->Sync());
  return file_->Close();
}

absl::StatusOr<std::unique_ptr<RecordReader>> RecordReader::Open(const FileSystem& files, const std::string& path) {
  CLM_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, files.Open(path));
  return std::unique_ptr<RecordReader>(new RecordReader(std::move(file), path));
}

absl::StatusOr<bool> RecordReader::Next(absl::string_view& record) {
  if (rest_.empty()) {
    if (offset_ == file_->size_bytes()) return false;
    CLM_RETURN_IF_ERROR(ReadBlock());
  }
  uint64_t bytes = 0;
  if (!TakeVarint(rest_, bytes) || bytes > rest_.size()) return Damaged("a record goes past its block");
  record = rest_.substr(0, bytes);
  rest_.remove_prefix(bytes);
  return true;
}

absl::Status RecordReader::ReadBlock() {
  CLM_RETURN_IF_ERROR(file_->Read(offset_, kBlockHeaderBytes, block_));
  ByteReader header(block_);
  uint32_t bytes = 0;
  uint32_t crc = 0;
  if (!header.ReadU32(bytes) || !header.ReadU32(crc) || bytes == 0) return Damaged("bad block header");
  offset_ += kBlockHeaderBytes;
  if (bytes > file_->size_bytes() - offset_) return Damaged("the file ends within a block");
  CLM_RETURN_IF_ERROR(file_->Read(offset_, bytes, block_));
  if (block_.size() != bytes) return Damaged("the file ends within a block");
  if (Crc32c(block_) != crc) return Damaged("checksum of a block does not match");
  offset_ += bytes;
  rest_ = block_;
  return absl::OkStatus();
}

absl::Status RecordReader::Damaged(absl::string_view what) const {
  return absl::DataLossError(absl::StrCat(path_, ": ", what, " before byte ", offset_));
}

}  // namespace clm
