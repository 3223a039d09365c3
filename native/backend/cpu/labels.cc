#include "backend/cpu/labels.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "backend/cpu/ordered_blocks.h"
#include "backend/cpu/panels.h"
#include "backend/cpu/row_blocks.h"
#include "backend/far_rows.h"
#include "backend/label_bound.h"
#include "core/row_reader.h"

namespace gemmine::cpu {
namespace {

using namespace label_bound;

constexpr Index product_elements = 1 << 15;  // P of a tile: part of a second-level cache
constexpr Index tile_unit = 12;              // rows: whole register tiles of a product
constexpr Index most_units = 8;

// The centres minus the origin, for products with rows: dense rows minus the origin, and sparse
// rows unchanged. ‖x − c‖² − ‖x − o‖² = ‖c − o‖² − 2 (x − o)·(c − o).
class PackedCenters {
 public:
  PackedCenters(const Kernels& kernels, const Assignment& a, double scale_of_sparse)
      : k_(a.centers.rows),
        padded_(whole_panels(k_, kernels.panel_width)),
        low_(padded_, std::numeric_limits<float>::max()),
        high_(padded_, std::numeric_limits<float>::max()),
        lengths_(padded_) {
    const Index d = a.centers.cols;
    const double scale = a.X.sparse() ? scale_of_sparse : 1;
    const auto centred = [&](Index t, Index j) {
      return static_cast<float>(scale * (a.centers(j, t) - a.origin[t]));
    };
    pack_panels(d, k_, kernels, centred, panels_);
    for (Index t = 0; a.X.sparse() && t < d; ++t) origin_ += a.origin[t] * a.origin[t];
    for (Index j = 0; j < k_; ++j) {
      double square = 0;
      double along = 0;  // o·(c − o)
      for (Index t = 0; t < d; ++t) {
        const double c = a.centers(j, t) - a.origin[t];
        square += c * c;
        if (a.X.sparse()) along += a.origin[t] * c;
      }
      const double length = std::sqrt(square);
      const double error = rounding_of(0) * (square + 2 * std::sqrt(origin_) * length);
      low_[j] =
          static_cast<float>(square + 2 * along - upwards * error) - static_cast<float>(underflow);
      high_[j] =
          static_cast<float>(square + 2 * along + upwards * error) + static_cast<float>(underflow);
      lengths_[j] = static_cast<float>(upwards * length);
    }
  }

  Index padded() const { return padded_; }
  double origin() const { return origin_; }  // ‖o‖² if the rows are not centred, else 0
  const float* panels() const { return panels_.data(); }
  CenterBounds bounds() const { return {low_.data(), high_.data(), lengths_.data(), padded_}; }

 private:
  Index k_;
  Index padded_;
  double origin_ = 0;
  std::vector<float> low_;
  std::vector<float> high_;
  std::vector<float> lengths_;
  std::vector<float> panels_;
};

// Contribution of one block to Assigned. The sums of a cluster are cleared at its first row.
struct BlockSums {
  std::vector<double> sums;    // [k×d]
  std::vector<double> masses;  // [k]
  double inertia;
  FarRows far;
};

// Memory of one thread.
struct Workspace {
  RowScratch rows;
  std::vector<float> centred;       // X − o [tile×d]
  std::vector<float> products;      // P [tile×k]
  std::vector<double> norms;        // ‖x − o‖² [tile]
  std::vector<std::int32_t> found;  // [k]
  std::vector<float> dense;         // a sparse row [d], zeros between uses
};

class Assigning {
 public:
  Assigning(const Kernels& kernels, const Assignment& assignment, Assigned& assigned,
            const Job& job)
      : kernels_(kernels),
        a_(assignment),
        assigned_(assigned),
        job_(job),
        rows_(a_.X),
        k_(a_.centers.rows),
        d_(a_.centers.cols),
        scale_(std::ldexp(1.0, -a_.exponent)),
        packed_(kernels, a_, scale_),
        squares_(a_.X.sparse() ? k_ : 0) {
    for (Index j = 0; j < static_cast<Index>(squares_.size()); ++j)
      for (Index t = 0; t < d_; ++t) squares_[j] += a_.centers(j, t) * a_.centers(j, t);
  }

