#include "backend/cuda/pair_scorer.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

namespace gemmine::cuda {
namespace {

constexpr Index most_pairs = 1 << 20;  // at a time

// Rows that pairs refer to, each once.
class GatheredRows {
 public:
  GatheredRows(const RowSource& source) : source_(source) {}

  std::int32_t place_of(std::int32_t row) {
    const auto [at, is_new] = places_.try_emplace(row, static_cast<std::int32_t>(places_.size()));
    if (is_new) {
      const float* values = source_.block(row, 1, scratch_).dense.data;
      values_.insert(values_.end(), values, values + source_.cols());
    }
    return at->second;
  }
  Index count() const { return static_cast<Index>(places_.size()); }
  const std::vector<float>& values() const { return values_; }
  void clear() {
    places_.clear();
    values_.clear();
  }

 private:
  const RowSource& source_;
  RowScratch scratch_;
  std::unordered_map<std::int32_t, std::int32_t> places_;
  std::vector<float> values_;
};

}  // namespace

// Pairs that are scored at a time.
struct PairScorer::Slice {
  GatheredRows queries;
  GatheredRows rows;                // empty if the corpus's rows are on the device
  std::vector<std::int32_t> pairs;  // [count×2]

  Index count() const { return static_cast<Index>(pairs.size()) / 2; }
  void clear() {
    queries.clear();
    rows.clear();
    pairs.clear();
  }
};

Index PairScorer::most_rows() const {
  return std::max<Index>(1, corpus_.sizes().rows / (corpus_.rows().cols() * Index{sizeof(float)}));
}

void PairScorer::score(std::span<const std::int32_t> asked, const RowLists& lists, double* scores,
                       const Job& job) const {
  Slice slice{GatheredRows(queries_), GatheredRows(corpus_.rows()), {}};
  const auto flush = [&] {
    job.cancellation.check();
    run(slice, scores);
    scores += slice.count();
    slice.clear();
  };
  for (std::size_t i = 0; i < asked.size(); ++i)
    for (const std::int32_t row : list_of(lists, static_cast<Index>(i))) {
      slice.pairs.push_back(slice.queries.place_of(asked[i]));
      slice.pairs.push_back(corpus_.keeps_rows() ? row : slice.rows.place_of(row));
      if (slice.count() == most_pairs ||
          std::max(slice.rows.count(), slice.queries.count()) == most_rows())
        flush();
    }
  if (slice.count() > 0) flush();
}

void PairScorer::run(const Slice& slice, double* scores) const {
  const std::shared_ptr<Device>& device = corpus_.device();
  const auto turn = device->turn();
  const Index cols = corpus_.rows().cols();
  const Array<float> queries(device, slice.queries.values());
  const Array<float> gathered(device, slice.rows.values());
  const Array<std::int32_t> pairs(device, slice.pairs);
  const Array<double> found(device, slice.count());
  Array<double> query_norms(device), row_norms(device);
  if (corpus_.unit()) {
    query_norms.reserve(slice.queries.count());
    corpus_.measure(queries.data(), slice.queries.count(), query_norms.data());
    if (!corpus_.keeps_rows()) {
      row_norms.reserve(slice.rows.count());
      corpus_.measure(gathered.data(), slice.rows.count(), row_norms.data());
    }
  }
  const ScorePairs request{
      .count = slice.count(),
      .cols = cols,
      .queries = queries.data(),
      .query_stride = cols,
      .rows = corpus_.keeps_rows() ? corpus_.kept_rows() : gathered.data(),
      .row_stride = cols,
      .query_norms = query_norms.data(),
      .row_norms = corpus_.keeps_rows() ? corpus_.kept_norms() : row_norms.data(),
      .squares = sums_squares(corpus_.metric()),
      .pairs = pairs.data(),
      .scores = found.data()};
  device->require(device->table().scans.score_pairs(device->compute(), &request));
  found.download(scores, slice.count());
}

}  // namespace gemmine::cuda
