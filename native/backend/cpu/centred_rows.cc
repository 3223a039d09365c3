#include "backend/cpu/centred_rows.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "backend/cpu/canonical.h"
#include "backend/cpu/scan_kernels.h"
#include "core/pool.h"
#include "core/row_block.h"

namespace gemmine::cpu {
namespace {

constexpr Index rows_at_once = 128;
constexpr Index centre_runs = 64;  // the centre is the mean of at most 64 runs of 16 rows
constexpr Index centre_run_length = 16;

void check_finite(const float* row, Index d, Index at, const RowSource& rows) {
  for (Index t = 0; t < d; ++t)
    if (!std::isfinite(row[t])) throw not_finite(rows, at, t);
}

}  // namespace

std::vector<double> measure_rows(const RowSource& rows, const char* phase, const Job& job) {
  expect(!rows.sparse() && rows.rows() > 0, "dense rows to scan");
  const Index n = rows.rows(), d = rows.cols();
  std::vector<double> norms(n);
  std::vector<RowScratch> scratch(worker_count(job));
  std::atomic<Index> done = 0;
  parallel_for(job, (n + rows_at_once - 1) / rows_at_once, [&](Index chunk, Index worker) {
    const Index begin = chunk * rows_at_once;
    const Index count = std::min(rows_at_once, n - begin);
    rows.take(begin, count);
    const HostView<const float> block = rows.block(begin, count, scratch[worker]).dense;
    canonical_norms(block.data, block.stride, count, d, &norms[begin]);
    for (Index i = 0; i < count; ++i)
      if (!std::isfinite(norms[begin + i])) check_finite(block.row(i), d, begin + i, rows);
    job.progress(phase, done += count, n);
  });
  return norms;
}

CentredRows::CentredRows(const RowSource& source, Metric metric, const Job& job)
    : source_(source), metric_(metric), centre_(source.cols()) {
  auto norms = std::make_shared<std::vector<double>>(measure_rows(source, "prepare", job));
  if (!has_unit_rows(metric)) {
    const double largest = *std::max_element(norms->begin(), norms->end());
    if (largest > 0) exponent_ = -std::ilogb(largest);
    *norms = {};
  }
  norms_ = std::move(norms);
  find_centre();
}

CentredRows::CentredRows(const RowSource& source, Metric metric, std::span<const float> centre,
                         int exponent, const Job& job)
    : source_(source), metric_(metric), centre_(centre.begin(), centre.end()), exponent_(exponent) {
  auto norms = std::make_shared<std::vector<double>>(measure_rows(source, "prepare", job));
  if (!has_unit_rows(metric)) *norms = {};
  norms_ = std::move(norms);
}

Index CentredRows::bytes() const {
  return static_cast<Index>(norms_->size() * sizeof(double) + centre_.size() * sizeof(float));
}

// A zero row stays zero.
double CentredRows::row_factor(Index i) const {
  if (!has_unit_rows(metric_)) return 1.0;
  const double norm = norms()[i];
  return norm == 0 ? 0.0 : 1 / norm;
}

double CentredRows::centre_row(Index i, const float* row, float* centred) const {
  return scan_kernels().centre_row(row, row_factor(i), centre_.data(), std::ldexp(1.0, exponent_),
                                   source_.cols(), centred);
}

void CentredRows::find_centre() {
  const Index n = source_.rows(), d = source_.cols();
  const Index runs = std::min(centre_runs, (n + centre_run_length - 1) / centre_run_length);
  std::vector<double> sums(d);
  Index seen = 0;
  RowScratch scratch;
  for (Index run = 0; run < runs; ++run) {
    const Index begin = run * n / runs;
    const Index count = std::min(centre_run_length, (run + 1) * n / runs - begin);
    const HostView<const float> block = source_.block(begin, count, scratch).dense;
    for (Index i = 0; i < count; ++i) {
      const double factor = row_factor(begin + i);
      for (Index t = 0; t < d; ++t) sums[t] += double{block(i, t)} * factor;
    }
    seen += count;
  }
  for (Index t = 0; t < d; ++t)
    centre_[t] = static_cast<float>(sums[t] / static_cast<double>(seen));
}

}  // namespace gemmine::cpu
