#include "backend/cpu/scan_panels.h"

#include <algorithm>
#include <cmath>

#include "backend/proof/scan_bounds.h"
#include "core/pool.h"
#include "core/row_block.h"

namespace gemmine::cpu {
namespace {

// [rows][words] to [words][32], 16 words at a time, so that source and target stay in L1.
void transpose(const float* from, Index words, float* to) {
  for (Index begin = 0; begin < words; begin += 16) {
    const Index end = std::min(begin + 16, words);
    for (Index i = 0; i < panel_rows; ++i)
      for (Index t = begin; t < end; ++t) to[t * panel_rows + i] = from[i * words + t];
  }
}

void set_bounds(double squared_norm, double squared_residual, Metric metric, Index d, int row,
                PanelBounds& bounds) {
  const double half = is_distance(metric) ? squared_norm / 2 : 0.0;
  const double error = (is_distance(metric) ? bounds::squared_norm_error(d) * squared_norm : 0.0) +
                       bounds::underflow(d);
  const double residual = std::sqrt(squared_residual);
  bounds.up[row] = bounds::float_above(-half + error);
  bounds.down[row] = bounds::float_below(-half - error);
  bounds.norm[row] = bounds::float_above(std::sqrt(squared_norm) + residual);
  bounds.residual[row] = bounds::float_above(residual);
}

}  // namespace

AlignedFloats allocate_aligned(Index count) {
  const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(float);
  return AlignedFloats(static_cast<float*>(aligned_bytes(bytes)));
}

AlignedFloats ScanPanels::prepare_all(const Job& job) const {
  AlignedFloats all = allocate_aligned(count() * size());
  prepare(0, count(), all.get(), job);
  return all;
}

// Writes the rows' words and bounds to `scratch`, and zeros beyond the last row.
void ScanPanels::pack_rows(Index panel, Scratch& scratch) const {
  const Index d = rows_.source().cols();
  const Index begin = panel * panel_rows;
  const Index count = std::min<Index>(panel_rows, rows_.source().rows() - begin);
  const HostView<const float> block = rows_.source().block(begin, count, scratch.rows).dense;
  scratch.row.resize(d);
  scratch.words.resize(panel_rows * words_);
  for (int i = 0; i < panel_rows; ++i) {
    float* words = scratch.words.data() + i * words_;
    double squared_norm = 0, squared_residual = 0;
    if (i < count) {
      squared_norm = rows_.centre_row(begin + i, block.row(i), scratch.row.data());
      squared_residual = format_.pack_row(scratch.row.data(), d, words);
    } else {
      std::fill(words, words + words_, 0.0f);
    }
    set_bounds(squared_norm, squared_residual, rows_.metric(), d, i, scratch.bounds);
  }
}

void ScanPanels::pack(Index panel, float* to, Scratch& scratch) const {
  pack_rows(panel, scratch);
  transpose(scratch.words.data(), words_, to);
  *reinterpret_cast<PanelBounds*>(to + words_ * panel_rows) = scratch.bounds;
}

void ScanPanels::prepare(Index begin, Index count, float* to, const Job& job) const {
  std::vector<Scratch> scratch(worker_count(job));
  parallel_for(job, count,
               [&](Index i, Index worker) { pack(begin + i, to + i * size(), scratch[worker]); });
}

void ScanPanels::prepare(std::span<const Index> panels, std::span<float* const> to,
                         const Job& job) const {
  std::vector<Scratch> scratch(worker_count(job));
  parallel_for(job, std::ssize(panels),
               [&](Index i, Index worker) { pack(panels[i], to[i], scratch[worker]); });
}

void ScanPanels::keep(Index bytes) {
  if (all_ != nullptr || kept_count_ > 0) return;
  kept_count_ = std::min(count(), bytes / (size() * Index{sizeof(float)}));
}

PanelRun ScanPanels::get(Index begin, Index count, float* space, const Job& job) {
  if (all_ != nullptr) {
    const PanelPages& changed = rows_.pages();
    return {all_ + begin * size(), size(), changed.empty() ? nullptr : &changed, begin};
  }
  if (!keeps(begin, count)) {
    prepare(begin, count, space, job);
    return {space, size()};
  }
  if (!kept_) kept_ = allocate_aligned(kept_count_ * size());
  const Index missing = begin + count - prepared_;
  if (missing > 0) {
    prepare(prepared_, missing, kept_.get() + prepared_ * size(), job);
    prepared_ += missing;
  }
  return {kept_.get() + begin * size(), size()};
}

}  // namespace gemmine::cpu
