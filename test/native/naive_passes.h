#pragma once

#include <limits>

#include "entry_oracle.h"
#include "naive_factors.h"
#include "naive_labels.h"

namespace test {

using oracle::Entry;
using oracle::Terms;
using oracle::weight;

struct NaiveSums : Sums {
  NaiveSums(Index d, Index k) : Sums(d, k), cross(static_cast<std::size_t>(d * k)) {}
  std::vector<double> cross;
  std::vector<double> denominators;  // [d×k], or own normal matrices [d×k×k]
};

// Passes by its definitions: plain loops in float64 over whole matrices, one thread, one block. An
// oracle for the others that hides nothing from a debugger.
class NaivePasses : public NaiveFactors {
 public:
  std::string name() const override { return "naive"; }

  SourceNorm examine(const Examined& examined, const Job&) override {
    const RowSource& X = examined.X;
    double largest = 0;
    SourceNorm norm{0, 0, 0, std::numeric_limits<double>::infinity(), 0, 0};
    oracle::each_entry(X, examined.mask, [&](Index row, Index col, double x) {
      if (!std::isfinite(x)) throw InvalidEntry(X.argument, row, col, x, "a finite number");
      if (!has_sign(examined.sign, x))
        throw InvalidEntry(X.argument, row, col, x, expected_of(examined.sign));
      largest = std::max(largest, std::abs(x));
      norm.smallest = std::min(norm.smallest, x);
      norm.count += 1;
      norm.weight += weight(examined.row_weights, row);
    });
    norm.exponent = largest > 0 ? std::ilogb(largest) : 0;
    oracle::each_entry(X, examined.mask, [&](Index row, Index, double x) {
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
      const std::vector<Entry> entries = oracle::entries_of(pass, group);
      if (pass.loss.kind == LossKind::frobenius)
        run(pass, group, entries, job);
      else if (pass.loss.kind == LossKind::logistic)
        run_logistic(pass, group, job);
      else
        run_by_entry(pass, group, entries, job);
    }
  }

  void sum_over_ranks(Sums& sums, Communicator& ranks) override {
    ranks.allreduce(own(sums).cross);
    ranks.allreduce(own(sums).denominators);
  }

  void improve(const Step& step, const Sums& sums, const NormalMatrix& normal,
               std::span<const double> pull, Factor Ht, const Job& job) override {
    improve_from(step, own(sums).cross, normal, pull, Ht, job);
  }
  void improve(const Step& step, HostView<const double> cross, const NormalMatrix& normal,
               std::span<const double> pull, Factor Ht, const Job& job) override {
    improve_from(step, {cross.data, cross.data + Ht.rows * Ht.cols}, normal, pull, Ht, job);
  }
  void improve_from(const Step& step, const std::vector<double>& S, const NormalMatrix& normal,
                    std::span<const double> pull, Factor Ht, const Job& job) {
    const Index k = Ht.cols;
    if (step.kind == StepKind::cayley) return naive::cayley(S, step.sweeps, Ht);
    if (step.kind == StepKind::unit_ball) return naive::unit_ball(S, normal, step.sweeps, Ht);
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
      case StepKind::projected_gradient:
        return naive::projected_gradient(cross, N, step, factor);
      case StepKind::nonnegative_solve:
        return naive::nonnegative_solve(cross, N, step, factor);
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
      case StepKind::solve_on_support:
        return naive::solve_on_support(cross, N, factor);
      case StepKind::one_component:
        return naive::one_component(cross, N, factor);
      case StepKind::cayley:
      case StepKind::unit_ball:
        return expect(false, "this step changes all rows at once");
      case StepKind::simplex:
      case StepKind::capped_simplex:
        return naive::simplex(cross, N, step, factor);
      case StepKind::shifted_ascent:
        return naive::shifted_ascent(cross, N, factor);
    }
  }
  void improve_by_ratio(const Step& step, const Sums& sums, Factor Ht, const Job&) override {
    const NaiveSums& of = own(sums);
    for (Index t = 0; t < Ht.rows; ++t)
      for (Index j = 0; j < Ht.cols; ++j)
        naive::scale_by_ratio(step, of.cross[t * Ht.cols + j], of.denominators[t * Ht.cols + j],
                              Ht.row(t)[j]);
  }
  void improve_by_own_normals(const Step& step, const Sums& sums, double pull, Factor Ht,
                              const Job& job) override {
    improve_each(step, own(sums).cross, own(sums).denominators, pull, Ht, job);
  }
  double own_curvature(const Sums& sums, Cross Ht, const Job&) override {
    const Index k = Ht.cols;
    double sum = 0;
    for (Index t = 0; t < Ht.rows; ++t)
      for (Index a = 0; a < k; ++a)
        for (Index b = 0; b < k; ++b)
          sum += own(sums).denominators[(t * k + a) * k + b] * at(Ht, t, a) * at(Ht, t, b);
    return sum;
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
      oracle::dense_row(problem.X, i, scratch, x);
      std::vector<double> cross(k, -problem.l1 / 2);
      std::vector<double> w(k);
      for (Index j = 0; j < k; ++j) {
        w[j] = at(W, i, j);
        for (Index t = 0; t < problem.X.cols(); ++t)
          cross[j] += std::ldexp(x[t], -problem.exponent) * at(problem.Ht, t, j);
      }
      naive::descend(problem.normal, problem.l2, cross, w, problem.upper);
      for (Index j = 0; j < k; ++j) W.data[i * W.stride + j] = static_cast<float>(w[j]);
    }
  }
  void multiply_in_float64(const RowSource& X, int exponent, HostView<const double> B, Factor to,
                           const Job&) override {
    naive_product(X, exponent, B, to);
  }
  std::vector<double> squared_products(const RowSource& X, int exponent, HostView<const double> B,
                                       const Job&) override {
    return naive_squared_products(X, exponent, B);
  }
  void assign(const Assignment& assignment, Assigned& assigned, const Job&) override {
    naive_assign(assignment, assigned);
  }
  std::vector<double> potentials(const Candidates& candidates, HostView<double> distances,
                                 const Job&) override {
    return naive_potentials(candidates, distances);
  }

