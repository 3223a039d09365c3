#include "backend/cpu/scan_corpus.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <string>

#include "backend/cpu/canonical.h"
#include "backend/cpu/pool.h"
#include "backend/scan_bounds.h"

namespace gemmine::cpu {
namespace {

constexpr Index rows_at_once = 128;
constexpr Index centre_runs = 64;  // the centre is the mean of at most 64 runs of 16 rows
constexpr Index centre_run_length = 16;

void check_finite(const float* row, Index d, Index at, const RowSource& rows) {
  for (Index t = 0; t < d; ++t)
    if (!std::isfinite(row[t])) throw not_finite(rows, at, t);
}

// Calls visit(block, worker) for blocks of 128 rows, in parallel.
template <class Visit>
void for_row_blocks(const RowSource& rows, const Job& job, Visit visit) {
  std::vector<RowScratch> scratch(worker_count(job));
  const Index n = rows.rows();
  parallel_for(job, (n + rows_at_once - 1) / rows_at_once, [&](Index i, Index worker) {
    const Index begin = i * rows_at_once;
    const Index count = std::min(rows_at_once, n - begin);
    visit(rows.block(begin, count, scratch[worker]), worker);
  });
}

// [rows][d] to [d][32], 16 columns at a time, so that what is read and written stays in L1.
void transpose(const float* from, Index d, float* to) {
  for (Index begin = 0; begin < d; begin += 16) {
    const Index end = std::min(begin + 16, d);
    for (Index i = 0; i < panel_rows; ++i)
      for (Index t = begin; t < end; ++t) to[t * panel_rows + i] = from[i * d + t];
  }
}

void set_bounds(double squared_norm, Metric metric, Index d, int row, PanelBounds& bounds) {
  const double half = metric == Metric::l2 ? squared_norm / 2 : 0.0;
  const double error = (metric == Metric::l2 ? bounds::squared_norm_error(d) * squared_norm : 0.0) +
                       bounds::underflow(d);
  bounds.up[row] = bounds::float_above(-half + error);
  bounds.down[row] = bounds::float_below(-half - error);
  // The second term stands for entries of ĉ that underflowed.
  bounds.r[row] = bounds::float_above(std::sqrt(squared_norm) + static_cast<double>(d) * 0x1p-120);
}

}  // namespace

void FreeAligned::operator()(float* values) const { std::free(values); }

AlignedFloats allocate_aligned(Index count) {
  const std::size_t bytes = (static_cast<std::size_t>(count) * sizeof(float) + 63) / 64 * 64;
  auto* values = static_cast<float*>(std::aligned_alloc(64, std::max<std::size_t>(bytes, 64)));
  if (values == nullptr)
    throw Error(ErrorCode::out_of_memory, "cannot allocate " + std::to_string(bytes) + " bytes");
  return AlignedFloats(values);
}

std::vector<double> measure_rows(const RowSource& rows, const Job& job) {
  expect(!rows.sparse() && rows.rows() > 0, "dense rows to scan");
  const Index d = rows.cols();
  std::vector<double> norms(rows.rows());
  std::atomic<Index> done = 0;
  for_row_blocks(rows, job, [&](const RowBlock& block, Index) {
    canonical_norms(block.dense.data, block.dense.stride, block.count, d, &norms[block.begin]);
    for (Index i = 0; i < block.count; ++i)
      if (!std::isfinite(norms[block.begin + i]))
        check_finite(block.dense.row(i), d, block.begin + i, rows);
    job.progress("prepare", done += block.count, rows.rows());
  });
  return norms;
}

CpuCorpus::CpuCorpus(const RowSource& rows, Metric metric, bool keep_panels, const Job& job)
    : rows_(rows), metric_(metric), norms_(measure_rows(rows, job)), centre_(rows.cols()) {
  if (metric != Metric::cosine) {
    const double largest = *std::max_element(norms_.begin(), norms_.end());
    if (largest > 0) exponent_ = -std::ilogb(largest);
    norms_ = {};
  }
  find_centre();
  if (uniform()) find_radius(job);
  if (!keep_panels) return;
  AlignedFloats kept = allocate_aligned(panels() * panel_size());
  prepare_panels(0, panels(), kept.get(), job);
  panels_ = std::move(kept);
}

Index CpuCorpus::bytes() const {
  const Index panel_bytes =
      panels_ ? panels() * panel_size() * static_cast<Index>(sizeof(float)) : 0;
  return panel_bytes +
         static_cast<Index>(norms_.size() * sizeof(double) + centre_.size() * sizeof(float));
}

// A zero row stays zero: its cosine is 0 with everything.
double CpuCorpus::row_factor(Index row) const {
  if (metric_ != Metric::cosine) return 1.0;
  return norms_[row] == 0 ? 0.0 : 1 / norms_[row];
}

void CpuCorpus::find_centre() {
  const Index n = rows_.rows(), d = rows_.cols();
  const Index runs = std::min(centre_runs, (n + centre_run_length - 1) / centre_run_length);
  std::vector<double> sums(d);
  Index seen = 0;
  RowScratch scratch;
  for (Index run = 0; run < runs; ++run) {
    const Index begin = run * n / runs;
    const Index count = std::min(centre_run_length, (run + 1) * n / runs - begin);
    const RowBlock block = rows_.block(begin, count, scratch);
    for (Index i = 0; i < count; ++i) {
      const double factor = row_factor(begin + i);
      for (Index t = 0; t < d; ++t) sums[t] += double{block.dense(i, t)} * factor;
    }
    seen += count;
  }
  for (Index t = 0; t < d; ++t)
    centre_[t] = static_cast<float>(sums[t] / static_cast<double>(seen));
}

void CpuCorpus::find_radius(const Job& job) {
  const Index d = rows_.cols();
  std::vector<double> largest(worker_count(job));
  std::vector<std::vector<float>> centred(worker_count(job), std::vector<float>(d));
  for_row_blocks(rows_, job, [&](const RowBlock& block, Index worker) {
    for (Index i = 0; i < block.count; ++i) {
      const double squared =
          scan_kernels().centre_row(block.dense.row(i), row_factor(block.begin + i), centre_.data(),
                                    1.0, d, centred[worker].data());
      largest[worker] = std::max(largest[worker], squared);
    }
  });
  radius_ = std::sqrt(*std::max_element(largest.begin(), largest.end()));
}

// Lanes beyond the last row hold zeros.
void CpuCorpus::prepare_panel(Index panel, Scratch& scratch, float* to) const {
  const Index d = rows_.cols();
  const Index begin = panel * panel_rows;
  const Index count = std::min<Index>(panel_rows, rows_.rows() - begin);
  const RowBlock block = rows_.block(begin, count, scratch.rows);
  const double scale = std::ldexp(1.0, exponent_);
  auto& bounds = *reinterpret_cast<PanelBounds*>(to + d * panel_rows);
  scratch.panel.resize(d * panel_rows);
  for (int i = 0; i < panel_rows; ++i) {
    float* row = scratch.panel.data() + i * d;
    double squared_norm = 0;
    if (i < count)
      squared_norm = scan_kernels().centre_row(block.dense.row(i), row_factor(begin + i),
                                               centre_.data(), scale, d, row);
    else
      std::fill(row, row + d, 0.0f);
    set_bounds(squared_norm, metric_, d, i, bounds);
  }
  transpose(scratch.panel.data(), d, to);
}

void CpuCorpus::prepare_panels(Index begin, Index count, float* to, const Job& job) const {
  std::vector<Scratch> scratch(worker_count(job));
  parallel_for(job, count, [&](Index i, Index worker) {
    prepare_panel(begin + i, scratch[worker], to + i * panel_size());
  });
}

const float* CpuCorpus::panels(Index begin, Index count, float* space, const Job& job) const {
  if (panels_) return panels_.get() + begin * panel_size();
  prepare_panels(begin, count, space, job);
  return space;
}

}  // namespace gemmine::cpu
