#include "server/job/job_journal.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/job/sqlite.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temporary_directory.h"

namespace clm {
namespace {

using ::clm::testing::StatusIs;
using ::testing::HasSubstr;

class JobJournalTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }

  void Reopen(uint64_t max_size_bytes = 0) {
    journal_.reset();
    ASSERT_OK_AND_ASSIGN(journal_,
                         JobJournal::Open({.path = path_, .max_size_bytes = max_size_bytes, .on_commit = {}}));
  }

  static JobRecord Record(uint64_t sequence, uint64_t cursor) {
    JobRecord record;
    record.sequence = sequence;
    record.cursor = cursor;
    record.spec_digest = "digest";
    record.job.set_name(absl::StrCat("jobs/train-", sequence));
    record.job.mutable_spec()->mutable_train()->set_corpus("corpus");
    record.job.mutable_progress()->set_done_units(cursor);
    return record;
  }

  std::vector<uint64_t> Cursors(uint64_t sequence, uint64_t after = 0, uint64_t limit = 100) {
    std::vector<uint64_t> cursors;
    const auto events = journal_->Events(sequence, after, limit);
    EXPECT_OK(events);
    for (const v1::JobEvent& event : *events) cursors.push_back(event.cursor());
    return cursors;
  }

  testing::TemporaryDirectory directory_;
  const std::string path_ = directory_.File("journal.sqlite");
  std::unique_ptr<JobJournal> journal_;
};

TEST_F(JobJournalTest, WhatWasWrittenIsThereAfterReopening) {
  JobRecord record = Record(1, 1);
  record.deaths = 2;
  ASSERT_OK(journal_->Write(record, EventKind::kState));
  Reopen();
  ASSERT_OK_AND_ASSIGN(const std::vector<JobRecord> records, journal_->Load());
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].sequence, 1u);
  EXPECT_EQ(records[0].cursor, 1u);
  EXPECT_EQ(records[0].deaths, 2u);
  EXPECT_EQ(records[0].spec_digest, "digest");
  EXPECT_EQ(records[0].job.SerializeAsString(), record.job.SerializeAsString());
}

TEST_F(JobJournalTest, StateEventsAreAllKeptAndOfProgressOnlyTheLast) {
  ASSERT_OK(journal_->Write(Record(1, 1), EventKind::kState));
  for (uint64_t cursor = 2; cursor <= 9; ++cursor) ASSERT_OK(journal_->Write(Record(1, cursor), EventKind::kProgress));
  EXPECT_THAT(Cursors(1), ::testing::ElementsAre(1, 9));
  ASSERT_OK(journal_->Write(Record(1, 10), EventKind::kState));
  EXPECT_THAT(Cursors(1), ::testing::ElementsAre(1, 10)) << "a state event tells the progress too";
}

TEST_F(JobJournalTest, EventsStartAfterTheCursorAndCarryNoSpec) {
  for (uint64_t cursor = 1; cursor <= 5; ++cursor) ASSERT_OK(journal_->Write(Record(3, cursor), EventKind::kState));
  ASSERT_OK(journal_->Write(Record(4, 1), EventKind::kState));
  EXPECT_THAT(Cursors(3, 2), ::testing::ElementsAre(3, 4, 5));
  EXPECT_THAT(Cursors(3, 2, 2), ::testing::ElementsAre(3, 4));
  ASSERT_OK_AND_ASSIGN(const auto events, journal_->Events(3, 0, 1));
  EXPECT_FALSE(events[0].job().has_spec());
  EXPECT_EQ(events[0].job().name(), "jobs/train-3");
}

TEST_F(JobJournalTest, SequencesOfDeletedJobsAreNotGivenAgain) {
  EXPECT_EQ(journal_->NextSequence().value(), 1u);
  ASSERT_OK(journal_->Write(Record(1, 1), EventKind::kState));
  ASSERT_OK(journal_->Write(Record(2, 1), EventKind::kState));
  ASSERT_OK(journal_->Delete(2));
  Reopen();
  EXPECT_EQ(journal_->NextSequence().value(), 3u);
  EXPECT_EQ(journal_->Load().value().size(), 1u);
  EXPECT_THAT(Cursors(2), ::testing::IsEmpty());
}

TEST_F(JobJournalTest, FullDiskChangesNothingAndIsOverWhenThereIsRoom) {
  constexpr uint64_t kLimitBytes = 64 << 10;
  ASSERT_OK(journal_->Write(Record(1, 1), EventKind::kState));
  Reopen(kLimitBytes);
  JobRecord large = Record(1, 2);
  large.job.set_display_name(std::string(4 * kLimitBytes, 'x'));
  EXPECT_THAT(journal_->Write(large, EventKind::kState), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(Cursors(1), ::testing::ElementsAre(1));
  EXPECT_EQ(journal_->Load().value()[0].cursor, 1u);
  EXPECT_OK(journal_->Write(Record(1, 2), EventKind::kState));
  EXPECT_THAT(Cursors(1), ::testing::ElementsAre(1, 2));
}

TEST_F(JobJournalTest, NewerVersionIsRefused) {
  journal_.reset();
  {
    ASSERT_OK_AND_ASSIGN(SqliteDatabase database, SqliteDatabase::Open(path_));
    ASSERT_OK(database.Execute("PRAGMA user_version = 2"));
  }
  EXPECT_THAT(JobJournal::Open({.path = path_, .max_size_bytes = 0, .on_commit = {}}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("version 2")));
}

TEST_F(JobJournalTest, RowThatCannotBeReadIsDataLoss) {
  ASSERT_OK(journal_->Write(Record(1, 1), EventKind::kState));
  {
    ASSERT_OK_AND_ASSIGN(SqliteDatabase database, SqliteDatabase::Open(path_));
    ASSERT_OK(database.Execute("UPDATE jobs SET job = x'ff'"));
  }
  EXPECT_THAT(journal_->Load(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("job 1")));
}

TEST_F(JobJournalTest, EveryCommitIsTimed) {
  journal_.reset();
  int commits = 0;
  ASSERT_OK_AND_ASSIGN(journal_,
                       JobJournal::Open({.path = path_, .max_size_bytes = 0, .on_commit = [&](absl::Duration d) {
                                           EXPECT_GE(d, absl::ZeroDuration());
                                           ++commits;
                                         }}));
  ASSERT_OK(journal_->Write(Record(1, 1), EventKind::kState));
  ASSERT_OK(journal_->Delete(1));
  EXPECT_EQ(commits, 2);
}

}  // namespace
}  // namespace clm