 protected:
  virtual void nonnegative_sweep(Cross cross, const NormalMatrix& N, const Step& options,
                                 Factor factor) {
    naive::nonnegative_sweep(cross, N, options, factor);
  }

 private:
  static NaiveSums& own(Sums& sums) { return dynamic_cast<NaiveSums&>(sums); }
  static const NaiveSums& own(const Sums& sums) { return dynamic_cast<const NaiveSums&>(sums); }

  static void measure_residual(const Pass& pass, const Group& group,
                               const std::vector<Entry>& entries) {
    group.sums.incoming_residual = 0;
    for (const Entry& entry : entries) {
      const double r = entry.x - oracle::model(group.W, group.Ht, entry);
      group.sums.incoming_residual += weight(pass.row_weights, entry.row) * r * r;
    }
  }

  static std::vector<double> gram_of_codes(const Pass& pass, Cross W) {
    const std::span<const float> weights = pass.row_weights;
    return naive::weighted_gram(
        W, weights.empty() ? weights : weights.subspan(rows_of(pass).begin, W.rows));
  }

  void run(const Pass& pass, const Group& group, const std::vector<Entry>& entries,
           const Job& job) {
    NaiveSums& sums = own(group.sums);
    const Index k = group.Ht.cols;
    const RowRange rows = rows_of(pass);
    const Factor W = group.W.row_block(rows.begin, rows.count);
    measure_residual(pass, group, entries);
    std::vector<double> product(static_cast<std::size_t>(rows.count * k));
    for (const Entry& entry : entries)
      for (Index j = 0; j < k; ++j)
        product[(entry.row - rows.begin) * k + j] += entry.x * at(group.Ht, entry.column, j);
    sums.incoming_gram = gram_of_codes(pass, W);
    sums.incoming_product = 0;
    for (Index i = 0; i < rows.count; ++i)
      for (Index j = 0; j < k; ++j)
        sums.incoming_product +=
            weight(pass.row_weights, rows.begin + i) * product[i * k + j] * at(W, i, j);
    if (group.step && group.addend) improve_with_addend(group, rows, product, job);
    if (group.step && !group.addend) {
      std::vector<float> cross(product.begin(), product.end());
      improve(*group.step, Cross{cross.data(), rows.count, k, k}, group.normal, W, job);
    }
    if (group.extrapolated) {
      Extrapolated by = *group.extrapolated;
      by.previous = by.previous.row_block(rows.begin, rows.count);
      extrapolate(by, W, job);
    }
    if (!group.accumulate) return;
    const std::vector<double> gram = gram_of_codes(pass, W);
    for (std::size_t i = 0; i < gram.size(); ++i)
      sums.gram[i] = group.retained * sums.gram[i] + gram[i];
    for (double& sum : sums.cross) sum *= group.retained;
    for (const Entry& entry : entries)
      for (Index j = 0; j < k; ++j)
        sums.cross[entry.column * k + j] +=
            weight(pass.row_weights, entry.row) * entry.x * at(group.W, entry.row, j);
  }