  void block(Index begin, Index count, Workspace& workspace, BlockSums& sums) const {
    sums.sums.resize(static_cast<std::size_t>(k_ * d_));
    sums.masses.assign(static_cast<std::size_t>(k_), 0.0);
    sums.inertia = 0;
    sums.far.clear();
    workspace.found.resize(static_cast<std::size_t>(packed_.padded()));
    const Index rows =
        tile_unit *
        std::clamp<Index>(product_elements / (packed_.padded() * tile_unit), 1, most_units);
    for (Index done = 0; done < count; done += rows) {
      job_.cancellation.check();
      give_way();
      tile(begin + done, std::min(rows, count - done), workspace, sums);
    }
  }

  void merge(const BlockSums& block) const {
    for (Index j = 0; j < k_; ++j) {
      if (block.masses[j] == 0) continue;
      assigned_.masses[j] += block.masses[j];
      const double* from = block.sums.data() + j * d_;
      double* to = assigned_.sums.data() + j * d_;
      for (Index t = 0; t < d_; ++t) to[t] += from[t];
    }
    assigned_.inertia += block.inertia;
    std::vector<FarRow>& far = assigned_.far;
    far.insert(far.end(), block.far.rows().begin(), block.far.rows().end());
    FarRows::take_highest(far, a_.far_rows);
  }

 private:
  void tile(Index begin, Index count, Workspace& workspace, BlockSums& sums) const {
    const RowBlock rows = rows_.block(begin, count, workspace.rows);
    const HostView<float> P = rows_in(workspace.products, count, k_, packed_.padded());
    workspace.norms.resize(static_cast<std::size_t>(count));
    if (a_.X.sparse()) {
      kernels_.sparse_multiply({count, rows.indptr, rows.indices, rows.values},
                               panel_rows(packed_.panels(), d_, k_, kernels_), P);
    } else {
      const HostView<float> centred = rows_in(workspace.centred, count, d_, d_);
      kernels_.centre_rows(rows.dense, scale_, a_.origin.data(), centred, workspace.norms.data());
      kernels_.multiply_panels(rows_of(centred), packed_.panels(), P, false);
    }
    for (Index i = 0; i < count; ++i) {
      const Index label = a_.X.sparse() ? sparse_label(rows, i, P.row(i), workspace)
                                        : dense_label(rows, i, P.row(i), workspace);
      assigned_.labels[begin + i] = static_cast<std::int32_t>(label);
      add(rows, i, label, sums);
    }
  }

  // Finds the centres that may be nearest to a row of this many terms; `squared_norm` is ‖·‖² of
  // the multiplied vector. Distances within the rounding error of float64 count as equal.
  Index find_near(const float* products, double terms, double squared_norm,
                  Workspace& workspace) const {
    const double slack = 2 * upwards * rounding_of(terms) * std::sqrt(squared_norm);
    const double ties = 8 * double_rounding * static_cast<double>(d_ + 8);
    return kernels_.near_centers(products, packed_.bounds(), static_cast<float>(slack),
                                 static_cast<float>(ties * (squared_norm + packed_.origin())),
                                 workspace.found.data());
  }

  Index dense_label(const RowBlock& rows, Index i, const float* products,
                    Workspace& workspace) const {
    const Index count = find_near(products, static_cast<double>(d_), workspace.norms[i], workspace);
    return count == 1 ? workspace.found[0] : nearest(rows.dense.row(i), workspace.found, count);
  }

