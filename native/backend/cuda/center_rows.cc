#include "backend/cuda/center_rows.h"

#include <algorithm>
#include <cmath>

#include "backend/cuda/entry_table.h"
#include "backend/cuda/products.h"
#include "backend/cuda/row_stream.h"
#include "backend/far_rows.h"
#include "backend/label_bound.h"

namespace gemmine::cuda {
namespace {

using namespace label_bound;

std::vector<double> packed(HostView<const double> rows) {
  std::vector<double> values;
  for (Index i = 0; i < rows.rows; ++i)
    values.insert(values.end(), rows.row(i), rows.row(i) + rows.cols);
  return values;
}

class Assigning {
 public:
  Assigning(const std::shared_ptr<Device>& device, const Assignment& a, Assigned& assigned,
            Index most)
      : device_(*device),
        a_(a),
        assigned_(assigned),
        k_(a.centers.rows),
        d_(a.centers.cols),
        scale_(std::ldexp(1.0, -a.exponent)),
        centers_(device, packed(a.centers)),
        origin_(device, a.origin),
        squares_(device),
        lengths_(device),
        centred_centers_(device),
        centred_(device, most * d_),
        products_(device, most * k_),
        norms_(device, most),
        distances_(device, most),
        labels_(device, most),
        order_(device, most),
        starts_(device, k_ + 1),
        weights_(device, a.weights == nullptr ? 0 : most),
        sums_(device, k_ * d_) {
    std::vector<float> centred;
    std::vector<double> squares(static_cast<std::size_t>(k_));
    for (Index j = 0; j < k_; ++j)
      for (Index t = 0; t < d_; ++t) {
        const double c = a.centers(j, t) - a.origin[t];
        centred.push_back(static_cast<float>(c));
        squares[j] += c * c;
      }
    squares_.upload(squares);
    for (double& square : squares) square = std::sqrt(square);
    lengths_.upload(squares);
    centred_centers_.upload(centred);
    sums_.clear(k_ * d_);
  }

  // The rows first .. first + count − 1 of X.
  void block(Index first, Index count, In X) {
    find_labels(count, X);
    labels_.download(assigned_.labels.data() + first, count);
    const std::vector<double> distances = distances_.download(count);
    put_in_order({assigned_.labels.data() + first, static_cast<std::size_t>(count)});
    if (a_.weights != nullptr) weights_.upload(a_.weights + first, count);
    device_.run(kernels().cluster_sums,
                ClusterSums{.k = k_,
                            .cols = d_,
                            .X = X,
                            .scale = scale_,
                            .order = order_.data(),
                            .starts = starts_.data(),
                            .weights = a_.weights ? weights_.data() : nullptr,
                            .sums = sums_.data()});
    take(first, distances);
  }

  void finish() {
    sums_.download(assigned_.sums.data(), k_ * d_);
    assigned_.far = far_.rows();
    FarRows::take_highest(assigned_.far, a_.far_rows);
  }

 private:
  const EntryTable& kernels() const { return device_.table().entries; }

  void find_labels(Index count, In X) const {
    device_.run(kernels().centre_rows, CentreRows{.rows = count,
                                                  .cols = d_,
                                                  .X = X,
                                                  .scale = scale_,
                                                  .origin = origin_.data(),
                                                  .to = centred_.data(),
                                                  .norms = norms_.data()});
    multiply<float>(device_, Transposed::second, {centred_.data(), count, d_, d_},
                    {centred_centers_.data(), k_, d_, d_}, {products_.data(), count, k_, k_});
    device_.run(kernels().nearest_centers,
                NearestCenters{.rows = count,
                               .cols = d_,
                               .k = k_,
                               .X = X,
                               .scale = scale_,
                               .centers = centers_.data(),
                               .products = products_.data(),
                               .norms = norms_.data(),
                               .squares = squares_.data(),
                               .lengths = lengths_.data(),
                               .product_error = upwards * rounding_of(static_cast<double>(d_)),
                               .square_error = upwards * rounding_of(0),
                               .tie = 8 * double_rounding * static_cast<double>(d_ + 8),
                               .underflow = underflow,
                               .labels = labels_.data(),
                               .distances = distances_.data()});
  }

