#include "server/service/decode_handler.h"

#include "absl/strings/str_cat.h"
#include "core/base/digest.h"
#include "core/base/status_macros.h"
#include "server/service/chunks.h"
#include "server/service/symbol_bytes.h"

namespace clm {

absl::Status HandleDecode(Operations& operations, Metrics& metrics, const Call& call,
                          MessageReader<v1::DecodeRequest>& reader, MessageWriter<v1::DecodeResponse>& writer) {
  CLM_ASSIGN_OR_RETURN(const v1::DecodeRequest first, ReadStart(reader));
  const uint32_t width = first.start().width_bytes();
  if (width != 2 && width != 4) return InvalidField("start.width_bytes", absl::StrCat(width, " is neither 2 nor 4"));
  ChunkReader chunks(reader, "symbols", [](v1::DecodeRequest& request) {
    return request.has_symbols() ? request.mutable_symbols() : nullptr;
  });
  SymbolUnpacker unpacker(width);
  std::string chunk;
  const auto source = [&](std::vector<SymbolId>& symbols) -> absl::StatusOr<bool> {
    symbols.clear();
    while (symbols.empty()) {  // a chunk may end inside its only symbol
      CLM_ASSIGN_OR_RETURN(const bool more, chunks.Next(chunk));
      if (!more) {
        CLM_RETURN_IF_ERROR(unpacker.Finish());
        return false;
      }
      unpacker.Feed(chunk, symbols);
    }
    return true;
  };
  Sha256 digest;
  uint64_t decoded_bytes = 0;
  const auto sink = [&](absl::string_view bytes) {
    digest.Update(bytes);
    decoded_bytes += bytes.size();
    return WriteChunks(writer, bytes,
                       [](v1::DecodeResponse& response) -> std::string& { return *response.mutable_data(); });
  };
  CLM_ASSIGN_OR_RETURN(
      const DecodeOutcome outcome,
      operations.Decode(first.start().representation(), first.start().fingerprint(), source, sink, call.cancel()));
  metrics.Add(kDecodedBytes, {"decode", outcome.kind}, static_cast<double>(decoded_bytes));
  v1::DecodeResponse last;
  auto& summary = *last.mutable_summary();
  summary.set_decoded_bytes(decoded_bytes);
  summary.set_symbols(unpacker.symbols());
  summary.set_sha256(ToHex(digest.Finish()));
  summary.set_valid_utf8(outcome.valid_utf8);
  return writer.Write(last);
}

}  // namespace clm
