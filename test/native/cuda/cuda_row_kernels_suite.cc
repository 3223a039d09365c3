// Every kernel over rows of factors under a loss by entries, and over rows and centres, on the
// emulated GPU against its formula. As cuda_kernels_suite.cc, it also runs under sanitizers and
// with planted mistakes.
#include <algorithm>
#include <cmath>
#include <vector>

#include "cuda/kernel_bench.h"
#include "cuda/sparse_scene.h"
#include "entry_oracle.h"

namespace {

using namespace test;

// ---- Rows.

void rows_are_weighed(Index n) {
  Bench b;
  const EntryTable& kernels = b.device->table().entries;
  std::vector<float> weights(n);
  std::vector<double> measured(n);
  for (Index i = 0; i < n; ++i) {
    weights[i] = static_cast<float>(i % 3);
    measured[i] = static_cast<double>(i * i % 17) / 4;
  }
  const Array<float> weights_there(b.device, weights);
  const Array<double> measured_there(b.device, measured), partial(b.device, sum_blocks),
      shares(b.device, n);
  for (const LossKind kind : {LossKind::huber, LossKind::row_length, LossKind::row_correntropy}) {
    const bool of_rows = kind != LossKind::huber;
    const double p = 1.25;
    const Loss loss{kind, 2, 1, p};
    double expected = 0;
    partial.clear(sum_blocks);
    for (int twice = 0; twice < 2; ++twice)  // it adds
      b.run(kernels.sum_row_measures,
            {n, of_rows, static_cast<EntryLoss>(kind), 0, p, weights_there.data(),
             measured_there.data(), partial.data()});
    for (Index i = 0; i < n; ++i) {
      const double t = std::sqrt(measured[i]);
      const double of_row = kind == LossKind::huber ? measured[i]
                            : kind == LossKind::row_length
                                ? (t < p ? (t * t + p * p) / (2 * p) : t)
                                : -p * p * std::expm1(-t * t / (2 * p * p));
      expected += 2 * weights[i] * of_row;
    }
    double sum = 0;
    for (const double part : partial.download()) sum += part;
    near(sum, expected, 1e-12 * (1 + expected), "sum_row_measures");
    for (const bool of_codes : {false, true}) {
      b.run(kernels.row_shares, {n, static_cast<EntryLoss>(kind), of_codes, p, weights_there.data(),
                                 of_rows ? measured_there.data() : nullptr, shares.data()});
      const std::vector<double> found = shares.download();
      for (Index i = 0; i < n; ++i) {
        const double weight = of_codes && weights[i] == 0 ? 1 : double{weights[i]};
        const double bound = of_rows ? oracle::square_weight(std::sqrt(measured[i]), loss) : 1;
        near(found[i], weight * bound, 1e-14, "row_shares");
      }
    }
  }
}

void ratios_agree(Index n, Index k, bool wide, bool by_column, double exponent) {
  Bench b;
  const There F(b.device, n, k, 1, true), above(b.device, n, k, 2, true),
      below(b.device, n, k, 3, true), numerators(b.device, n, k, 4, true),
      diagonal(b.device, n, 1, 5, true);
  std::vector<double> sums(k), shares(n), wide_above(n * k), wide_below(n * k);
  for (Index j = 0; j < k; ++j) sums[j] = 1 + static_cast<double>(j);
  for (Index i = 0; i < n; ++i) {
    shares[i] = 0.5 + static_cast<double>(i % 3);
    for (Index j = 0; j < k; ++j) {
      wide_above[i * k + j] = (i + j) % 7 == 3 ? 0 : above(i, j) + 1;
      wide_below[i * k + j] = below(i, j) + 2;
    }
  }
  const Array<double> sums_there(b.device, sums), shares_there(b.device, shares),
      above_there(b.device, wide_above), below_there(b.device, wide_below);
  b.run(b.device->table().entries.ratio_update,
        {n,
         k,
         {wide ? nullptr : above.array.data(), above.stride},
         {wide || by_column ? nullptr : below.array.data(), below.stride},
         above_there.data(),
         wide && !by_column ? below_there.data() : nullptr,
         sums_there.data(),
         shares_there.data(),
         0.5,
         {wide ? nullptr : numerators.array.data(), numerators.stride},
         diagonal.in(),
         0.1,
         0.2,
         exponent,
         1.5,
         F.out()});
  expect_entries(F, "ratio_update", 1e-6, [&](Index i, Index j) {
    const double f = F(i, j);
    double a = wide ? wide_above[i * k + j] : double{above(i, j)};
    double under = by_column ? shares[i] * sums[j] : wide ? wide_below[i * k + j] : below(i, j);
    if (!wide) {
      a += 0.5 * numerators(i, j);
      under += 0.5 * diagonal(i, 0) * f;
    }
    return std::min(1.5, f * std::pow(a / (under + 0.1 + 0.2 * f), exponent));
  });
}

// Sweeps over one row, from its factor, its cross product and its triangle.
std::vector<double> swept(const OwnSweep& r, const float* start, const float* cross,
                          const float* triangle) {
  const Index k = r.k;
  std::vector<double> f(start, start + k), c(k);
  const auto N = [&](Index a, Index e) {
    const Index low = std::min(a, e), high = std::max(a, e);
    const double value = triangle[low * k - low * (low - 1) / 2 + (high - low)];
    return a == e ? value * (1 + r.pull) : value;
  };
  for (Index j = 0; j < k; ++j) c[j] = cross[j] + (N(j, j) - N(j, j) / (1 + r.pull)) * f[j];
  for (Index sweep = 0; sweep < r.sweeps * k; ++sweep) {
    const Index j = sweep % k;
    const double l2 = double{r.l2};
    if (N(j, j) + l2 == 0) continue;
    double slope = c[j] - l2 * f[j];
    for (Index e = 0; e < k; ++e) slope -= N(j, e) * f[e];
    if (r.signed_factor != 0) {
      const double target = slope + N(j, j) * f[j];
      f[j] = std::copysign(std::max(0.0, std::abs(target) - 0.05), target) / N(j, j);
    } else {
      f[j] = std::clamp(f[j] + 1.2 * (slope - 0.05) / (N(j, j) + l2), 0.0, 0.6);
    }
  }
  return f;
}

void own_sweeps_agree(Index n, Index k, bool wide, bool of_any_sign) {
  Bench b;
  const EntryTable& kernels = b.device->table().entries;
  const Index size = k * (k + 1) / 2;
  const There F(b.device, n, k, 1, !of_any_sign), other(b.device, n * 3, k, 2);
  // N of a row is the sum of three outer products and of the identity; the third component of every
  // fifth row has none.
  const Array<float> pairs(b.device, 3 * n * size);
  b.run(kernels.pairs, {3 * n, k, other.in(), 2.0, pairs.data()});
  const std::vector<float> products = pairs.download();
  std::vector<float> cross(n * k), triangles(n * size);
  for (Index i = 0; i < n; ++i)
    for (Index a = 0, at = 0; a < k; ++a) {
      cross[i * k + a] = other(i, a) + 0.5f;
      for (Index c = a; c < k; ++c, ++at) {
        for (Index t = 3 * i; t < 3 * i + 3; ++t) {
          near(products[t * size + at], (a == c ? 1 : 2) * other(t, a) * other(t, c), 1e-5,
               "pairs");
          triangles[i * size + at] += other(t, a) * other(t, c);
        }
        triangles[i * size + at] += a == c ? 1.0f : 0.0f;
        if (i % 5 == 4 && (a == 2 || c == 2)) triangles[i * size + at] = 0;
      }
    }
  const double pull = wide ? 0.01 : 0;
  const Array<float> cross_there(b.device, cross), triangles_there(b.device, triangles);
  const Array<double> wide_cross(b.device, {cross.begin(), cross.end()});
  const Array<double> wide_triangles(b.device, {triangles.begin(), triangles.end()});
  const OwnSweep request{.rows = n,
                         .k = k,
                         .cross = wide ? nullptr : cross_there.data(),
                         .triangles = wide ? nullptr : triangles_there.data(),
                         .wide_cross = wide_cross.data(),
                         .wide_triangles = wide_triangles.data(),
                         .pull = pull,
                         .sweeps = 3,
                         .half_l1 = 0.05f,
                         .l2 = of_any_sign ? 0.0f : 0.1f,
                         .relaxation = of_any_sign ? 1.0f : 1.2f,
                         .signed_factor = of_any_sign,
                         .upper = of_any_sign ? HUGE_VAL : 0.6,
                         .factor = F.out()};
  b.run(kernels.own_sweep, request);
  const std::vector<float> found = F.now("own_sweep");
  for (Index i = 0; i < n; ++i) {
    const std::vector<double> f =
        swept(request, &F.values[i * F.stride], &cross[i * k], &triangles[i * size]);
    for (Index j = 0; j < k; ++j) near(found[i * k + j], f[j], 2e-4, "own_sweep");
  }
}

void row_squares_agree(const SparseScene& s) {
  Bench b;
  const EntryTable& kernels = b.device->table().entries;
  const SparseThere X(b.device, s);
  const There dense(b.device, s.count, s.d, 6);
  std::vector<double> wide(s.count * s.d);
  for (std::size_t i = 0; i < wide.size(); ++i) wide[i] = std::cos(static_cast<double>(i));
  const Array<double> wide_there(b.device, wide), to(b.device, s.count);
  const auto agree = [&](const double* doubles, const float* x, const std::int64_t* starts,
                         const auto& entry) {
    b.run(kernels.row_squares,
          {s.count, s.d, doubles, x, dense.stride, starts, X.rows().first_entry, 0.5, to.data()});
    const std::vector<double> found = to.download();
    for (Index i = 0; i < s.count; ++i) {
      double sum = 0;
      for (Index t = 0; t < s.d; ++t) sum += 0.25 * entry(i, t) * entry(i, t);
      near(found[i], sum, 1e-13 * (1 + sum), "row_squares");
    }
  };
  agree(wide_there.data(), nullptr, nullptr, [&](Index i, Index t) { return wide[i * s.d + t]; });
  agree(nullptr, dense.array.data(), nullptr,
        [&](Index i, Index t) { return double{dense(i, t)}; });
  agree(nullptr, X.values(), X.rows().starts, [&](Index i, Index t) { return double{s.at(i, t)}; });
}

// ---- Centres.

// The index of the nearest centre to row i of X / 2, and its squared distance.
std::pair<Index, double> nearest(const There& X, Index i, const std::vector<double>& centers) {
  std::pair<Index, double> found{0, HUGE_VAL};
  for (Index j = 0; j * X.cols < static_cast<Index>(centers.size()); ++j) {
    double sum = 0;
    for (Index t = 0; t < X.cols; ++t) sum += std::pow(0.5 * X(i, t) - centers[j * X.cols + t], 2);
    if (sum < found.second) found = {j, sum};
  }
  return found;
}

// Rows and centres of a grid, some of them equal: distances are exact, and many are ties.
void centers_agree(Index n, Index d, Index k, double offset) {
  Bench b;
  const EntryTable& kernels = b.device->table().entries;
  const There X(b.device, n, d, 1);
  There rows(b.device, n, d, 2);
  std::vector<double> centers(k * d), origin(d, offset / 2);
  for (Index i = 0; i < n; ++i)
    for (Index t = 0; t < d; ++t)
      rows.values[i * rows.stride + t] = static_cast<float>(offset + std::round(2 * X(i, t)));
  rows.array.upload(rows.values);
  for (Index j = 0; j < k; ++j)
    for (Index t = 0; t < d; ++t)
      centers[j * d + t] = rows((j - j % 2) * 3 % n, t) / 2 + j % 2 / 2.0;
  const Array<double> centers_there(b.device, centers), origin_there(b.device, origin);
  const Array<float> centred(b.device, n * d);
  const Array<double> norms(b.device, n), distances(b.device, n);
  const Array<std::int32_t> labels(b.device, n);
  b.run(kernels.centre_rows,
        {n, d, rows.in(), 0.5, origin_there.data(), centred.data(), norms.data()});
  const std::vector<float> c = centred.download();
  std::vector<float> p(n * k);
  std::vector<double> s(k), expected_norms(n);
  for (Index i = 0; i < n; ++i)
    for (Index t = 0; t < d; ++t) {
      near(c[i * d + t], static_cast<float>(0.5 * rows(i, t) - origin[t]), 0, "centre_rows");
      expected_norms[i] += double{c[i * d + t]} * c[i * d + t];
    }
  for (Index j = 0; j < k; ++j)
    for (Index t = 0; t < d; ++t) {
      const double of_center = centers[j * d + t] - origin[t];
      s[j] += of_center * of_center;
      for (Index i = 0; i < n; ++i) p[i * k + j] += static_cast<float>(c[i * d + t] * of_center);
    }
  const std::vector<double> found_norms = norms.download();
  for (Index i = 0; i < n; ++i) {
    near(found_norms[i], expected_norms[i], 1e-12 * (1 + expected_norms[i]), "norms of rows");
    // What float32 may be wrong by, where no sum of small integers is.
    for (Index j = 0; j < k; ++j)
      p[i * k + j] +=
          static_cast<float>((j % 2 == 0 ? 1 : -1) * 0.2 * std::sqrt(expected_norms[i] * s[j]));
  }
  const Array<float> p_there(b.device, p);
  std::vector<double> lengths;
  for (const double square : s) lengths.push_back(std::sqrt(square));
  const Array<double> squares(b.device, s), lengths_there(b.device, lengths);
  b.run(kernels.nearest_centers, {n, d, k, rows.in(), 0.5, centers_there.data(), p_there.data(),
                                  norms.data(), squares.data(), lengths_there.data(), 0.25, 1e-6,
                                  1e-14, 1e-20, labels.data(), distances.data()});
  const std::vector<std::int32_t> found = labels.download();
  const std::vector<double> of_rows = distances.download();
  for (Index i = 0; i < n; ++i) {
    const auto [label, distance] = nearest(rows, i, centers);
    check(found[i] == label, "nearest_centers: a label");
    near(of_rows[i], distance, 1e-12 * (1 + distance), "nearest_centers: a distance");
  }
}

void rows_of_clusters_are_summed(Index n, Index d, Index k) {
  Bench b;
  const EntryTable& kernels = b.device->table().entries;
  const There X(b.device, n, d, 1);
  std::vector<std::int32_t> order, starts{0};
  std::vector<double> weights(n), points(5 * d), before(k * d, 0.5);
  for (Index j = 0; j < k; ++j) {
    for (Index i = 0; i < n; ++i)
      if (i * 7 % k == j && j % 4 != 2) order.push_back(static_cast<std::int32_t>(i));
    starts.push_back(static_cast<std::int32_t>(order.size()));
  }
  order.resize(n);
  for (Index i = 0; i < n; ++i) weights[i] = 0.5 + static_cast<double>(i % 3);
  for (Index t = 0; t < 5 * d; ++t) points[t] = std::sin(static_cast<double>(t));
  const Array<std::int32_t> order_there(b.device, order), starts_there(b.device, starts);
  const Array<double> weights_there(b.device, weights), sums(b.device, before),
      points_there(b.device, points), distances(b.device, n * 5);
  b.run(kernels.cluster_sums, {k, d, X.in(), 0.25, order_there.data(), starts_there.data(),
                               weights_there.data(), sums.data()});
  const std::vector<double> found = sums.download();
  for (Index j = 0; j < k; ++j)
    for (Index t = 0; t < d; ++t) {
      double sum = 0.5;
      for (Index place = starts[j]; place < starts[j + 1]; ++place)
        sum += weights[order[place]] * 0.25 * X(order[place], t);
      near(found[j * d + t], sum, 1e-13, "cluster_sums");
    }
  b.run(kernels.point_distances,
        {n, d, 5, X.in(), 0.25, points_there.data(), weights_there.data(), distances.data()});
  const std::vector<double> measured = distances.download();
  for (Index i = 0; i < n; ++i)
    for (Index p = 0; p < 5; ++p) {
      double sum = 0;
      for (Index t = 0; t < d; ++t) sum += std::pow(0.25 * X(i, t) - points[p * d + t], 2);
      near(measured[i * 5 + p], weights[i] * sum, 1e-12 * (1 + sum), "point_distances");
    }
}

}  // namespace

int main() {
  for (const SparseScene& s : {SparseScene(40, 9, 7, 25), SparseScene(150, 70, 30, 90)})
    row_squares_agree(s);
  for (const Index n : {1, 70, 300}) rows_are_weighed(n);
  for (const bool wide : {false, true})
    for (const bool other : {false, true}) {
      ratios_agree(37, 5, wide, other, 1);
      ratios_agree(37, 5, wide, other, 0.5);
      own_sweeps_agree(11, 5, wide, other);
      own_sweeps_agree(3, 40, wide, other);
    }
  centers_agree(50, 3, 9, 0);
  centers_agree(120, 40, 70, 64);
  rows_of_clusters_are_summed(60, 5, 9);
  rows_of_clusters_are_summed(90, 150, 4);
  check_emulation("the row kernels suite");
  return report("cuda row kernels");
}
