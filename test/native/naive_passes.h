#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "backend/passes.h"
#include "core/random.h"
#include "naive_labels.h"
#include "naive_steps.h"
#include "small_problems.h"

namespace test {

using namespace gemmine;
using naive::at;
using naive::weight;

struct NaiveSums : Sums {
  NaiveSums(Index d, Index k) : Sums(d, k), cross(static_cast<std::size_t>(d * k)) {}
  std::vector<double> cross;
  std::vector<double> denominators;  // [d×k]
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

  SourceNorm examine(const Examined& examined, const Job&) override {
    const RowSource& X = examined.X;
    double largest = 0;
    SourceNorm norm{0, 0, 0, std::numeric_limits<double>::infinity(), 0};
    each_entry(X, examined.mask, [&](Index row, Index col, double x) {
      const bool fits = examined.sign == EntrySign::any ||
                        (examined.sign == EntrySign::positive ? x > 0 : x >= 0);
      if (!std::isfinite(x)) throw InvalidEntry(X.argument, row, col, x, "a finite number");
      if (!fits)
        throw InvalidEntry(
            X.argument, row, col, x,
            examined.sign == EntrySign::positive ? "a positive number" : "a non-negative number");
      largest = std::max(largest, std::abs(x));
      norm.smallest = std::min(norm.smallest, x);
      norm.count += 1;
    });
    norm.exponent = largest > 0 ? std::ilogb(largest) : 0;
    each_entry(X, examined.mask, [&](Index row, Index, double x) {
      const double scaled = std::ldexp(x, -norm.exponent);
      norm.squared_norm += weight(examined.row_weights, row) * scaled * scaled;
      norm.sum += scaled;
    });
    return norm;
  }

  std::unique_ptr<Sums> make_sums(Index d, Index k) override {
    return std::make_unique<NaiveSums>(d, k);
  }

  void pass(const Pass& pass, const Job& job) override {
    job.cancellation.check();
    for (const Group& group : pass.groups) {
      const std::vector<Entry> entries = entries_of(pass, group);
      if (pass.loss.kind == LossKind::frobenius)
        run(pass, group, entries, job);
      else
        run_ratios(pass, group, entries);
    }
  }

