#include "server/service/decode_handler.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/digest.h"
#include "core/base/status_macros.h"
#include "server/service/chunk_sender.h"
#include "server/service/chunks.h"
#include "server/service/file_transfer.h"
#include "server/service/symbol_bytes.h"

namespace clm {
namespace {

std::string& DataOf(v1::DecodeResponse& response) { return *response.mutable_data(); }

// Decodes the packed symbols that `packed` gives; the bytes go to `writer`. The summary comes without `files`.
absl::StatusOr<v1::DecodeResponse::Summary> DecodeTo(const CodecCall& codec, const v1::DecodeRequest::Start& start,
                                                     const ByteSource& packed,
                                                     MessageWriter<v1::DecodeResponse>& writer,
                                                     const CancellationToken& cancel) {
  SymbolUnpacker unpacker(start.width_bytes());
  std::string chunk;
  const auto source = [&](std::vector<SymbolId>& symbols) -> absl::StatusOr<bool> {
    symbols.clear();
    while (symbols.empty()) {  // a chunk may end inside its only symbol
      CLM_ASSIGN_OR_RETURN(const bool more, packed(chunk));
      if (!more) {
        CLM_RETURN_IF_ERROR(unpacker.Finish());
        return false;
      }
      unpacker.Feed(chunk, symbols);
    }
    return true;
  };
  ChunkSender sender(writer, &DataOf);
  Sha256 digest;
  uint64_t decoded_bytes = 0;
  const auto sink = [&](absl::string_view bytes) {
    digest.Update(bytes);
    decoded_bytes += bytes.size();
    return sender.Append(bytes);
  };
  CLM_ASSIGN_OR_RETURN(const DecodeOutcome outcome,
                       codec.operations.Decode(start.representation(), start.fingerprint(), source, sink, cancel));
  CLM_RETURN_IF_ERROR(sender.Finish());
  codec.metrics.Add(kDecodedBytes, {"decode", outcome.kind}, static_cast<double>(decoded_bytes));
  v1::DecodeResponse::Summary summary;
  summary.set_decoded_bytes(decoded_bytes);
  summary.set_symbols(unpacker.symbols());
  summary.set_sha256(ToHex(digest.Finish()));
  summary.set_valid_utf8(outcome.valid_utf8);
  return summary;
}

}  // namespace

absl::Status HandleDecode(const CodecCall& codec, const Call& call, MessageReader<v1::DecodeRequest>& reader,
                          MessageWriter<v1::DecodeResponse>& writer) {
  CLM_ASSIGN_OR_RETURN(const v1::DecodeRequest first, ReadStart(reader));
  const v1::DecodeRequest::Start& start = first.start();
  const uint32_t width = start.width_bytes();
  if (width != 2 && width != 4) return InvalidField("start.width_bytes", absl::StrCat(width, " is neither 2 nor 4"));
  v1::DecodeResponse last;
  v1::DecodeResponse::Summary& summary = *last.mutable_summary();
  if (start.has_files()) {
    CLM_RETURN_IF_ERROR(ExpectEnd(reader));
    CLM_ASSIGN_OR_RETURN(FileTransfer transfer, OpenFileTransfer(codec.paths, start.files()));
    FileMessageWriter<v1::DecodeResponse> data_writer(*transfer.output, &v1::DecodeResponse::data);
    const auto source = [&transfer](std::string& piece) { return transfer.input.Next(piece); };
    CLM_ASSIGN_OR_RETURN(summary, DecodeTo(codec, start, source, data_writer, call.cancel()));
    CLM_ASSIGN_OR_RETURN(*summary.mutable_files(), FinishFileTransfer(transfer, summary.decoded_bytes(), call));
  } else {
    ChunkReader chunks(reader, "symbols", [](v1::DecodeRequest& request) {
      return request.has_symbols() ? request.mutable_symbols() : nullptr;
    });
    const auto source = [&chunks](std::string& chunk) { return chunks.Next(chunk); };
    CLM_ASSIGN_OR_RETURN(summary, DecodeTo(codec, start, source, writer, call.cancel()));
  }
  return writer.Write(last);
}

}  // namespace clm
