#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "backend/passes.h"
#include "core/random.h"
#include "naive_column_steps.h"
#include "small_problems.h"

namespace test {

using namespace gemmine;
using naive::at;

// A device's memory, and operations on whole factors by their definitions.
class NaiveFactors : public Passes {
 public:
  using Cross = BackendView<const float>;
  using Factor = BackendView<float>;

  std::shared_ptr<float[]> allocate(Index count) override {
    return std::shared_ptr<float[]>(new float[static_cast<std::size_t>(count)]());
  }
  void upload(HostView<const float> from, Factor to) override {
    for (Index i = 0; i < to.rows; ++i) std::copy_n(from.row(i), to.cols, to.row(i));
  }
  void download(Cross from, HostView<float> to) override {
    for (Index i = 0; i < to.rows; ++i) std::copy_n(from.row(i), to.cols, to.row(i));
  }
  void copy(Cross from, Factor to) override {
    for (Index i = 0; i < to.rows; ++i) std::copy_n(from.row(i), to.cols, to.row(i));
  }

  std::vector<double> gram(Cross factor, const Job&) override {
    return naive::weighted_gram(factor, {});
  }
  std::vector<double> cross_gram(Cross A, Cross B, const Job&) override {
    std::vector<double> gram(static_cast<std::size_t>(A.cols * B.cols));
    for (Index i = 0; i < A.rows; ++i)
      for (Index a = 0; a < A.cols; ++a)
        for (Index b = 0; b < B.cols; ++b)
          gram[a * B.cols + b] += double{at(A, i, a)} * at(B, i, b);
    return gram;
  }
  std::vector<double> weighted_gram(Cross factor, std::span<const float> weights,
                                    const Job&) override {
    return naive::weighted_gram(factor, weights);
  }
  double energy(const RowAddend& addend, Cross W, const Job&) override {
    double sum = 0;
    for (Index i = 0; i < W.rows; ++i)
      for (Index j = 0; j < W.cols; ++j) {
        const double w = at(W, i, j);
        sum += w * (double{at(addend.diagonal, i, 0)} * w - at(addend.numerators, i, j));
      }
    return addend.weight * sum;
  }
  ColumnSums column_sums(Cross factor, const Job&) override {
    ColumnSums sums{std::vector<double>(factor.cols), std::vector<double>(factor.cols)};
    for (Index i = 0; i < factor.rows; ++i)
      for (Index j = 0; j < factor.cols; ++j) {
        sums.absolute[j] += std::abs(double{at(factor, i, j)});
        sums.square[j] += double{at(factor, i, j)} * at(factor, i, j);
      }
    return sums;
  }
  ColumnParts column_parts(Cross factor, const Job&) override {
    const auto zeros = std::vector<double>(factor.cols);
    const float infinity = std::numeric_limits<float>::infinity();
    ColumnParts parts{zeros, zeros, zeros, zeros, {}, {}};
    parts.least.assign(factor.cols, infinity);
    parts.most.assign(factor.cols, -infinity);
    for (Index i = 0; i < factor.rows; ++i)
      for (Index j = 0; j < factor.cols; ++j) {
        const double x = at(factor, i, j);
        (x > 0 ? parts.positive : parts.negative)[j] += x * x;
        if (x != 0) (x > 0 ? parts.positives : parts.negatives)[j] += 1;
        parts.least[j] = std::min(parts.least[j], at(factor, i, j));
        parts.most[j] = std::max(parts.most[j], at(factor, i, j));
      }
    return parts;
  }
  ColumnRatios ratios_to_first(Cross factor, const Job&) override {
    ColumnRatios ratios{std::vector<double>(factor.cols), std::vector<double>(factor.cols)};
    for (Index i = 0; i < factor.rows; ++i)
      for (Index j = 0; j < factor.cols; ++j) {
        const double x = at(factor, i, j), first = at(factor, i, 0);
        const double infinity = std::numeric_limits<double>::infinity();
        if (x == 0) continue;
        ratios.least[j] = std::min(ratios.least[j], first > 0 ? x / first : -infinity);
        ratios.most[j] = std::max(ratios.most[j], first > 0 ? x / first : infinity);
      }
    return ratios;
  }
  void add_first(std::span<const double> shares, double scale, Factor factor, const Job&) override {
    for (Index i = 0; i < factor.rows; ++i) {
      const double first = at(factor, i, 0);
      for (Index j = 0; j < factor.cols; ++j)
        factor.row(i)[j] = static_cast<float>(scale * (at(factor, i, j) + shares[j] * first));
    }
  }
  void lift_rows(double scale, double least, Factor factor, const Job&) override {
    for (Index i = 0; i < factor.rows; ++i) {
      double lowest = 0;
      for (Index j = 0; j + 1 < factor.cols; ++j)
        lowest = std::min(lowest, scale * at(factor, i, j));
      for (Index j = 0; j + 1 < factor.cols; ++j)
        factor.row(i)[j] = static_cast<float>(scale * at(factor, i, j) + (least - lowest));
      factor.row(i)[factor.cols - 1] = static_cast<float>(least - lowest);
    }
  }
  void clamp(float least, float most, Factor factor, const Job&) override {
    each_element(factor, [&](float& x, Index, Index) {
      x = x < least ? least : x > most ? most : x;
    });
  }
  void scale_columns(std::span<const double> by, Factor factor, const Job&) override {
    each_element(factor, [&](float& x, Index, Index j) { x = static_cast<float>(x * by[j]); });
  }
  void keep_largest(Index count, Factor factor, const Job&) override {
    for (Index j = 0; j < factor.cols && count < factor.rows; ++j) {
      std::vector<float> sizes;
      for (Index i = 0; i < factor.rows; ++i) sizes.push_back(std::abs(at(factor, i, j)));
      std::ranges::sort(sizes, std::greater<>());
      for (Index i = 0; i < factor.rows; ++i)
        if (std::abs(at(factor, i, j)) < sizes[count - 1]) factor.row(i)[j] = 0;
    }
  }
  void multiply(Cross A, HostView<const double> B, Factor to, const Job&) override {
    std::vector<double> row(static_cast<std::size_t>(A.cols));
    for (Index i = 0; i < to.rows; ++i) {
      for (Index l = 0; l < A.cols; ++l) row[l] = at(A, i, l);
      for (Index j = 0; j < to.cols; ++j) {
        double sum = 0;
        for (Index l = 0; l < A.cols; ++l) sum += row[l] * B(l, j);
        to.row(i)[j] = static_cast<float>(sum);
      }
    }
  }
  void gather_rows(Cross from, std::span<const Index> rows, Factor to, const Job&) override {
    each_element(to, [&](float& x, Index i, Index j) { x = at(from, rows[i], j); });
  }
  void indicate(std::span<const std::int32_t> labels, float rest, Factor factor,
                const Job&) override {
    each_element(factor, [&](float& x, Index i, Index j) { x = labels[i] == j ? rest + 1 : rest; });
  }
  void shift(double value, Factor factor, const Job&) override {
    each_element(factor, [&](float& x, Index, Index) { x += static_cast<float>(value); });
  }
  void extrapolate(const Extrapolated& by, Factor factor, const Job&) override {
    each_element(factor, [&](float& x, Index i, Index j) {
      float& previous = by.previous.row(i)[j];
      const float now = x;
      const float change = static_cast<float>(by.share) * (now - previous);
      if (by.kind == Extrapolation::free) x = now + change;
      if (by.kind == Extrapolation::nonnegative) x = std::max(0.0f, now + change);
      if (by.kind == Extrapolation::growth) x = now + std::max(0.0f, change);
      x = std::min(x, static_cast<float>(by.upper));
      previous = now;
    });
  }
  void fill_random(const Draws& draws, Factor factor, const Job&) override {
    each_element(factor, [&](float& x, Index i, Index j) { x = drawn(draws, i, j); });
  }
  void raise_small(float smallest, const Draws& draws, Factor factor, const Job&) override {
    each_element(factor, [&](float& x, Index i, Index j) {
      if (x <= smallest) x = drawn(draws, i, j);
    });
  }

  std::vector<double> symmetric_eigen(HostView<double> A) override {
    return oracle::symmetric_eigen(A);
  }
  std::vector<double> symmetric_eigen(HostView<double> A, HostView<double> N) override {
    return oracle::symmetric_eigen(A, N);
  }
  void orthonormalise_rows(HostView<double> A, const Job&) override {
    oracle::orthonormalise_rows(A);
  }

 protected:
  static float drawn(const Draws& draws, Index i, Index j) {
    const CounterRandom random(draws.seed, draws.stream);
    const Index row = draws.first_row + i;
    const auto item = static_cast<std::uint32_t>(j);
    double value = 1;
    if (draws.distribution == Distribution::uniform) value = random.uniform(row, item);
    if (draws.distribution == Distribution::normal) value = random.normal(row, item);
    if (draws.distribution == Distribution::half_normal) value = std::abs(random.normal(row, item));
    return static_cast<float>(draws.scale * value);
  }

  template <class Visit>
  static void each_element(Factor factor, const Visit& visit) {
    for (Index i = 0; i < factor.rows; ++i)
      for (Index j = 0; j < factor.cols; ++j) visit(factor.row(i)[j], i, j);
  }
};

}  // namespace test