  // Row by row: each has a normal matrix of its own.
  void improve_with_addend(const Group& group, RowRange rows, const std::vector<double>& product,
                           const Job& job) {
    const RowAddend& addend = *group.addend;
    const Index k = group.W.cols;
    std::vector<float> cross(static_cast<std::size_t>(k));
    for (Index i = rows.begin; i < rows.begin + rows.count; ++i) {
      for (Index j = 0; j < k; ++j)
        cross[j] = static_cast<float>(product[(i - rows.begin) * k + j] +
                                      addend.weight * at(addend.numerators, i, j));
      std::vector<double> gram = group.normal.gram();
      for (Index j = 0; j < k; ++j) gram[j * (k + 1)] += addend.weight * at(addend.diagonal, i, 0);
      improve(*group.step, Cross{cross.data(), 1, k, k}, NormalMatrix(gram, k, 0, false),
              group.W.row_block(i, 1), job);
    }
  }

  // Towards the minimum of ⅛‖Z − W Htᵀ‖² with Z = V + 4 (X − σ(V)), V = W Htᵀ of the given pair.
  void run_logistic(const Pass& pass, const Group& group, const Job& job) {
    NaiveSums& sums = own(group.sums);
    const Index k = group.Ht.cols;
    const Index d = group.Ht.rows;
    sums.incoming_divergence = sums.incoming_residual = 0;
    oracle::Matrix X(pass.X.rows(), d);
    oracle::each_entry(pass.X, no_mask, [&](Index row, Index col, double x) { X(row, col) = x; });
    oracle::Matrix Z(X.rows, d);
    const auto form = [&](bool measures) {
      for (Index i = 0; i < X.rows; ++i)
        for (Index t = 0; t < d; ++t) {
          double v = 0;
          for (Index j = 0; j < k; ++j) v += double{at(group.W, i, j)} * at(group.Ht, t, j);
          const double p = 1 / (1 + std::exp(-v));
          Z(i, t) = v + 4 * (X(i, t) - p);
          if (measures && group.measure == Measure::divergence)
            sums.incoming_divergence +=
                std::log1p(std::exp(-std::abs(v))) + std::max(v, 0.0) - X(i, t) * v;
          if (measures && group.measure == Measure::direct)
            sums.incoming_residual += (X(i, t) - p) * (X(i, t) - p);
        }
    };
    form(true);
    for (Index sweep = 0; group.step && sweep < group.step->sweeps; ++sweep) {
      if (sweep > 0) form(false);
      for (Index i = 0; i < X.rows; ++i) {
        std::vector<float> cross(static_cast<std::size_t>(k));
        for (Index j = 0; j < k; ++j) {
          double product = 0;
          for (Index t = 0; t < d; ++t) product += Z(i, t) * at(group.Ht, t, j);
          cross[j] = static_cast<float>(product);
        }
        improve(*group.step, Cross{cross.data(), 1, k, k}, group.normal, group.W.row_block(i, 1),
                job);
      }
    }
    if (!group.accumulate) return;
    std::ranges::fill(sums.cross, 0.0);
    for (Index i = 0; i < X.rows; ++i)
      for (Index t = 0; t < d; ++t)
        for (Index j = 0; j < k; ++j) sums.cross[t * k + j] += Z(i, t) * at(group.W, i, j);
  }

