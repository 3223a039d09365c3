#include "backend/cuda/document_batch.h"

#include <algorithm>
#include <limits>

#include "backend/cuda/document_scorer.h"
#include "backend/cuda/found_rows.h"

namespace gemmine::cuda {

DocumentBatch::DocumentBatch(const SegmentMaxRequest& request, const Array<std::int32_t>& starts,
                             std::span<const Index> asked, Index capacity, bool careful,
                             const Job& job)
    : request_(request),
      queries_(dynamic_cast<const CudaQueries&>(request.queries)),
      corpus_(queries_.corpus()),
      starts_(starts),
      asked_(asked),
      capacity_(capacity),
      careful_(careful),
      job_(job) {
  for (const Index segment : asked)
    for (Index i = 0; i < request.query_segments.size(segment); ++i)
      rows_.push_back(request.query_segments.starts[segment] + static_cast<std::int32_t>(i));
  lanes_.emplace(queries_, rows_, LaneFormat::float16, request.bound_factor, job);
  for (const Index segment : asked) add_segment(segment);
}

// The unit of a list is that of the longest row; a row of zeros adds 0 to every sum, so that its
// unit does not matter.
void DocumentBatch::add_segment(Index segment) {
  const std::int32_t first =
      segments_.empty() ? 0 : segments_.back().first_lane + segments_.back().lanes;
  AskedDocuments asked{.first_lane = first,
                       .lanes = static_cast<std::int32_t>(request_.query_segments.size(segment)),
                       .unit = 0};
  bool usable = true;
  for (std::int32_t lane = first; lane < first + asked.lanes; ++lane) {
    const QueryLane& own = lanes_->lanes[lane];
    usable = usable && own.bound.usable;
    if (own.residual > 0) asked.unit = std::max(asked.unit, own.bound.unit);
  }
  if (asked.unit == 0) asked.unit = 1;
  segments_.push_back(asked);
  usable_.push_back(usable);
}

// Documents whose rows fit in a tile; a longer document is a group by itself. A list gets at most
// all documents of a group, as in BatchScan::piece.
DocumentBatch::DocumentSpan DocumentBatch::next_group(Index first, Index looked, Index rows) const {
  const Segments& documents = request_.corpus_segments;
  const Index half = std::max<Index>(capacity_ / 2, 1);
  const bool whole = capacity_ >= documents.count;
  const Index wanted = whole ? rows : careful_ || looked == 0 ? half : looked;
  // Documents without rows count too: the highest scores of a tile have places for as many as rows.
  const Index most = std::min(wanted, rows);
  const Index end_row = documents.starts[first] / stretch_rows * stretch_rows + rows;
  Index end = first + 1;
  while (end < documents.count && end - first < most && documents.starts[end + 1] <= end_row) ++end;
  return {first, end};
}

void DocumentBatch::report(const char* phase, Index documents_done) const {
  const Index documents = request_.corpus_segments.count;
  job_.progress(phase,
                asked_.front() * documents + static_cast<Index>(asked_.size()) * documents_done,
                request_.query_segments.count * documents);
}

void DocumentBatch::run(const char* phase) {
  const std::shared_ptr<Device>& device = corpus_.device();
  const auto turn = device->turn();
  std::vector<ScanState> states(asked_.size());
  std::vector<AskedScan> scans(asked_.size());
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    states[i].admissible = usable_[i] != 0 ? -std::numeric_limits<float>::infinity()
                                           : std::numeric_limits<float>::infinity();
    scans[i].ranked = 1;
    scans[i].depth = static_cast<std::int32_t>(request_.depth);
  }
  const FoundLists lists(device, scans, states, capacity_);
  const Array<AskedDocuments> asked(device, segments_);
  Array<Highest> highest(device);
  ScoreTiles tiles(corpus_, *lanes_, rows_);
  highest.reserve(static_cast<Index>(rows_.size()) * tiles.rows_at_once());
  const Segments& documents = request_.corpus_segments;
  for (Index first = 0; first < documents.count;) {
    report(phase, first);
    const DocumentSpan group = next_group(first, first, tiles.rows_at_once());
    look(tiles, lists, asked, highest, group);
    lists.tighten(0, static_cast<Index>(asked_.size()), careful_ ? 1 : fewest_grown);
    first = group.end;
  }
  report(phase, documents.count);
  lists.tighten(0, static_cast<Index>(asked_.size()), 1);
  listed_ = lists.download(nullptr);
}

void DocumentBatch::look(ScoreTiles& tiles, const FoundLists& lists,
                         const Array<AskedDocuments>& asked, const Array<Highest>& highest,
                         const DocumentSpan& group) const {
  const Device& device = *corpus_.device();
  const Segments& segments = request_.corpus_segments;
  const auto first = static_cast<std::int32_t>(group.first);
  const auto count = static_cast<std::int32_t>(group.end - group.first);
  const Index end = segments.starts[group.end];
  for (Index row = segments.starts[group.first] / stretch_rows * stretch_rows; row < end;) {
    job_.cancellation.check();
    const Index rows = std::min(tiles.rows_at_once(), end - row);
    const RaiseHighest raise{.tile = tiles.make(row, rows, job_),
                             .first_document = first,
                             .documents = count,
                             .starts = starts_.data(),
                             .highest = highest.data()};
    device.require(device.table().epilogues.raise_highest(device.compute(), &raise));
    row += rows;
  }
  if (segments.starts[group.first] == end) return;
  const ListDocuments list{.asked_count = static_cast<std::int32_t>(asked_.size()),
                           .capacity = lists.capacity(),
                           .first_document = first,
                           .documents = count,
                           .asked = asked.data(),
                           .lane = tiles.lanes(),
                           .starts = starts_.data(),
                           .highest = highest.data(),
                           .states = lists.states(),
                           .lists = lists.rows()};
  device.require(device.table().epilogues.list_documents(device.compute(), &list));
}

void DocumentBatch::rank(std::vector<BestSegments>& answers, std::vector<Index>& full,
                         std::vector<Index>& undecided) {
  const ScanRequest request{.queries = request_.queries,
                            .asked = {},
                            .groups = Groups::off,
                            .corpus_groups = nullptr,
                            .counted = false,
                            .bound_factor = request_.bound_factor};
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    if (usable_[i] == 0) {
      undecided.push_back(asked_[i]);
      continue;
    }
    if (listed_.states[i].count > capacity_) {
      full.push_back(asked_[i]);
      continue;
    }
    const std::span<const Found> found = listed_.of(static_cast<Index>(i));
    std::vector<std::int32_t> documents;
    ScanResult scanned{.above = {},
                       .straddlers = {},
                       .classes = {},
                       .admissible = {},
                       .rejected = {},
                       .dropped_below = listed_.states[i].admissible,
                       .unit = segments_[i].unit,
                       .offset = 0};
    for (const Found& each : found) {
      documents.push_back(each.row);
      scanned.admissible.push_back({each.upper, each.lower, each.row});
    }
    const std::vector<double> scores = score_documents(request_, asked_[i], documents, job_);
    KnownScorer scorer(found, scores, {});
    const ScanQuery query{.query = asked_[i], .depth = request_.depth};
    Ranking ranking = rank_rows(request, query, scanned, scorer);
    answers[asked_[i] - request_.begin] = {std::move(ranking.admissible), false};
  }
}

}  // namespace gemmine::cuda
