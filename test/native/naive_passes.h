#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "backend/passes.h"
#include "core/random.h"
#include "small_problems.h"

namespace test {

using namespace gemmine;

struct NaiveSums : Sums {
  NaiveSums(Index d, Index k) : Sums(d, k), cross(static_cast<std::size_t>(d * k)) {}
  std::vector<double> cross;
};

// Passes by its definitions: plain loops in float64 over whole matrices, one thread, one block. An
// oracle for the others that hides nothing from a debugger.
class NaivePasses : public Passes {
 public:
  using Cross = BackendView<const float>;
  using Factor = BackendView<float>;

  std::string name() const override { return "naive"; }
  std::shared_ptr<float[]> allocate(Index count) override {
    return std::shared_ptr<float[]>(new float[static_cast<std::size_t>(count)]());
  }
  void upload(HostView<const float> from, Factor to) override {
    for (Index i = 0; i < to.rows; ++i) std::copy_n(from.row(i), to.cols, to.row(i));
  }
  void download(Cross from, HostView<float> to) override {
    for (Index i = 0; i < to.rows; ++i) std::copy_n(from.row(i), to.cols, to.row(i));
  }

  SourceNorm examine(const RowSource& X, bool nonnegative, const Job&) override {
    double largest = 0;
    double smallest = std::numeric_limits<double>::infinity();
    each_entry(X, [&](Index row, Index col, double x) {
      if (!std::isfinite(x) || (nonnegative && x < 0))
        throw InvalidEntry(X.argument, row, col, x,
                           nonnegative ? "a finite number of at least 0" : "a finite number");
      largest = std::max(largest, std::abs(x));
      smallest = std::min(smallest, x);
    });
    SourceNorm norm{0, largest > 0 ? std::ilogb(largest) : 0, 0, smallest};
    each_entry(X, [&](Index, Index, double x) {
      const double scaled = std::ldexp(x, -norm.exponent);
      norm.squared_norm += scaled * scaled;
      norm.sum += scaled;
    });
    return norm;
  }

  std::unique_ptr<Sums> make_sums(Index d, Index k) override {
    return std::make_unique<NaiveSums>(d, k);
  }

  void pass(const Pass& pass, const Job& job) override {
    job.cancellation.check();
    for (const Group& group : pass.groups) run(pass, group, job);
  }

  void improve(const Step& step, const Sums& sums, const NormalMatrix& normal,
               std::span<const double> pull, Factor Ht, const Job& job) override {
    const std::vector<double>& S = naive(sums).cross;
    const Index k = Ht.cols;
    std::vector<float> rounded(S.size());
    for (Index t = 0; t < Ht.rows; ++t)
      for (Index j = 0; j < k; ++j)
        rounded[t * k + j] = static_cast<float>(S[t * k + j] + pull[j] * at(Ht, t, j));
    improve(step, Cross{rounded.data(), Ht.rows, k, k}, normal, Ht, job);
  }
  void improve(const Step& step, Cross cross, const NormalMatrix& N, Factor factor,
               const Job&) override {
    switch (step.kind) {
      case StepKind::nonnegative_sweep:
        return nonnegative_sweep(cross, N, step, factor);
      case StepKind::signed_sweep:
        return signed_sweep(cross, N, step, factor);
      case StepKind::multiplicative:
        return multiplicative_update(cross, N, step, factor);
      case StepKind::sign_split:
        return sign_split_update(cross, N, step, factor);
      case StepKind::solve:
        return solve_normal(cross, N, factor);
      case StepKind::nearest:
        return nearest_component(cross, N, factor);
      case StepKind::product:
        return copy(cross, factor);
    }
  }
  double inner(const Sums& sums, Cross Ht, const Job&) override {
    double sum = 0;
    for (Index t = 0; t < Ht.rows; ++t)
      for (Index j = 0; j < Ht.cols; ++j) sum += naive(sums).cross[t * Ht.cols + j] * at(Ht, t, j);
    return sum;
  }
  std::vector<double> cross(const Sums& sums) override { return naive(sums).cross; }