  // Rows of the block, cluster by cluster, ascending in each.
  void put_in_order(std::span<const std::int32_t> labels) {
    std::vector<std::int32_t> starts(static_cast<std::size_t>(k_ + 1)), order(labels.size());
    for (const std::int32_t label : labels) ++starts[label + 1];
    for (Index j = 0; j < k_; ++j) starts[j + 1] += starts[j];
    std::vector<std::int32_t> next(starts.begin(), starts.end() - 1);
    for (std::size_t i = 0; i < labels.size(); ++i)
      order[next[labels[i]]++] = static_cast<std::int32_t>(i);
    order_.upload(order);
    starts_.upload(starts);
  }

  void take(Index first, const std::vector<double>& distances) {
    double inertia = 0;
    for (std::size_t i = 0; i < distances.size(); ++i) {
      const Index row = first + static_cast<Index>(i);
      const double weight = a_.weights == nullptr ? 1.0 : a_.weights[row];
      const double rank = weight * distances[i];
      assigned_.masses[assigned_.labels[row]] += weight;
      inertia += rank;
      if (a_.far_rows == 0 || !(distances[i] > 0)) continue;
      const double divisor = a_.draw == nullptr ? 1 : -std::log(a_.draw->uniform(row, 0));
      far_.add({row, distances[i], rank / divisor}, a_.far_rows);
    }
    assigned_.inertia += inertia;
  }

  const Device& device_;
  const Assignment& a_;
  Assigned& assigned_;
  const Index k_, d_;
  const double scale_;  // 2^-exponent
  Array<double> centers_, origin_, squares_, lengths_;
  Array<float> centred_centers_;  // c − o [k×d]
  Array<float> centred_;          // x − o [block×d]
  Array<float> products_;         // [block×k]
  Array<double> norms_, distances_;
  Array<std::int32_t> labels_, order_, starts_;
  Array<double> weights_, sums_;
  FarRows far_;
};

}  // namespace

void assign_rows(const std::shared_ptr<Device>& device, const Assignment& assignment,
                 Assigned& assigned, const Job& job) {
  const auto turn = device->turn();
  std::ranges::fill(assigned.masses, 0.0);
  assigned.inertia = 0;
  RowStream rows(device, assignment.X, {.begin = 0, .count = assignment.X.rows()}, job);
  Assigning assigning(device, assignment, assigned, rows.most());
  rows.each_block(
      [&](Index block, In X) { assigning.block(rows.first(block), rows.count(block), X); });
  assigning.finish();
}

std::vector<double> candidate_potentials(const std::shared_ptr<Device>& device,
                                         const Candidates& candidates, HostView<double> distances,
                                         const Job& job) {
  const auto turn = device->turn();
  const Index count = candidates.points.rows, d = candidates.X.cols();
  RowStream rows(device, candidates.X, {.begin = 0, .count = candidates.X.rows()}, job);
  const Array<double> points(device, packed(candidates.points));
  Array<double> weights(device, candidates.weights == nullptr ? 0 : rows.most());
  const Array<double> found(device, rows.most() * count);
  std::vector<double> total(static_cast<std::size_t>(count));
  rows.each_block([&](Index block, In X) {
    const Index first = rows.first(block), here = rows.count(block);
    if (candidates.weights != nullptr) weights.upload(candidates.weights + first, here);
    const PointDistances request{.rows = here,
                                 .cols = d,
                                 .count = count,
                                 .X = X,
                                 .scale = std::ldexp(1.0, -candidates.exponent),
                                 .points = points.data(),
                                 .weights = candidates.weights ? weights.data() : nullptr,
                                 .to = found.data()};
    device->require(device->table().entries.point_distances(device->compute(), &request));
    const std::vector<double> there = found.download(here * count);
    for (Index i = 0; i < here; ++i)
      for (Index p = 0; p < count; ++p) {
        const double distance = there[i * count + p];
        distances(first + i, p) = distance;
        total[p] += std::min(candidates.nearest[first + i], distance);
      }
  });
  return total;
}

}  // namespace gemmine::cuda