  void improve(const Step& step, const Sums& sums, const NormalMatrix& normal,
               std::span<const double> pull, Factor Ht, const Job& job) override {
    const std::vector<double>& S = own(sums).cross;
    const Index k = Ht.cols;
    if (step.kind == StepKind::cayley) return naive::cayley(S, step.sweeps, Ht);
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
        return naive::signed_sweep(cross, N, step, factor);
      case StepKind::multiplicative:
        return naive::multiplicative_update(cross, N, step, factor);
      case StepKind::sign_split:
        return naive::sign_split_update(cross, N, step, factor);
      case StepKind::solve:
        return naive::solve_normal(cross, N, factor);
      case StepKind::ratio:
        return expect(false, "a ratio step has denominators of its own");
      case StepKind::product:
        return copy(cross, factor);
      case StepKind::project:
        return naive::project(cross, step, factor);
      case StepKind::cayley:
        return expect(false, "a Cayley step sees all rows at once");
    }
  }
  void improve_by_ratio(const Step& step, const Sums& sums, Factor Ht, const Job&) override {
    const NaiveSums& of = own(sums);
    for (Index t = 0; t < Ht.rows; ++t)
      for (Index j = 0; j < Ht.cols; ++j)
        naive::scale_by_ratio(step, of.cross[t * Ht.cols + j], of.denominators[t * Ht.cols + j],
                              Ht.row(t)[j]);
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
  double inner(const Sums& sums, Cross Ht, const Job&) override {
    double sum = 0;
    for (Index t = 0; t < Ht.rows; ++t)
      for (Index j = 0; j < Ht.cols; ++j) sum += own(sums).cross[t * Ht.cols + j] * at(Ht, t, j);
    return sum;
  }
  std::vector<double> cross(const Sums& sums) override { return own(sums).cross; }

  // Coordinate descent from W until it stands still.
  void settle_codes(const LeastSquares& problem, Factor W, const Job&) override {
    const Index k = W.cols;
    RowScratch scratch;
    std::vector<double> x(problem.X.cols());
    for (Index i = 0; i < W.rows; ++i) {
      naive::dense_row(problem.X, i, scratch, x);
      std::vector<double> cross(k, -problem.l1 / 2);
      std::vector<double> w(k);
      for (Index j = 0; j < k; ++j) {
        w[j] = at(W, i, j);
        for (Index t = 0; t < problem.X.cols(); ++t)
          cross[j] += std::ldexp(x[t], -problem.exponent) * at(problem.Ht, t, j);
      }
      naive::descend(problem, cross, w);
      for (Index j = 0; j < k; ++j) W.data[i * W.stride + j] = static_cast<float>(w[j]);
    }
  }
  std::vector<double> gram(Cross factor, const Job&) override {
    return naive::weighted_gram(factor, {});
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
  void keep_largest(Index count, Factor factor, const Job&) override {
    for (Index j = 0; j < factor.cols && count < factor.rows; ++j) {
      std::vector<float> sizes;
      for (Index i = 0; i < factor.rows; ++i) sizes.push_back(std::abs(at(factor, i, j)));
      std::ranges::sort(sizes, std::greater<>());
      for (Index i = 0; i < factor.rows; ++i)
        if (std::abs(at(factor, i, j)) < sizes[count - 1]) factor.row(i)[j] = 0;
    }
  }
  void shift(double value, Factor factor, const Job&) override {
    each_element(factor, [&](float& x, Index, Index) { x += static_cast<float>(value); });
  }
  void extrapolate(const Extrapolated& by, Factor factor, const Job&) override {
    each_element(factor, [&](float& x, Index i, Index j) {
      float& previous = by.previous.row(i)[j];
      const float now = x;
      const float moved = now + static_cast<float>(by.share) * (now - previous);
      x = by.nonnegative ? std::max(0.0f, moved) : moved;
      previous = now;
    });
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

  void multiply_in_float64(const RowSource& X, int exponent, HostView<const double> B, Factor to,
                           const Job&) override {
    naive_product(X, exponent, B, to);
  }
  void assign(const Assignment& assignment, Assigned& assigned, const Job&) override {
    naive_assign(assignment, assigned);
  }
  std::vector<double> potentials(const Candidates& candidates, HostView<double> distances,
                                 const Job&) override {
    return naive_potentials(candidates, distances);
  }

  std::vector<double> symmetric_eigen(HostView<double> A) override {
    return oracle::symmetric_eigen(A);
  }
  void orthonormalise_rows(HostView<double> A) override { oracle::orthonormalise_rows(A); }

 protected:
  virtual void nonnegative_sweep(Cross cross, const NormalMatrix& N, const Step& options,
                                 Factor factor) {
    naive::nonnegative_sweep(cross, N, options, factor);
  }

 private:
  template <class Visit>
  static void each_element(Factor factor, const Visit& visit) {
    for (Index i = 0; i < factor.rows; ++i)
      for (Index j = 0; j < factor.cols; ++j) visit(factor.row(i)[j], i, j);
  }

  static NaiveSums& own(Sums& sums) { return dynamic_cast<NaiveSums&>(sums); }
  static const NaiveSums& own(const Sums& sums) { return dynamic_cast<const NaiveSums&>(sums); }

  // An entry of X that counts, scaled and with noise.
  struct Entry {
    Index row;
    Index column;
    double x;
  };

  static std::vector<Entry> entries_of(const Pass& pass, const Group& group) {
    std::vector<Entry> entries;
    each_entry(pass.X, group.mask, [&](Index row, Index column, double x) {
      const auto given = static_cast<float>(x);
      const float noisy =
          group.noise.amplitude == 0 ? given : perturbed(given, group.noise, row, column);
      entries.push_back({row, column, std::ldexp(noisy, -pass.exponent)});
    });
    return entries;
  }

  static double model(Factor W, Cross Ht, const Entry& entry) {
    double v = 0;
    for (Index j = 0; j < W.cols; ++j) v += double{at(W, entry.row, j)} * at(Ht, entry.column, j);
    return v;
  }

  static void measure_residual(const Pass& pass, const Group& group,
                               const std::vector<Entry>& entries) {
    group.sums.incoming_residual = 0;
    for (const Entry& entry : entries) {
      const double r = entry.x - model(group.W, group.Ht, entry);
      group.sums.incoming_residual += weight(pass.row_weights, entry.row) * r * r;
    }
  }

  void run(const Pass& pass, const Group& group, const std::vector<Entry>& entries,
           const Job& job) {
    NaiveSums& sums = own(group.sums);
    const Index k = group.Ht.cols;
    const Index n = group.W.rows;
    measure_residual(pass, group, entries);
    std::vector<double> product(static_cast<std::size_t>(n * k));
    for (const Entry& entry : entries)
      for (Index j = 0; j < k; ++j)
        product[entry.row * k + j] += entry.x * at(group.Ht, entry.column, j);
    sums.incoming_gram = naive::weighted_gram(group.W, pass.row_weights);
    sums.incoming_product = 0;
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < k; ++j)
        sums.incoming_product +=
            weight(pass.row_weights, i) * product[i * k + j] * at(group.W, i, j);
    if (group.step && group.addend) improve_with_addend(group, product, job);
    if (group.step && !group.addend) {
      std::vector<float> cross(product.begin(), product.end());
      improve(*group.step, Cross{cross.data(), n, k, k}, group.normal, group.W, job);
    }
    if (group.extrapolated) extrapolate(*group.extrapolated, group.W, job);
    if (!group.accumulate) return;
    sums.gram = naive::weighted_gram(group.W, pass.row_weights);
    std::ranges::fill(sums.cross, 0.0);
    for (const Entry& entry : entries)
      for (Index j = 0; j < k; ++j)
        sums.cross[entry.column * k + j] +=
            weight(pass.row_weights, entry.row) * entry.x * at(group.W, entry.row, j);
  }

  // Row by row: each has a normal matrix of its own.
  void improve_with_addend(const Group& group, const std::vector<double>& product, const Job& job) {
    const RowAddend& addend = *group.addend;
    const Index k = group.W.cols;
    std::vector<float> cross(static_cast<std::size_t>(k));
    for (Index i = 0; i < group.W.rows; ++i) {
      for (Index j = 0; j < k; ++j)
        cross[j] =
            static_cast<float>(product[i * k + j] + addend.weight * at(addend.numerators, i, j));
      std::vector<double> gram = group.normal.gram();
      for (Index j = 0; j < k; ++j) gram[j * (k + 1)] += addend.weight * at(addend.diagonal, i, 0);
      improve(*group.step, Cross{cross.data(), 1, k, k}, NormalMatrix(gram, k, 0, false),
              group.W.row_block(i, 1), job);
    }
  }

  // Σ x v^(β−2) and Σ v^(β−1), times the other side; those of W's rows, or of Ht's.
  struct Terms {
    std::vector<double> above;
    std::vector<double> below;
  };
  template <class Weight>
  static Terms terms(const Group& group, const std::vector<Entry>& entries, double beta,
                     bool of_rows, Weight weight) {
    const Index k = group.Ht.cols;
    const Index rows = of_rows ? group.W.rows : group.Ht.rows;
    Terms sums{std::vector<double>(rows * k), std::vector<double>(rows * k)};
    for (const Entry& entry : entries) {
      const double v = std::max(0x1p-60, model(group.W, group.Ht, entry));
      for (Index j = 0; j < k; ++j) {
        const Index to = (of_rows ? entry.row : entry.column) * k + j;
        const double other = of_rows ? at(group.Ht, entry.column, j) : at(group.W, entry.row, j);
        sums.above[to] += weight(entry.row) * entry.x * std::pow(v, beta - 2) * other;
        sums.below[to] += weight(entry.row) * std::pow(v, beta - 1) * other;
      }
    }
    return sums;
  }

  static void run_ratios(const Pass& pass, const Group& group, const std::vector<Entry>& entries) {
    NaiveSums& sums = own(group.sums);
    const Index k = group.Ht.cols;
    const double beta = pass.loss.beta;
    measure_residual(pass, group, entries);
    sums.incoming_divergence = 0;
    for (const Entry& entry : entries)
      sums.incoming_divergence +=
          weight(pass.row_weights, entry.row) *
          naive::divergence(entry.x, std::max(0x1p-60, model(group.W, group.Ht, entry)), beta);
    for (Index sweep = 0; group.step && sweep < group.step->sweeps; ++sweep) {
      const Terms of_rows = terms(group, entries, beta, true, [&](Index row) {
        return weight(pass.row_weights, row) == 0 ? 1.0 : weight(pass.row_weights, row);
      });
      each_element(group.W, [&](float& f, Index i, Index j) {
        const std::optional<RowAddend>& addend = group.addend;
        const double more = addend ? addend->weight * at(addend->numerators, i, j) : 0;
        const double diagonal = addend ? addend->weight * at(addend->diagonal, i, 0) : 0;
        naive::scale_by_ratio(*group.step, of_rows.above[i * k + j] + more,
                              of_rows.below[i * k + j] + diagonal * f, f);
      });
    }
    if (!group.accumulate) return;
    Terms of_columns = terms(group, entries, beta, false,
                             [&](Index row) { return weight(pass.row_weights, row); });
    sums.cross = std::move(of_columns.above);
    sums.denominators = std::move(of_columns.below);
  }

  // visit(row, column, x) for the entries that a mask lets pass.
  template <class Visit>
  static void each_entry(const RowSource& X, const Mask& mask, const Visit& visit) {
    RowScratch scratch;
    std::vector<double> x(X.cols());
    std::vector<char> stored(X.cols());
    for (Index i = 0; i < X.rows(); ++i) {
      naive::dense_row(X, i, scratch, x);
      std::ranges::fill(stored, !mask.implicit_is_missing);
      if (X.sparse() && mask.implicit_is_missing) {
        const RowBlock block = X.block(i, 1, scratch);
        for (auto e = static_cast<Index>(block.indptr[0]); e < static_cast<Index>(block.indptr[1]);
             ++e)
          stored[block.indices[e]] = 1;
      }
      for (Index t = 0; t < X.cols(); ++t) {
        if (stored[t] == 0 || (mask.seen != nullptr && mask.seen[i * X.cols() + t] == 0)) continue;
        if ((mask.nan_is_missing && std::isnan(x[t])) || is_held_out(mask, i, t)) continue;
        visit(i, t, x[t]);
      }
    }
  }
};

}  // namespace test
