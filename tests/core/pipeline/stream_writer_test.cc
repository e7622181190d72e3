#include "core/pipeline/stream_writer.h"

#include <algorithm>

#include "tests/core/data/toy_representation.h"
#include "tests/core/pipeline/pipeline_fixture.h"

namespace clm {
namespace {

using ::clm::testing::IsOk;
using ::clm::testing::StatusIs;
using ::clm::testing::ToyRepresentation;
using ::testing::HasSubstr;

// A representation whose decoding of the letter 'q' went wrong.
class BrokenRepresentation final : public Representation {
 public:
  std::string kind() const override { return "broken"; }
  bool lossless() const override { return true; }
  const VocabLayout& layout() const override { return toy_.layout(); }
  std::string fingerprint() const override { return toy_.fingerprint(); }
  absl::StatusOr<std::vector<SymbolId>> Encode(absl::string_view document) const override {
    return toy_.Encode(document);
  }
  absl::StatusOr<std::string> Decode(std::span<const SymbolId> symbols) const override {
    absl::StatusOr<std::string> text = toy_.Decode(symbols);
    if (text.ok()) std::replace(text->begin(), text->end(), 'q', 'p');
    return text;
  }
  absl::string_view SymbolBytes(SymbolId symbol) const override { return toy_.SymbolBytes(symbol); }
  std::unique_ptr<StreamingEncoder> NewEncoder() const override { return toy_.NewEncoder(); }
  std::unique_ptr<StreamingDecoder> NewDecoder() const override { return toy_.NewDecoder(); }

 private:
  ToyRepresentation toy_{{}};
};

class WriteStreamTest : public PipelineTest {
 protected:
  void Spool(const std::vector<std::string>& documents) {
    const auto writer = DocumentSpoolWriter::Create(PosixFileSystem(), directory_.File("spool"));
    ASSERT_OK(writer);
    for (const std::string& document : documents) ASSERT_OK((*writer)->Append(document));
    ASSERT_OK((*writer)->Finish());
    ASSERT_OK_AND_ASSIGN(spool_, DocumentSpool::Open(PosixFileSystem(), directory_.File("spool")));
  }

  absl::StatusOr<IdStreamHeader> Write(const Representation& representation) {
    IdStreamOptions options;
    options.vocab_size = representation.layout().vocab_size;
    options.boundary = representation.layout().boundary;
    Progress progress;
    progress.phase = "encode";
    return WriteStream(*spool_, representation, options, path_, Context(), progress);
  }

  std::unique_ptr<DocumentSpool> spool_;
  const std::string path_ = directory_.File("out.ids");
};

TEST_F(WriteStreamTest, WritesEveryDocumentWithItsOriginalBytes) {
  Spool({"hello", "", "aa"});
  ASSERT_OK_AND_ASSIGN(const IdStreamHeader header, Write(ToyRepresentation({})));
  EXPECT_EQ(header.documents, 3u);
  EXPECT_EQ(header.original_bytes, 7u);
  EXPECT_TRUE(PosixFileSystem().Exists(path_));
}

TEST_F(WriteStreamTest, ADocumentThatDoesNotComeBackStopsEverything) {
  Spool({"hello", "a quick test"});
  EXPECT_THAT(Write(BrokenRepresentation()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("document 1 of 12 bytes")));
  EXPECT_FALSE(PosixFileSystem().Exists(path_));
}

TEST_F(WriteStreamTest, CancellationLeavesNoStream) {
  Spool({"hello"});
  cancel_.Cancel();
  EXPECT_THAT(Write(ToyRepresentation({})), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_FALSE(PosixFileSystem().Exists(path_));
}

}  // namespace
}  // namespace clm