  Index sparse_label(const RowBlock& rows, Index i, const float* products,
                     Workspace& workspace) const {
    const auto first = static_cast<Index>(rows.indptr[i]);
    const auto end = static_cast<Index>(rows.indptr[i + 1]);
    const double norm = kernels_.dot(rows.values + first, rows.values + first, end - first);
    const Index count =
        find_near(products, static_cast<double>(end - first), norm * scale_ * scale_, workspace);
    if (count == 1) return workspace.found[0];
    workspace.dense.resize(static_cast<std::size_t>(d_));
    for (Index t = first; t < end; ++t) workspace.dense[rows.indices[t]] = rows.values[t];
    const Index label = nearest(workspace.dense.data(), workspace.found, count);
    for (Index t = first; t < end; ++t) workspace.dense[rows.indices[t]] = 0;
    return label;
  }

  Index nearest(const float* row, const std::vector<std::int32_t>& found, Index count) const {
    Index label = 0;
    double least = std::numeric_limits<double>::infinity();
    for (Index c = 0; c < count; ++c) {
      const double distance = kernels_.squared_distance(row, d_, scale_, a_.centers.row(found[c]));
      if (distance < least) {
        least = distance;
        label = found[c];
      }
    }
    return label;
  }

  void add(const RowBlock& rows, Index i, Index label, BlockSums& sums) const {
    const Index row = rows.begin + i;
    const double weight = a_.weights == nullptr ? 1.0 : a_.weights[row];
    double* to = sums.sums.data() + label * d_;
    if (sums.masses[label] == 0) std::fill_n(to, d_, 0.0);
    sums.masses[label] += weight;
    const double distance = a_.X.sparse()
                                ? add_sparse(rows, i, weight, label, to)
                                : kernels_.add_to_cluster(rows.dense.row(i), d_, scale_, weight,
                                                          a_.centers.row(label), to);
    sums.inertia += weight * distance;
    if (a_.far_rows == 0 || !(distance > 0)) return;
    const double rank = weight * distance;
    const double divisor = a_.draw == nullptr ? 1 : -std::log(a_.draw->uniform(row, 0));
    sums.far.add({row, distance, rank / divisor}, a_.far_rows);
  }

  // Σ (x − c)² = ‖c‖² + Σ x (x − 2c) over the non-zeros.
  double add_sparse(const RowBlock& rows, Index i, double weight, Index label, double* to) const {
    const double* center = a_.centers.row(label);
    double distance = squares_[label];
    const auto end = static_cast<Index>(rows.indptr[i + 1]);
    for (auto at = static_cast<Index>(rows.indptr[i]); at < end; ++at) {
      const Index t = rows.indices[at];
      const double x = scale_ * rows.values[at];
      distance += x * (x - 2 * center[t]);
      to[t] += weight * x;
    }
    return std::max(0.0, distance);
  }

  const Kernels& kernels_;
  const Assignment& a_;
  Assigned& assigned_;
  const Job& job_;
  const RowReader rows_;
  const Index k_;
  const Index d_;
  const double scale_;  // 2^-exponent
  const PackedCenters packed_;
  std::vector<double> squares_;  // ‖c‖² [k]; sparse X only
};

}  // namespace

void assign(const Kernels& kernels, const Assignment& assignment, Assigned& assigned,
            const Job& job) {
  std::ranges::fill(assigned.sums, 0.0);
  std::ranges::fill(assigned.masses, 0.0);
  assigned.inertia = 0;
  assigned.far.clear();
  const Assigning assigning(kernels, assignment, assigned, job);
  const std::vector<Index> firsts = row_blocks(assignment.X);
  std::vector<BlockSums> partial;
  std::vector<Workspace> workspaces(static_cast<std::size_t>(worker_count(job)));
  reduce_in_order(
      job, static_cast<Index>(firsts.size()) - 1, partial,
      [&](Index block, Index worker, BlockSums& sums) {
        assigning.block(firsts[block], firsts[block + 1] - firsts[block], workspaces[worker], sums);
      },
      [&](const BlockSums& sums) { assigning.merge(sums); });
}

}  // namespace gemmine::cpu
