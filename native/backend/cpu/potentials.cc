#include <algorithm>
#include <array>
#include <cmath>

#include "backend/cpu/labels.h"
#include "backend/cpu/panels.h"
#include "backend/cpu/row_blocks.h"
#include "core/pool.h"
#include "core/row_reader.h"

namespace gemmine::cpu {
namespace {

constexpr Index block_elements = 1 << 16;
constexpr double double_rounding = 0x1p-52;
constexpr Index most = Candidates::most;
// Up to this exponent, sums of squares of rows stay within the range of float32.
constexpr int largest_exponent_of_squares = 30;

using Sums = std::array<double, most>;

// Memory of one thread.
struct Workspace {
  RowScratch rows;
  std::vector<float> scaled;     // [block×d]
  std::vector<float> distances;  // [block×c]
};

class Measuring {
 public:
  Measuring(const Kernels& kernels, const Candidates& candidates)
      : kernels_(kernels),
        c_(candidates),
        rows_(c_.X),
        count_(c_.points.rows),
        d_(c_.X.cols()),
        scale_(std::ldexp(1.0, -c_.exponent)),
        in_place_(std::abs(c_.exponent) <= largest_exponent_of_squares) {
    if (!c_.X.sparse()) {
      const auto as_rows = [&](Index t, Index p) {
        return static_cast<float>(in_place_ ? c_.points(p, t) / scale_ : c_.points(p, t));
      };
      pack_panels(d_, count_, kernels_, as_rows, panels_);
      return;
    }
    points_.resize(static_cast<std::size_t>(d_ * most));
    for (Index p = 0; p < count_; ++p)
      for (Index t = 0; t < d_; ++t) {
        const double value = c_.points(p, t);
        points_[t * most + p] = value;
        squares_[p] += value * value;
      }
  }

  // Returns Σ min(nearest, distance) of a block and writes its distances to `to` [n×c].
  Sums block(Index begin, Index count, Workspace& workspace, HostView<double> to) const {
    const RowBlock rows = rows_.block(begin, count, workspace.rows);
    if (c_.X.sparse())
      for (Index i = 0; i < count; ++i) sparse_row(rows, i, to.row(begin + i));
    else
      dense_rows(rows, workspace, to.row_block(begin, count));
    Sums sums{};
    for (Index i = begin; i < begin + count; ++i) {
      const double weight = c_.weights == nullptr ? 1.0 : c_.weights[i];
      double* distances = to.row(i);
      for (Index p = 0; p < count_; ++p) {
        distances[p] *= weight;
        sums[p] += std::min(c_.nearest[i], distances[p]);
      }
    }
    return sums;
  }

 private:
  // Differences of float32 rows do not cancel, even far from the origin.
  void dense_rows(const RowBlock& rows, Workspace& workspace, HostView<double> to) const {
    const Index width = padded_columns(count_, kernels_);
    const HostView<float> distances = rows_in(workspace.distances, rows.count, count_, width);
    HostView<const float> left = rows.dense;
    if (!in_place_) {
      const HostView<float> scaled = rows_in(workspace.scaled, rows.count, d_, d_);
      kernels_.scaled_copy(rows.dense, scale_, scaled);
      left = scaled;
    }
    kernels_.distance_panels(rows_of(left), panels_.data(), distances);
    const double factor = in_place_ ? scale_ * scale_ : 1;
    for (Index i = 0; i < rows.count; ++i)
      for (Index p = 0; p < count_; ++p) to(i, p) = factor * distances(i, p);
  }

  // ‖c‖² + Σ x (x − 2c) over the non-zeros; a value within its rounding error becomes 0.
  void sparse_row(const RowBlock& rows, Index i, double* to) const {
    const auto first = static_cast<Index>(rows.indptr[i]);
    const auto end = static_cast<Index>(rows.indptr[i + 1]);
    Sums sums = squares_;
    double norm = 0;
    for (Index at = first; at < end; ++at) {
      const double x = scale_ * rows.values[at];
      const double* point = points_.data() + rows.indices[at] * most;
      norm += x * x;
      for (Index p = 0; p < most; ++p) sums[p] += x * (x - 2 * point[p]);
    }
    const double share = double_rounding * static_cast<double>(end - first + 2);
    for (Index p = 0; p < count_; ++p) to[p] = sums[p] > share * (norm + squares_[p]) ? sums[p] : 0;
  }

  const Kernels& kernels_;
  const Candidates& c_;
  const RowReader rows_;
  const Index count_;
  const Index d_;
  const double scale_;          // 2^-exponent
  const bool in_place_;         // rows are compared without scaling
  std::vector<float> panels_;   // the points as rows [d×c]; dense X only
  std::vector<double> points_;  // [d×16]; sparse X only
  Sums squares_{};              // ‖c‖²; sparse X only
};

}  // namespace

std::vector<double> potentials(const Kernels& kernels, const Candidates& candidates,
                               HostView<double> distances, const Job& job) {
  expect(candidates.points.rows <= most, "as many candidates as fit");
  const Measuring measuring(kernels, candidates);
  const Index rows = std::clamp<Index>(block_elements / candidates.X.cols(), 96, 960);
  const std::vector<Index> firsts = even_parts(candidates.X.rows(), rows);
  std::vector<Workspace> workspaces(static_cast<std::size_t>(worker_count(job)));
  std::vector<Sums> blocks(firsts.size() - 1);
  parallel_for(job, static_cast<Index>(blocks.size()), [&](Index block, Index worker) {
    blocks[block] = measuring.block(firsts[block], firsts[block + 1] - firsts[block],
                                    workspaces[worker], distances);
  });
  std::vector<double> total(static_cast<std::size_t>(distances.cols));
  for (const Sums& sums : blocks)
    for (Index p = 0; p < distances.cols; ++p) total[p] += sums[p];
  return total;
}

}  // namespace gemmine::cpu
