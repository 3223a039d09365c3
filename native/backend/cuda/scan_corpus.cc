#include "backend/cuda/scan_corpus.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "backend/proof/scan_bounds.h"
#include "core/pool.h"

namespace gemmine::cuda {
namespace {

constexpr Index examined_at_once = 128;  // rows
constexpr Index centre_rows = 1024;      // that the centre is the mean of, at most
constexpr Index stretch = 32;            // rows that a warp looks at

}  // namespace

CudaCorpus::CudaCorpus(std::shared_ptr<Device> device, const RowSource& rows,
                       std::unique_ptr<CorpusHandle> host, const ScanSizes& sizes, const Job& job)
    : device_(std::move(device)),
      host_(std::move(host)),
      sizes_(sizes),
      centre_(static_cast<std::size_t>(rows.cols())),
      device_centre_(device_),
      norms_(device_),
      halves_(device_),
      bounds_(device_),
      kept_rows_(device_) {
  if (!unit()) find_exponent(job);
  find_centre(job);
  const auto turn = device_->turn();
  device_centre_.upload(centre_);
  choose_what_stays();
  if (keeps_halves()) upload(job);
}

Index CudaCorpus::bytes() const {
  return host_->bytes() + static_cast<Index>(centre_.size() * sizeof(float)) +
         halves_.size() * Index{sizeof(std::uint16_t)} + bounds_.size() * Index{sizeof(RowBound)} +
         norms_.size() * Index{sizeof(double)} + kept_rows_.size() * Index{sizeof(float)};
}

void CudaCorpus::set_live(const RowBits& live) {
  live_ = live;
  if (!unit()) return;
  RowScratch scratch;
  for (Index row = 0; row < rows().rows(); ++row) {
    if (this->live().holds(row)) continue;
    const float* values = rows().block(row, 1, scratch).dense.data;
    removed_zeros_ += std::all_of(values, values + rows().cols(), [](float x) { return x == 0; });
  }
}

// The power of two that brings the largest norm into [1, 2), up to rounding.
void CudaCorpus::find_exponent(const Job& job) {
  const Index n = rows().rows(), cols = rows().cols();
  std::vector<RowScratch> scratch(static_cast<std::size_t>(worker_count(job)));
  std::vector<double> largest(scratch.size());
  parallel_for(job, (n + examined_at_once - 1) / examined_at_once, [&](Index part, Index worker) {
    const Index begin = part * examined_at_once;
    const Index count = std::min(examined_at_once, n - begin);
    const HostView<const float> block = rows().block(begin, count, scratch[worker]).dense;
    for (Index i = 0; i < count; ++i) {
      double squared = 0;
      for (Index t = 0; t < cols; ++t) squared += double{block(i, t)} * double{block(i, t)};
      largest[worker] = std::max(largest[worker], squared);
    }
  });
  const double norm = std::sqrt(*std::max_element(largest.begin(), largest.end()));
  if (norm > 0) exponent_ = -std::ilogb(norm);
}

// The mean of some rows: any vector would do, and a near one makes bounds tight.
void CudaCorpus::find_centre(const Job& job) {
  const Index n = rows().rows(), cols = rows().cols();
  const Index count = std::min(n, centre_rows);
  std::vector<double> sums(static_cast<std::size_t>(cols));
  RowScratch scratch;
  for (Index i = 0; i < count; ++i) {
    job.cancellation.check();
    const float* row = rows().block(i * n / count, 1, scratch).dense.data;
    double squared = 0;
    for (Index t = 0; t < cols; ++t) squared += double{row[t]} * double{row[t]};
    const double factor = !unit() ? 1.0 : squared > 0 ? 1 / std::sqrt(squared) : 0.0;
    for (Index t = 0; t < cols; ++t) sums[t] += double{row[t]} * factor;
  }
  for (Index t = 0; t < cols; ++t)
    centre_[t] = static_cast<float>(sums[t] / static_cast<double>(count));
}

void CudaCorpus::choose_what_stays() {
  const Index n = rows().rows();
  const Index norms = unit() ? n * Index{sizeof(double)} : 0;
  const Index halves = n * (stored_cols() * Index{sizeof(std::uint16_t)} + Index{sizeof(RowBound)});
  const Index values = n * rows().cols() * Index{sizeof(float)};
  const Index room = sizes_.kept;
  if (halves + norms > room) return;
  halves_.reserve(n * stored_cols());
  bounds_.reserve(n);
  if (unit()) norms_.reserve(n);
  if (halves + norms + values <= room) kept_rows_.reserve(n * rows().cols());
}

Index CudaCorpus::rows_at_once() const {
  const Index fitting = sizes_.rows / (rows().cols() * Index{sizeof(float)});
  return std::min(std::max(fitting / stretch * stretch, stretch),
                  (rows().rows() + stretch - 1) / stretch * stretch);
}

void CudaCorpus::upload(const Job& job) {
  const Index n = rows().rows();
  RowFeed feed(device_, rows(), rows_at_once());
  for (Index first = 0; first < n; first += feed.rows_at_once()) {
    job.cancellation.check();
    const Index count = std::min(feed.rows_at_once(), n - first);
    float* to = keeps_rows() ? kept_rows_.data() + first * rows().cols() : nullptr;
    const float* from = feed.bring(first, count, to, job);
    double* norms = unit() ? norms_.data() + first : nullptr;
    if (unit()) measure(from, count, norms);
    store(from, count, norms, halves_.data() + first * stored_cols(), bounds_.data() + first);
    feed.done();
  }
  device_->synchronize();
}

void CudaCorpus::measure(const float* from, Index count, double* norms) const {
  const MeasureRows request{count, rows().cols(), from, rows().cols(), norms};
  device_->require(device_->table().scans.measure_rows(device_->compute(), &request));
}

PrepareRows CudaCorpus::preparing(const float* from, Index count, const double* norms,
                                  RowBound* bounds) const {
  const Index cols = rows().cols();
  return {.rows = count,
          .cols = cols,
          .from = from,
          .stride = cols,
          .centre = device_centre_.data(),
          .norms = norms,
          .distance = is_distance(metric()),
          .exponent = exponent_,
          .squared_norm_error = bounds::squared_norm_error(cols),
          .underflow = bounds::underflow(cols),
          .halves = nullptr,
          .half_stride = stored_cols(),
          .bounds = bounds,
          .values = nullptr};
}

void CudaCorpus::store(const float* from, Index count, const double* norms, std::uint16_t* halves,
                       RowBound* bounds) const {
  PrepareRows request = preparing(from, count, norms, bounds);
  request.halves = halves;
  device_->require(device_->table().scans.prepare_rows(device_->compute(), &request));
}

void CudaCorpus::scale(const float* from, Index count, const double* norms, float* values,
                       RowBound* bounds) const {
  PrepareRows request = preparing(from, count, norms, bounds);
  request.values = values;
  device_->require(device_->table().scans.prepare_rows(device_->compute(), &request));
}

StoredFeed::StoredFeed(const CudaCorpus& corpus)
    : corpus_(corpus), norms_(corpus.device()), halves_(corpus.device()), bounds_(corpus.device()) {
  if (corpus.keeps_halves()) return;
  const Index rows = corpus.rows_at_once();
  feed_ = std::make_unique<RowFeed>(corpus.device(), corpus.rows(), rows);
  halves_.reserve(rows * corpus.stored_cols());
  bounds_.reserve(rows);
  if (corpus.unit()) norms_.reserve(rows);
}

Index StoredFeed::rows_at_once() const {
  return feed_ ? feed_->rows_at_once() : (corpus_.rows().rows() + stretch - 1) / stretch * stretch;
}

StoredRows StoredFeed::bring(Index first, Index count, const Job& job) {
  if (!feed_) return corpus_.stored(first);
  const float* from = feed_->bring(first, count, nullptr, job);
  double* norms = corpus_.unit() ? norms_.data() : nullptr;
  if (norms != nullptr) corpus_.measure(from, count, norms);
  corpus_.store(from, count, norms, halves_.data(), bounds_.data());
  feed_->done();
  return {halves_.data(), bounds_.data()};
}

}  // namespace gemmine::cuda
