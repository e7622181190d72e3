#include "server/service/encode_handler.h"

#include "core/base/status_macros.h"
#include "server/service/chunk_sender.h"
#include "server/service/chunks.h"
#include "server/service/file_transfer.h"
#include "server/service/symbol_bytes.h"

namespace clm {
namespace {

std::string& SymbolsOf(v1::EncodeResponse& response) { return *response.mutable_symbols(); }

struct Encoded {
  std::string kind;
  uint64_t symbols = 0;
};

// Encodes what `source` gives: the header to `writer`, the symbols to `data_writer`, which may be the same.
absl::StatusOr<Encoded> EncodeTo(Operations& operations, const v1::RepresentationRef& ref, const ByteSource& source,
                                 MessageWriter<v1::EncodeResponse>& writer,
                                 MessageWriter<v1::EncodeResponse>& data_writer, const CancellationToken& cancel) {
  Encoded encoded;
  uint32_t width = 0;
  const auto begin = [&](const RepresentationInfo& info) {
    encoded.kind = info.kind;
    width = SymbolWidthBytes(info.vocab_size);
    v1::EncodeResponse opening;
    opening.mutable_header()->set_vocab_size(info.vocab_size);
    opening.mutable_header()->set_width_bytes(width);
    opening.mutable_header()->set_fingerprint(info.fingerprint);
    return writer.Write(opening);
  };
  ChunkSender sender(data_writer, &SymbolsOf);
  const auto sink = [&](std::span<const SymbolId> symbols) -> absl::Status {
    encoded.symbols += symbols.size();
    return sender.Append(symbols.size() * width, width, [&](char* to, size_t offset, size_t bytes) {
      PackSymbols(symbols.subspan(offset / width, bytes / width), width, to);
    });
  };
  CLM_RETURN_IF_ERROR(operations.Encode(ref, source, begin, sink, cancel));
  CLM_RETURN_IF_ERROR(sender.Finish());
  return encoded;
}

}  // namespace

absl::Status HandleEncode(const CodecCall& codec, const Call& call, MessageReader<v1::EncodeRequest>& reader,
                          MessageWriter<v1::EncodeResponse>& writer) {
  CLM_ASSIGN_OR_RETURN(const v1::EncodeRequest first, ReadStart(reader));
  const v1::RepresentationRef& ref = first.start().representation();
  Encoded encoded;
  uint64_t original_bytes = 0;
  v1::EncodeResponse last;
  v1::EncodeResponse::Summary& summary = *last.mutable_summary();
  if (first.start().has_files()) {
    CLM_RETURN_IF_ERROR(ExpectEnd(reader));
    CLM_ASSIGN_OR_RETURN(FileTransfer transfer, OpenFileTransfer(codec.paths, first.start().files()));
    FileMessageWriter<v1::EncodeResponse> data_writer(*transfer.output, &v1::EncodeResponse::symbols);
    const auto source = [&transfer](std::string& piece) { return transfer.input.Next(piece); };
    CLM_ASSIGN_OR_RETURN(encoded, EncodeTo(codec.operations, ref, source, writer, data_writer, call.cancel()));
    original_bytes = transfer.input.bytes();
    CLM_ASSIGN_OR_RETURN(*summary.mutable_files(), FinishFileTransfer(transfer, original_bytes, call));
  } else {
    ChunkReader chunks(reader, "data", [](v1::EncodeRequest& request) {
      return request.has_data() ? request.mutable_data() : nullptr;
    });
    const auto source = [&chunks](std::string& chunk) { return chunks.Next(chunk); };
    CLM_ASSIGN_OR_RETURN(encoded, EncodeTo(codec.operations, ref, source, writer, writer, call.cancel()));
    original_bytes = chunks.total_bytes();
  }
  codec.metrics.Add(kOriginalBytes, {"encode", encoded.kind}, static_cast<double>(original_bytes));
  summary.set_original_bytes(original_bytes);
  summary.set_symbols(encoded.symbols);
  return writer.Write(last);
}

}  // namespace clm
