#include "core/artifact/artifact_store.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/barrier.h"
#include "core/base/digest.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::MemoryFolder;
using ::clm::testing::StatusIs;
using ::clm::testing::TemporaryDirectory;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ArtifactStoreTest : public ::testing::Test {
 protected:
  ArtifactStoreTest() { store_ = Open(/*sweep=*/true); }

  std::unique_ptr<ArtifactStore> Open(bool sweep) {
    return ArtifactStore::Open(files_, folder_.File("store"), clock_, {.sweep = sweep}).value();
  }
  // One file per entry.
  absl::StatusOr<ArtifactId> Save(ArtifactKind kind, const std::map<std::string, std::string>& contents,
                                  const CommitOptions& options = {}) {
    clock_.Advance(absl::Seconds(1));
    CLM_ASSIGN_OR_RETURN(ArtifactDraft draft, store_->NewDraft(kind));
    for (const auto& [name, data] : contents) CLM_RETURN_IF_ERROR(draft.WriteFile(name, data));
    return draft.Commit(options);
  }
  ArtifactId SaveBlob(const std::string& data) { return Save(ArtifactKind::kBlob, {{"data", data}}).value(); }
  void Damage(const ArtifactId& id, const std::string& name, const std::string& data) {
    const auto file = files_.Create(JoinPath(store_->Folder(id), name)).value();
    ASSERT_OK(file->Append(data));
  }
  std::vector<std::string> Temporary() { return files_.List(folder_.File("store/tmp")).value(); }

  TemporaryDirectory folder_{MemoryFolder()};
  FakeClock clock_;
  FileSystem& files_ = PosixFileSystem();
  std::unique_ptr<ArtifactStore> store_;
};

// ---- committing