  std::vector<double> gram(Cross factor, const Job&) override {
    const Index k = factor.cols;
    std::vector<double> gram(static_cast<std::size_t>(k * k));
    for (Index i = 0; i < factor.rows; ++i)
      for (Index a = 0; a < k; ++a)
        for (Index b = 0; b < k; ++b)
          gram[a * k + b] += double{at(factor, i, a)} * at(factor, i, b);
    return gram;
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
  void scale_columns(std::span<const double> by, Factor factor, const Job&) override {
    each_element(factor, [&](float& x, Index, Index j) { x = static_cast<float>(x * by[j]); });
  }
  void shift(double value, Factor factor, const Job&) override {
    each_element(factor, [&](float& x, Index, Index) { x += static_cast<float>(value); });
  }
  void fill_random(Distribution distribution, double scale, std::uint64_t seed,
                   std::uint32_t stream, Factor factor, const Job&) override {
    const CounterRandom random(seed, stream);
    each_element(factor, [&](float& x, Index i, Index j) {
      const auto item = static_cast<std::uint32_t>(j);
      double draw =
          distribution == Distribution::uniform ? random.uniform(i, item) : random.normal(i, item);
      if (distribution == Distribution::half_normal) draw = std::abs(draw);
      x = static_cast<float>(scale * draw);
    });
  }
  void copy(Cross from, Factor to) override {
    for (Index i = 0; i < to.rows; ++i) std::copy_n(from.row(i), to.cols, to.row(i));
  }

  std::vector<double> symmetric_eigen(HostView<double> A) override {
    return oracle::symmetric_eigen(A);
  }
  void orthonormalise_rows(HostView<double> A) override { oracle::orthonormalise_rows(A); }

 protected:
  virtual void nonnegative_sweep(Cross cross, const NormalMatrix& N, const Step& options,
                                 Factor factor) {
    sweep(cross, N, options, factor, [&](double f, double minimum, double curvature) {
      const double step = minimum - options.l1 / 2 / curvature - f;
      return std::max(0.0, f + options.relaxation * step);
    });
  }
  void signed_sweep(Cross cross, const NormalMatrix& N, const Step& options, Factor factor) {
    sweep(cross, N, options, factor, [&](double, double minimum, double curvature) {
      const double threshold = options.l1 / 2 / curvature;
      return std::copysign(std::max(0.0, std::abs(minimum) - threshold), minimum);
    });
  }
  void multiplicative_update(Cross cross, const NormalMatrix& N, const Step& options,
                             Factor factor) {
    update(options.sweeps, N, factor, [&](Index i, Index j, double plus, double minus) {
      const double f = at(factor, i, j);
      const double below = plus - minus + options.l1 / 2 + options.l2 * f;
      return below > 0 ? f * std::max(0.0, double{at(cross, i, j)}) / below : 0;
    });
  }
  void sign_split_update(Cross cross, const NormalMatrix& N, const Step& options, Factor factor) {
    update(options.sweeps, N, factor, [&](Index i, Index j, double plus, double minus) {
      const double f = at(factor, i, j);
      const double c = at(cross, i, j);
      const double below = std::max(0.0, -c) + plus + options.l1 / 2 + options.l2 * f;
      return below > 0 ? f * std::sqrt((std::max(0.0, c) + minus) / below) : 0;
    });
  }
  void solve_normal(Cross cross, const NormalMatrix& N, Factor factor) {
    const auto& F = N.independent();
    const auto& L = N.cholesky();
    const Index m = static_cast<Index>(F.size());
    const Index k = N.size();
    std::vector<double> y(m);
    for (Index i = 0; i < factor.rows; ++i) {
      for (Index a = 0; a < m; ++a) {
        y[a] = at(cross, i, F[a]);
        for (const Index e : N.dependent()) y[a] -= at(factor, i, e) * N.gram()[e * k + F[a]];
        for (Index b = 0; b < a; ++b) y[a] -= L[a * m + b] * y[b];
        y[a] /= L[a * m + a];
      }
      for (Index a = m; a-- > 0;) {
        for (Index b = a + 1; b < m; ++b) y[a] -= L[b * m + a] * y[b];
        y[a] /= L[a * m + a];
        factor.row(i)[F[a]] = static_cast<float>(y[a]);
      }
    }
  }
  void nearest_component(Cross cross, const NormalMatrix& N, Factor factor) {
    for (Index i = 0; i < factor.rows; ++i) {
      Index best = 0;
      const auto score = [&](Index j) {
        return N.gram()[j * (N.size() + 1)] - 2.0 * at(cross, i, j);
      };
      for (Index j = 1; j < factor.cols; ++j)
        if (score(j) < score(best)) best = j;
      for (Index j = 0; j < factor.cols; ++j) factor.row(i)[j] = j == best ? 1.0f : 0.0f;
    }
  }

 private:
  static float at(Cross matrix, Index i, Index j) { return matrix.row(i)[j]; }

  template <class Visit>
  static void each_element(Factor factor, const Visit& visit) {
    for (Index i = 0; i < factor.rows; ++i)
      for (Index j = 0; j < factor.cols; ++j) visit(factor.row(i)[j], i, j);
  }

  static NaiveSums& naive(Sums& sums) { return dynamic_cast<NaiveSums&>(sums); }
  static const NaiveSums& naive(const Sums& sums) { return dynamic_cast<const NaiveSums&>(sums); }

  void run(const Pass& pass, const Group& group, const Job& job) {
    NaiveSums& sums = naive(group.sums);
    const Index k = group.Ht.cols;
    std::vector<double> product(static_cast<std::size_t>(pass.X.rows() * k));
    sums.incoming_residual = 0;
    std::vector<double> x(pass.X.cols());
    RowScratch scratch;
    const auto scaled_row = [&](Index i) {
      dense_row(pass.X, i, scratch, x);
      for (double& value : x) value = std::ldexp(value, -pass.exponent);
    };
    for (Index i = 0; i < pass.X.rows(); ++i) {
      scaled_row(i);
      for (Index t = 0; t < pass.X.cols(); ++t) {
        double fitted = 0;
        for (Index j = 0; j < k; ++j) {
          product[i * k + j] += x[t] * at(group.Ht, t, j);
          fitted += double{at(group.W, i, j)} * at(group.Ht, t, j);
        }
        sums.incoming_residual += (x[t] - fitted) * (x[t] - fitted);
      }
    }
    sums.incoming_gram = gram(group.W, job);
    sums.incoming_product = 0;
    for (Index i = 0; i < group.W.rows; ++i)
      for (Index j = 0; j < k; ++j) sums.incoming_product += product[i * k + j] * at(group.W, i, j);
    if (group.step) {
      std::vector<float> cross(product.begin(), product.end());
      improve(*group.step, Cross{cross.data(), group.W.rows, k, k}, group.normal, group.W, job);
    }
    if (!group.accumulate) return;
    sums.gram = gram(group.W, job);
    std::ranges::fill(sums.cross, 0.0);
    for (Index i = 0; i < pass.X.rows(); ++i) {
      scaled_row(i);
      for (Index t = 0; t < pass.X.cols(); ++t)
        for (Index j = 0; j < k; ++j) sums.cross[t * k + j] += x[t] * at(group.W, i, j);
    }
  }

  static void dense_row(const RowSource& X, Index row, RowScratch& scratch,
                        std::vector<double>& x) {
    const RowBlock block = X.block(row, 1, scratch);
    if (block.dense.data != nullptr) {
      std::copy_n(block.dense.data, x.size(), x.begin());
      return;
    }
    std::ranges::fill(x, 0.0);
    for (auto e = static_cast<Index>(block.indptr[0]); e < static_cast<Index>(block.indptr[1]); ++e)
      x[block.indices[e]] += block.values[e];
  }

  template <class Visit>
  static void each_entry(const RowSource& X, const Visit& visit) {
    RowScratch scratch;
    std::vector<double> x(X.cols());
    for (Index i = 0; i < X.rows(); ++i) {
      dense_row(X, i, scratch, x);
      for (Index t = 0; t < X.cols(); ++t) visit(i, t, x[t]);
    }
  }

  // (F N)_ij.
  static double fitted(const NormalMatrix& N, Factor factor, Index i, Index j) {
    double sum = 0;
    for (Index l = 0; l < N.size(); ++l) sum += at(factor, i, l) * N.gram()[l * N.size() + j];
    return sum;
  }

  template <class Next>
  static void sweep(Cross cross, const NormalMatrix& N, const Step& options, Factor factor,
                    const Next& next) {
    for (Index s = 0; s < options.sweeps; ++s)
      for (Index i = 0; i < factor.rows; ++i)
        for (Index j = 0; j < N.size(); ++j) {
          const double f = at(factor, i, j);
          const double curvature = N.gram()[j * (N.size() + 1)] + options.l2;
          if (curvature == 0) continue;
          const double slope = at(cross, i, j) - fitted(N, factor, i, j) - options.l2 * f;
          factor.row(i)[j] = static_cast<float>(next(f, f + slope / curvature, curvature));
        }
  }

  // Every entry of a row from the row as it was: plus = F N⁺, minus = F N⁻.
  template <class Ratio>
  static void update(Index sweeps, const NormalMatrix& N, Factor factor, const Ratio& next) {
    const Index k = N.size();
    std::vector<double> row(k);
    for (Index s = 0; s < sweeps; ++s)
      for (Index i = 0; i < factor.rows; ++i) {
        for (Index j = 0; j < k; ++j) {
          double plus = 0;
          double minus = 0;
          for (Index l = 0; l < k; ++l) {
            const double part = at(factor, i, l) * N.gram()[l * k + j];
            (part > 0 ? plus : minus) += std::abs(part);
          }
          row[j] = next(i, j, plus, minus);
        }
        std::copy(row.begin(), row.end(), factor.row(i));
      }
  }
};

}  // namespace test
