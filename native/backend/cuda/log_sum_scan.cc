#include "backend/cuda/log_sum_scan.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "backend/cuda/float_tiles.h"
#include "backend/cuda/pair_scorer.h"
#include "backend/proof/log_sum.h"
#include "backend/proof/ranking.h"

namespace gemmine::cuda {
namespace {

constexpr Index scored_at_once = 1 << 16;  // rows; a multiple of 32

const CudaQueries& queries_of(const LogSumExpRequest& request) {
  return dynamic_cast<const CudaQueries&>(request.queries);
}

// The queries of one batch share tiles.
class LogSumBatch {
 public:
  LogSumBatch(const LogSumExpRequest& request, Index begin, Index count, const Job& job)
      : request_(request),
        corpus_(queries_of(request).corpus()),
        job_(job),
        queries_(static_cast<std::size_t>(count)) {
    std::iota(queries_.begin(), queries_.end(), static_cast<std::int32_t>(begin));
    lanes_.emplace(queries_of(request), queries_, LaneFormat::float32, 1.0, job);
    for (const QueryLane& each : lanes_->lanes)
      scales_.push_back(each.bound.usable ? each.bound.unit / request.temperature : 0.0);
  }

  void run(std::vector<BoundedValue>& values) {
    const Index rows = corpus_.rows().rows();
    const std::vector<SumState> sums = sums_of_all_rows();
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const ScanBound& bound = lanes_->lanes[i].bound;
      const auto& [largest, sum, weighted, widest] = sums[i];
      values.push_back(bound.usable ? log_sum_value({largest, sum, weighted, widest}, bound,
                                                    request_.temperature, rows)
                                    : canonical(queries_[i]));
    }
  }

 private:
  std::vector<SumState> sums_of_all_rows() const {
    const std::shared_ptr<Device>& device = corpus_.device();
    const auto turn = device->turn();
    const Index rows = corpus_.rows().rows(), count = static_cast<Index>(queries_.size());
    const LogSum none;
    const std::vector<SumState> start(queries_.size(),
                                      {none.largest, none.sum, none.weighted, none.widest});
    const Array<SumState> sums(device, start);
    const Array<double> scales(device, scales_);
    Array<std::uint32_t> filter(device);
    if (request_.filter.is_set()) {
      std::vector<std::uint32_t> words;
      for (Index row = 0; row < rows; row += stretch_rows)
        words.push_back(request_.filter.from(row));
      words.resize(static_cast<std::size_t>(whole_stretches(rows) / stretch_rows));
      filter.reserve(static_cast<Index>(words.size()));
      filter.upload(words.data(), static_cast<Index>(words.size()));
    }
    Array<SumState> parts(device);
    FloatTiles tiles(corpus_, *lanes_, queries_);
    parts.reserve(tiles.rows_at_once() / stretch_rows * count);
    for (Index first = 0, part = 0; first < rows; first += part) {
      job_.cancellation.check();
      report(first);
      part = std::min(tiles.rows_at_once(), rows - first);
      const SumExponentials request{
          .tile = tiles.make(first, part, job_),
          .scales = scales.data(),
          .filter = filter.size() > 0 ? filter.data() + first / stretch_rows : nullptr,
          .parts = parts.data(),
          .sums = sums.data()};
      device->require(device->table().epilogues.sum_exponentials(device->compute(), &request));
    }
    report(rows);
    return sums.download();
  }

  void report(Index done) const {
    const Index rows = corpus_.rows().rows();
    job_.progress("scan", queries_.front() * rows + static_cast<Index>(queries_.size()) * done,
                  request_.queries.rows().rows() * rows);
  }

  // For a query with scores that could overflow float32.
  BoundedValue canonical(std::int32_t query) const {
    const Index all = corpus_.rows().rows();
    const ScanQuery asked{.query = query, .depth = 0, .filter = request_.filter};
    const ScanRequest whole{.queries = request_.queries,
                            .asked = {},
                            .groups = Groups::off,
                            .corpus_groups = nullptr,
                            .counted = false,
                            .bound_factor = 1.0};
    const PairScorer scorer(corpus_, request_.queries.rows());
    const double scale = 1 / request_.temperature;
    std::vector<std::int32_t> rows;
    std::vector<double> scores;
    LogSum sum;
    for (Index first = 0; first < all; first += scored_at_once) {
      list_filtered(whole, asked, first, std::min(first + scored_at_once, all), rows);
      scores.resize(rows.size());
      const std::int32_t indptr[] = {0, static_cast<std::int32_t>(rows.size())};
      scorer.score({&query, 1}, {indptr, rows.data()}, scores.data(), job_);
      for (std::size_t at = 0; at < scores.size(); at += stretch_rows)
        sum.merge(of_scores(std::span(scores).subspan(
                                at, std::min<std::size_t>(stretch_rows, scores.size() - at)),
                            scale),
                  scale);
    }
    return log_sum_value(sum, {.unit = 1, .offset = 0, .error = 0, .usable = true},
                         request_.temperature, all);
  }

  static LogSum of_scores(std::span<const double> scores, double scale) {
    LogSum sum{.largest = *std::ranges::max_element(scores)};
    for (const double score : scores) sum.sum += std::exp((score - sum.largest) * scale);
    return sum;
  }

  const LogSumExpRequest& request_;
  const CudaCorpus& corpus_;
  const Job& job_;
  std::vector<std::int32_t> queries_;
  std::optional<QueryLanes> lanes_;
  std::vector<double> scales_;  // the scan's unit / temperature
};

}  // namespace

std::vector<BoundedValue> log_sum_exp(const LogSumExpRequest& request, const Job& job) {
  const Index step = most_lanes_of(queries_of(request).corpus());
  std::vector<BoundedValue> values;
  for (Index begin = 0; begin < request.count; begin += step)
    LogSumBatch(request, request.begin + begin, std::min(step, request.count - begin), job)
        .run(values);
  return values;
}

}  // namespace gemmine::cuda