TEST_F(ArtifactStoreTest, WhatIsCommittedIsFound) {
  ASSERT_OK_AND_ASSIGN(const ArtifactId tokenizer, Save(ArtifactKind::kTokenizer, {{"tokenizer.json", "{}"}}));
  ASSERT_OK_AND_ASSIGN(const ArtifactId corpus,
                       Save(ArtifactKind::kCorpus, {{"b.ids", "bbb"}, {"a.ids", ""}},
                            {.parents = {tokenizer}, .attributes = {{"representation", "token"}}}));
  store_ = Open(/*sweep=*/false);
  ASSERT_OK_AND_ASSIGN(const auto manifest, store_->Get(corpus));
  EXPECT_EQ(manifest->id, corpus);
  EXPECT_THAT(manifest->parents, ElementsAre(tokenizer));
  EXPECT_EQ(manifest->attributes.at("representation"), "token");
  ASSERT_EQ(manifest->files.size(), 2u);
  EXPECT_EQ(manifest->files[1], (ManifestFile{"b.ids", 3, Sha256Hex("bbb")}));
  EXPECT_EQ(manifest->create_time, clock_.Now());
  ASSERT_OK_AND_ASSIGN(const std::string path, store_->Path(corpus, "b.ids"));
  EXPECT_EQ(*ReadFile(files_, path, 100), "bbb");
  EXPECT_THAT(store_->Path(corpus, "c.ids"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("c.ids")));
  EXPECT_THAT(store_->Path(corpus, "manifest.json"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Temporary(), IsEmpty());
}

TEST_F(ArtifactStoreTest, SameContentIsStoredOnce) {
  const ArtifactId id = SaveBlob("same");
  const absl::Time first_time = (*store_->Get(id))->create_time;
  EXPECT_EQ(SaveBlob("same"), id);
  EXPECT_EQ((*store_->Get(id))->create_time, first_time);
  EXPECT_NE(SaveBlob("other"), id);
  EXPECT_THAT(Temporary(), IsEmpty());
}

TEST_F(ArtifactStoreTest, DraftsVanishUnlessCommitted) {
  {
    ASSERT_OK_AND_ASSIGN(ArtifactDraft draft, store_->NewDraft(ArtifactKind::kReport));
    ASSERT_OK(draft.WriteFile("report.json", "{}"));
    EXPECT_EQ(Temporary().size(), 1u);
    ArtifactDraft moved = std::move(draft);
    EXPECT_TRUE(files_.Exists(moved.Path("report.json")));
    ASSERT_OK_AND_ASSIGN(moved, store_->NewDraft(ArtifactKind::kReport));
    EXPECT_EQ(Temporary().size(), 1u);
  }
  EXPECT_THAT(Temporary(), IsEmpty());
  EXPECT_THAT(store_->List({})->artifacts, IsEmpty());
}

TEST_F(ArtifactStoreTest, ASpentDraftIsRefused) {
  ASSERT_OK_AND_ASSIGN(ArtifactDraft draft, store_->NewDraft(ArtifactKind::kBlob));
  EXPECT_OK(draft.Commit({}));
  EXPECT_THAT(draft.Commit({}), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(draft.WriteFile("a", ""), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(draft.Create("a"), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(ArtifactStoreTest, ARefusedCommitCanBeRepaired) {
  ASSERT_OK_AND_ASSIGN(ArtifactDraft draft, store_->NewDraft(ArtifactKind::kReport));
  ASSERT_OK(draft.WriteFile("report.json", "{}"));
  const ArtifactId missing = *ArtifactId::Create(ArtifactKind::kCorpus, std::string(64, 'e'));
  EXPECT_THAT(draft.Commit({.parents = {missing}}), StatusIs(absl::StatusCode::kNotFound, HasSubstr(missing.Name())));
  EXPECT_THAT(draft.Commit({.attributes = {{"k", "\xff"}}}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(draft.Commit({.expected_sha256 = {{"report.json", std::string(64, '0')}}}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("report.json")));
  EXPECT_OK(draft.Commit({.expected_sha256 = {{"report.json", Sha256Hex("{}")}}}));
}

TEST_F(ArtifactStoreTest, DraftsTakeFlatGoodNamesOnly) {
  ASSERT_OK_AND_ASSIGN(ArtifactDraft draft, store_->NewDraft(ArtifactKind::kReport));
  EXPECT_THAT(draft.WriteFile("../escape", ""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(draft.Create("manifest.json"), StatusIs(absl::StatusCode::kInvalidArgument));
  ASSERT_OK(files_.MakeDirectories(draft.Path("folder")));
  EXPECT_THAT(draft.Commit({}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("folder")));
}

TEST_F(ArtifactStoreTest, CommitCanBeCancelled) {
  ASSERT_OK_AND_ASSIGN(ArtifactDraft draft, store_->NewDraft(ArtifactKind::kBlob));
  ASSERT_OK(draft.WriteFile("data", "x"));
  CancellationSource source;
  source.Cancel();
  EXPECT_THAT(draft.Commit({.cancel = source.token()}), StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(ArtifactStoreTest, TwoStoresRacingToCommitAgree) {
  const auto other = Open(/*sweep=*/false);
  for (int round = 0; round < 20; ++round) {
    std::vector<absl::StatusOr<ArtifactId>> ids(4, absl::UnknownError("not run"));
    absl::Barrier* barrier = new absl::Barrier(4);
    std::vector<std::thread> threads;
    for (size_t t = 0; t < ids.size(); ++t) {
      threads.emplace_back([&, t] {
        ArtifactDraft draft = (t % 2 == 0 ? store_ : other)->NewDraft(ArtifactKind::kBlob).value();
        EXPECT_OK(draft.WriteFile("data", absl::StrCat("round ", round)));
        if (barrier->Block()) delete barrier;
        ids[t] = draft.Commit({});
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const auto& id : ids) {
      ASSERT_OK(id);
      EXPECT_EQ(*id, *ids[0]);
    }
    EXPECT_OK(store_->Verify(*ids[0], CancellationToken()));
  }
  EXPECT_THAT(Temporary(), IsEmpty());
}

TEST_F(ArtifactStoreTest, AnotherProcessCommitsIntoTheSameStore) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto store = ArtifactStore::Open(files_, folder_.File("store"), clock_, {});
    auto draft = store.ok() ? (*store)->NewDraft(ArtifactKind::kBlob) : store.status();
    _exit(draft.ok() && draft->WriteFile("data", "child").ok() && draft->Commit({}).ok() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_EQ(store_->List({})->artifacts.size(), 1u);
  EXPECT_EQ(SaveBlob("child"), store_->List({})->artifacts[0]->id);
}

// ---- opening

TEST_F(ArtifactStoreTest, OnlyASweepRemovesWhatACrashLeft) {
  ASSERT_OK(files_.MakeDirectories(folder_.File("store/tmp/draft-dead")));
  Open(/*sweep=*/false);
  EXPECT_THAT(Temporary(), ElementsAre("draft-dead"));
  Open(/*sweep=*/true);
  EXPECT_THAT(Temporary(), IsEmpty());
}

TEST_F(ArtifactStoreTest, AStoreOfAnotherVersionIsRefused) {
  const auto file = files_.Create(folder_.File("store/STORE")).value();
  ASSERT_OK(file->Append("clm-artifact-store 2\n"));
  EXPECT_THAT(ArtifactStore::Open(files_, folder_.File("store"), clock_, {}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("STORE")));
}

// ---- names

TEST_F(ArtifactStoreTest, ResolvesNamesIdsAndPrefixes) {
  const ArtifactId id = SaveBlob("x");
  for (const std::string& text :
       {id.Name(), id.hex(), id.hex().substr(0, 8), id.ShortId(), "artifacts/blob/" + id.ShortId()}) {
    ASSERT_OK_AND_ASSIGN(const ArtifactId found, store_->Resolve(text));
    EXPECT_EQ(found, id) << text;
  }
  for (const std::string& text :
       {std::string(), id.hex().substr(0, 7), std::string("zzzzzzzzzz"), id.hex() + "0", "artifacts/" + id.hex(),
        "artifacts/model/" + id.hex(), std::string("../../../etc"), std::string(1 << 20, 'a')}) {
    EXPECT_THAT(store_->Resolve(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text.substr(0, 80);
  }
  EXPECT_THAT(store_->Resolve("artifacts/corpus/" + id.hex()), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store_->Resolve(std::string(64, '0')), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(ArtifactStoreTest, AnAmbiguousPrefixNamesTheCandidates) {
  // Folders are enough: names are resolved without reading manifests.
  const std::string first = std::string(8, '7') + std::string(56, '0');
  const std::string second = std::string(8, '7') + std::string(56, '1');
  ASSERT_OK(files_.MakeDirectories(folder_.File("store/blob/" + first)));
  ASSERT_OK(files_.MakeDirectories(folder_.File("store/corpus/" + second)));
  EXPECT_THAT(store_->Resolve("77777777"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("artifacts/blob/" + first), HasSubstr("artifacts/corpus/" + second))));
  EXPECT_EQ(store_->Resolve("777777770")->hex(), first);
  EXPECT_EQ(store_->Resolve("artifacts/corpus/77777777")->hex(), second);
}

// ---- damage

TEST_F(ArtifactStoreTest, VerifyNamesTheDamagedFile) {
  const ArtifactId id = Save(ArtifactKind::kCorpus, {{"a", "good"}, {"b", "fine"}}).value();
  EXPECT_OK(store_->Verify(id, CancellationToken()));
  Damage(id, "b", "Fine");
  EXPECT_THAT(store_->Verify(id, CancellationToken()),
              StatusIs(absl::StatusCode::kDataLoss, AllOf(HasSubstr(id.Name()), HasSubstr("\"b\""))));
  Damage(id, "b", "fine and longer");
  EXPECT_THAT(store_->Verify(id, CancellationToken()), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("15 bytes")));
  ASSERT_OK(files_.RemoveFile(JoinPath(store_->Folder(id), "a")));
  EXPECT_THAT(store_->Verify(id, CancellationToken()),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("\"a\" is missing")));
}

TEST_F(ArtifactStoreTest, OpenVerifiedChecksOncePerProcess) {
  const ArtifactId id = SaveBlob("good");
  EXPECT_OK(store_->OpenVerified(id, CancellationToken()));
  Damage(id, "data", "bad!");
  EXPECT_OK(store_->OpenVerified(id, CancellationToken()));
  store_ = Open(/*sweep=*/true);
  EXPECT_THAT(store_->OpenVerified(id, CancellationToken()), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(store_->OpenVerified(id, CancellationToken()), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(ArtifactStoreTest, ADamagedManifestIsDataLossAndLeftOutOfLists) {
  std::vector<std::string> log;
  SetLogSink([&log](const std::string& line) { log.push_back(line); });
  const ArtifactId good = SaveBlob("good");
  const ArtifactId bad = SaveBlob("bad");
  Damage(bad, "manifest.json", "{\"format\":");
  store_ = Open(/*sweep=*/false);
  EXPECT_THAT(store_->Get(bad), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(bad.Name())));
  for (int round = 0; round < 3; ++round) {
    ASSERT_OK_AND_ASSIGN(const ArtifactPage page, store_->List({}));
    ASSERT_EQ(page.artifacts.size(), 1u);
    EXPECT_EQ(page.artifacts[0]->id, good);
  }
  EXPECT_EQ(log.size(), 1u);
  EXPECT_THAT(Save(ArtifactKind::kBlob, {{"data", "bad"}}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("delete it first")));
  EXPECT_OK(store_->Delete(bad));
  EXPECT_EQ(SaveBlob("bad"), bad);
  SetLogSink(nullptr);
}

TEST_F(ArtifactStoreTest, AManifestUnderAnotherIdIsDataLoss) {
  const ArtifactId first = SaveBlob("first");
  const ArtifactId second = SaveBlob("second");
  Damage(second, "manifest.json", WriteManifest(**store_->Get(first)));
  store_ = Open(/*sweep=*/false);
  EXPECT_THAT(store_->Get(second), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(first.Name())));
}

// ---- lists

TEST_F(ArtifactStoreTest, ListsByTimeInPagesOfAnySize) {
  std::vector<ArtifactId> want;
  for (int i = 0; i < 7; ++i) want.push_back(SaveBlob(absl::StrCat(i)));
  ASSERT_OK(Save(ArtifactKind::kReport, {{"report.json", "{}"}}));
  for (int size = 1; size < 9; ++size) {
    std::vector<ArtifactId> found;
    ListArtifactsOptions options{.kind = ArtifactKind::kBlob, .page_size = size};
    do {
      ASSERT_OK_AND_ASSIGN(const ArtifactPage page, store_->List(options));
      EXPECT_LE(page.artifacts.size(), static_cast<size_t>(size));
      for (const auto& manifest : page.artifacts) found.push_back(manifest->id);
      options.page_token = page.next_page_token;
    } while (!options.page_token.empty());
    EXPECT_EQ(found, want) << size;
  }
  EXPECT_EQ(store_->List({})->artifacts.size(), 8u);
  EXPECT_EQ(store_->List({.page_size = 1 << 30})->artifacts.size(), 8u);
}

TEST_F(ArtifactStoreTest, PagesGoOnAfterDeletionsAndAdditions) {
  std::vector<ArtifactId> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(SaveBlob(absl::StrCat(i)));
  ASSERT_OK_AND_ASSIGN(const ArtifactPage first, store_->List({.page_size = 2}));
  ASSERT_OK(store_->Delete(ids[1]));
  ASSERT_OK(store_->Delete(ids[2]));
  const ArtifactId added = SaveBlob("4");
  ASSERT_OK_AND_ASSIGN(const ArtifactPage rest, store_->List({.page_size = 2, .page_token = first.next_page_token}));
  ASSERT_EQ(rest.artifacts.size(), 2u);
  EXPECT_EQ(rest.artifacts[0]->id, ids[3]);
  EXPECT_EQ(rest.artifacts[1]->id, added);
}

TEST_F(ArtifactStoreTest, RefusesForeignTokensAndNegativeSizes) {
  EXPECT_THAT(store_->List({.page_size = -1}), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("-1")));
  for (const std::string& token :
       {std::string("x"), std::string("1.blob"), "1.blob." + std::string(63, 'a'), "x.blob." + std::string(64, 'a'),
        "1.model." + std::string(64, 'a'), std::string(1 << 20, '.')}) {
    EXPECT_THAT(store_->List({.page_token = token}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("page_token")));
  }
}

TEST_F(ArtifactStoreTest, CountsBytesByKind) {
  SaveBlob("12345");
  SaveBlob("678");
  ASSERT_OK(Save(ArtifactKind::kReport, {{"report.json", "{}"}}));
  ASSERT_OK_AND_ASSIGN(const auto usage, store_->Usage());
  EXPECT_EQ(usage.size(), kAllArtifactKinds.size());
  EXPECT_EQ(usage.at(ArtifactKind::kBlob), 8u);
  EXPECT_EQ(usage.at(ArtifactKind::kReport), 2u);
  EXPECT_EQ(usage.at(ArtifactKind::kCorpus), 0u);
}

// ---- pins and deletion

TEST_F(ArtifactStoreTest, PinsArePersistentAndIdempotent) {
  const ArtifactId id = SaveBlob("x");
  for (const char* label : {"job.1", "a-b", "a", "a"}) EXPECT_OK(store_->Pin(id, label));
  store_ = Open(/*sweep=*/true);
  EXPECT_THAT(*store_->Pins(id), ElementsAre("a", "a-b", "job.1"));
  EXPECT_OK(store_->Unpin(id, "a-b"));
  EXPECT_OK(store_->Unpin(id, "a-b"));
  EXPECT_THAT(*store_->Pins(id), ElementsAre("a", "job.1"));
  for (const std::string& label : {std::string(), std::string("a/b"), std::string("a b"), std::string(65, 'a')}) {
    EXPECT_THAT(store_->Pin(id, label), StatusIs(absl::StatusCode::kInvalidArgument)) << label;
    EXPECT_THAT(store_->Unpin(id, label), StatusIs(absl::StatusCode::kInvalidArgument)) << label;
  }
  const ArtifactId missing = *ArtifactId::Create(ArtifactKind::kBlob, std::string(64, 'e'));
  EXPECT_THAT(store_->Pin(missing, "a"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store_->Unpin(missing, "a"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(*store_->Pins(missing), IsEmpty());
}

TEST_F(ArtifactStoreTest, WhatIsHeldIsNotDeleted) {
  const ArtifactId parent = Save(ArtifactKind::kTokenizer, {{"tokenizer.json", "{}"}}).value();
  const ArtifactId child = Save(ArtifactKind::kCorpus, {{"a", "1"}}, {.parents = {parent}}).value();
  ASSERT_OK(store_->Pin(parent, "default"));
  EXPECT_THAT(*store_->Children(parent), ElementsAre(child));
  EXPECT_THAT(store_->Delete(parent), StatusIs(absl::StatusCode::kFailedPrecondition,
                                               AllOf(HasSubstr(child.Name()), HasSubstr("pinned by default"))));
  ASSERT_OK_AND_ASSIGN(const uint64_t freed, store_->Delete(child));
  EXPECT_EQ(freed, 1u);
  EXPECT_THAT(store_->Delete(parent), StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_OK(store_->Unpin(parent, "default"));
  EXPECT_OK(store_->Delete(parent));
  EXPECT_THAT(store_->Get(parent), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(store_->Delete(parent), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Temporary(), IsEmpty());
  EXPECT_THAT(*files_.List(folder_.File("store/pins")), IsEmpty());
}

TEST_F(ArtifactStoreTest, ManyHoldersAreCutShort) {
  const ArtifactId parent = SaveBlob("parent");
  for (int i = 0; i < 8; ++i) {
    ASSERT_OK(Save(ArtifactKind::kReport, {{"report.json", absl::StrCat(i)}}, {.parents = {parent}}));
  }
  EXPECT_THAT(store_->Delete(parent), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("and 3 more")));
}

TEST_F(ArtifactStoreTest, CommitsDeletionsAndReadsMayRunTogether) {
  const ArtifactId parent = SaveBlob("parent");
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 15; ++i) {
        ArtifactDraft draft = store_->NewDraft(ArtifactKind::kReport).value();
        EXPECT_OK(draft.WriteFile("report.json", absl::StrCat(t, " ", i)));
        const absl::StatusOr<ArtifactId> id = draft.Commit({.parents = {parent}});
        ASSERT_OK(id);
        EXPECT_THAT(store_->Delete(parent), StatusIs(absl::StatusCode::kFailedPrecondition));
        EXPECT_OK(store_->List({}));
        EXPECT_OK(store_->Pin(*id, "p"));
        EXPECT_OK(store_->Unpin(*id, "p"));
        if (i % 2 == 0) {
          EXPECT_OK(store_->Delete(*id));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store_->Children(parent)->size(), 21u);
}

}  // namespace
}  // namespace clm
