#pragma once

#include <optional>
#include <span>
#include <vector>

#include "backend/cuda/batch_filters.h"
#include "backend/cuda/found_lists.h"
#include "backend/cuda/found_rows.h"
#include "backend/cuda/score_tiles.h"
#include "backend/proof/candidates.h"
#include "backend/proof/questions.h"

namespace gemmine::cuda {

class ColumnLists;

// What the questions of a request say about rows of the corpus, on the device.
struct RequestRows {
  RequestRows(const std::shared_ptr<Device>& device, const ScanRequest& request, Index rows);

  Array<std::int32_t> groups;   // [rows], empty when groups is off
  Array<std::uint32_t> shared;  // bits of rows with a class; empty without classes
};

// Consecutive rows of a corpus.
struct RowSpan {
  Index begin;  // a multiple of 32
  Index end;
};

// Scans rows of the corpus for some questions of a request, in ascending order of queries. Each
// question has a list on the device, whose thresholds the device raises; the lists come to the host
// once.
class BatchScan {
 public:
  // Lists hold `capacity` rows. `careful`: pieces of the corpus are so small that a list is full
  // only if more rows are within the bound of its threshold than it holds.
  BatchScan(const ScanRequest& request, const RequestRows& rows,
            std::span<const ScanQuery* const> asked, Index capacity, bool careful, const Job& job);

  // Every tile is shown to `columns` too, unless it is null.
  void run(const char* phase, RowSpan span, ColumnLists* columns = nullptr);
  // Ranks the decided questions. Adds the others to `full`, if their lists were full, or to
  // `undecided`.
  void rank(std::vector<Ranking>& rankings, Asked& full, Asked& undecided);

 private:
  struct OnDevice;

  AskedScan asked_scan(const ScanQuery& query, std::int32_t lane) const;
  void add_question(const ScanQuery& query, std::int32_t lane);
  Index piece(Index looked, Index most) const;
  void look(OnDevice& memory, const ScoreTile& tile) const;
  void report(const char* phase, RowSpan span, Index done) const;
  void download(OnDevice& memory);
  void score(OnDevice& memory, const Array<std::int32_t>& pairs, Index count);
  std::optional<ScanResult> collect(Index asked) const;
  void score_classes(const std::vector<std::optional<ScanResult>>& results);
  bool is_full(Index asked) const { return listed_.states[asked].count > capacity_; }

  const ScanRequest& request_;
  const CudaQueries& queries_;
  const CudaCorpus& corpus_;
  const RequestRows& rows_;
  const std::span<const ScanQuery* const> asked_;
  const Index capacity_;
  const bool careful_;
  const Job& job_;
  std::vector<std::int32_t> lane_rows_;  // the query of each lane
  std::vector<std::int32_t> lane_of_;    // of each question
  std::optional<QueryLanes> lanes_;
  std::vector<AskedScan> scans_;
  std::vector<std::int32_t> barred_;
  BatchFilters filters_;
  std::vector<ScanState> states_;  // at the start
  ListedRows listed_;
  std::vector<double> scores_;           // parallel to listed_.found
  std::vector<KnownScores> class_rows_;  // [asked]
};

}  // namespace gemmine::cuda