  // Each row from its own normal matrix, with `pull` on its diagonal.
  void improve_each(const Step& step, const std::vector<double>& S,
                    const std::vector<double>& normals, double pull, Factor factor,
                    const Job& job) {
    const Index k = factor.cols;
    for (Index i = 0; i < factor.rows; ++i) {
      std::vector<double> N(normals.begin() + i * k * k, normals.begin() + (i + 1) * k * k);
      std::vector<float> cross(static_cast<std::size_t>(k));
      for (Index j = 0; j < k; ++j) {
        const double pulled = pull * N[j * (k + 1)];
        cross[j] = static_cast<float>(S[i * k + j] + pulled * at(factor, i, j));
        N[j * (k + 1)] += pulled;
      }
      improve(step, Cross{cross.data(), 1, k, k},
              NormalMatrix(N, k, step.l2, step.kind == StepKind::solve), factor.row_block(i, 1),
              job);
    }
  }

  void run_by_entry(const Pass& pass, const Group& group, const std::vector<Entry>& entries,
                    const Job& job) {
    measure_residual(pass, group, entries);
    own(group.sums).incoming_divergence =
        oracle::loss_of(group, entries, pass.loss, pass.row_weights);
    if (group.own_normals)
      run_own_normals(pass, group, entries, job);
    else
      run_ratios(pass, group, entries);
  }

  void run_own_normals(const Pass& pass, const Group& group, const std::vector<Entry>& entries,
                       const Job& job) {
    const RowRange rows = rows_of(pass);
    const Index k = group.Ht.cols;
    const Factor W = group.W.row_block(rows.begin, rows.count);
    if (group.step) {
      const oracle::OwnNormals of_rows =
          oracle::own_normals(group, entries, pass.loss, true, [&](Index row) {
            return weight(pass.row_weights, row) == 0 ? 1.0 : weight(pass.row_weights, row);
          });
      const auto from = rows.begin;
      improve_each(*group.step, {of_rows.cross.begin() + from * k, of_rows.cross.end()},
                   {of_rows.normals.begin() + from * k * k, of_rows.normals.end()}, 0, W, job);
    }
    if (group.extrapolated) {
      Extrapolated by = *group.extrapolated;
      by.previous = by.previous.row_block(rows.begin, rows.count);
      extrapolate(by, W, job);
    }
    if (!group.accumulate) return;
    oracle::OwnNormals of_columns = oracle::own_normals(
        group, entries, pass.loss, false, [&](Index row) { return weight(pass.row_weights, row); });
    own(group.sums).cross = std::move(of_columns.cross);
    own(group.sums).denominators = std::move(of_columns.normals);
  }

  static void run_ratios(const Pass& pass, const Group& group, const std::vector<Entry>& entries) {
    NaiveSums& sums = own(group.sums);
    const Index k = group.Ht.cols;
    for (Index sweep = 0; group.step && sweep < group.step->sweeps; ++sweep) {
      const Terms of_rows = oracle::terms(group, entries, pass.loss, true, [&](Index row) {
        return weight(pass.row_weights, row) == 0 ? 1.0 : weight(pass.row_weights, row);
      });
      const RowRange rows = rows_of(pass);
      each_element(
          group.W.row_block(rows.begin, rows.count), [&](float& f, Index in_range, Index j) {
            const Index i = rows.begin + in_range;
            const std::optional<RowAddend>& addend = group.addend;
            const double more = addend ? addend->weight * at(addend->numerators, i, j) : 0;
            const double diagonal = addend ? addend->weight * at(addend->diagonal, i, 0) : 0;
            naive::scale_by_ratio(*group.step, of_rows.above[i * k + j] + more,
                                  of_rows.below[i * k + j] + diagonal * f, f);
          });
    }
    if (!group.accumulate) return;
    Terms of_columns = oracle::terms(group, entries, pass.loss, false,
                                     [&](Index row) { return weight(pass.row_weights, row); });
    sums.cross = std::move(of_columns.above);
    sums.denominators = std::move(of_columns.below);
  }
};

}  // namespace test
