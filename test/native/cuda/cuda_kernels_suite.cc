// Every kernel of passes on the emulated GPU against its formula. scripts/cuda-kernels.mjs also
// runs this program under sanitizers, and with planted mistakes, each of which must make it fail.
#include <algorithm>
#include <cmath>
#include <vector>

#include "cuda/kernel_bench.h"

namespace {

using namespace test;

// ---- Entries.

void entries_are_moved(Index n, Index k) {
  Bench b;
  const There from(b.device, n, k, 1), to(b.device, n, k, 2);
  b.run(b.kernels.scale, {n, k, from.in(), 0.5, to.out()});
  expect_entries(to, "scale", 0, [&](Index i, Index j) { return 0.5 * from(i, j); });

  std::vector<float> weights(n);
  for (Index i = 0; i < n; ++i) weights[i] = static_cast<float>(i % 5);
  const Array<float> weights_there(b.device, weights);
  const Array<double> wide(b.device, n * k);
  b.run(b.kernels.widen, {n, k, from.in(), weights_there.data(), wide.data()});
  const std::vector<double> widened = wide.download();
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < k; ++j)
      check(widened[i * k + j] == double{weights[i]} * from(i, j), "widen");
  const There back(b.device, n, k, 3);
  b.run(b.kernels.narrow, {n, k, wide.data(), back.out()});
  expect_entries(back, "narrow", 0, [&](Index i, Index j) { return weights[i] * from(i, j); });
  const Array<float> packed(b.device, n * k);
  b.run(b.kernels.weigh, {n, k, from.in(), weights_there.data(), packed.data()});
  const std::vector<float> weighed = packed.download();
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < k; ++j) check(weighed[i * k + j] == weights[i] * from(i, j), "weigh");
}

void sums_are_pulled_and_added(Index n, Index k) {
  Bench b;
  const There Ht(b.device, n, k, 1), P(b.device, n, k, 2), numerators(b.device, n, k, 3);
  const There diagonal(b.device, n, 1, 4);
  std::vector<double> S(n * k), pull(k);
  for (Index i = 0; i < n * k; ++i) S[i] = std::sin(static_cast<double>(i));
  for (Index j = 0; j < k; ++j) pull[j] = static_cast<double>(j) / 3;
  const Array<double> S_there(b.device, S), pull_there(b.device, pull);
  const Array<float> to(b.device, n * k);
  b.run(b.kernels.pull, {n, k, S_there.data(), Ht.in(), pull_there.data(), to.data()});
  const std::vector<float> pulled = to.download();
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < k; ++j)
      check(pulled[i * k + j] == static_cast<float>(S[i * k + j] + pull[j] * Ht(i, j)), "pull");
  b.run(b.kernels.scale_double, {n * k, 0.25, S_there.data()});
  check(S_there.download()[n * k - 1] == 0.25 * S[n * k - 1], "scale_double");

  const Array<float> row_diagonal(b.device, n);
  b.run(b.kernels.add_rows,
        {n, k, 2.0, numerators.in(), diagonal.in(), P.out(), row_diagonal.data()});
  expect_entries(P, "add_rows", 1e-6,
                 [&](Index i, Index j) { return P(i, j) + 2.0 * numerators(i, j); });
  const std::vector<float> diagonals = row_diagonal.download();
  for (Index i = 0; i < n; ++i) check(diagonals[i] == 2 * diagonal(i, 0), "a row diagonal");
}

void factors_are_shaped(Index n, Index k) {
  Bench b;
  std::vector<double> by(k);
  for (Index j = 0; j < k; ++j) by[j] = 1.0 / static_cast<double>(j + 1);
  const Array<double> by_there(b.device, by);
  const There F(b.device, n, k, 1), G(b.device, n, k, 1), L(b.device, n, k, 1);
  b.run(b.kernels.scale_columns, {n, k, by_there.data(), 1, F.out()});
  expect_entries(F, "scale_columns", 1e-7, [&](Index i, Index j) { return F(i, j) * by[j]; });
  b.run(b.kernels.add_first, {n, k, by_there.data(), 2.0, G.out()});
  // The first entry of a row changes before the others use it.
  expect_entries(G, "add_first", 1e-5,
                 [&](Index i, Index j) { return 2 * (G(i, j) + by[j] * G(i, 0)); });
  b.run(b.kernels.lift_rows, {n, k, -1.5, 0.25, L.out()});
  expect_entries(L, "lift_rows", 1e-5, [&](Index i, Index j) {
    double least = 1e300;
    for (Index t = 0; t + 1 < k; ++t) least = std::min(least, double{L(i, t)});
    const double shift = 0.25 - std::min(0.0, -1.5 * least);
    return j + 1 == k ? shift : -1.5 * L(i, j) + shift;
  });
  const There C(b.device, n, k, 5), D(b.device, n, k, 6);
  b.run(b.kernels.clamp, {n, k, -0.5f, 0.75f, C.out()});
  expect_entries(C, "clamp", 0,
                 [&](Index i, Index j) { return std::clamp(C(i, j), -0.5f, 0.75f); });
  b.run(b.kernels.shift, {n, k, 0.5, D.out()});
  expect_entries(D, "shift", 0, [&](Index i, Index j) { return D(i, j) + 0.5f; });
}

void extrapolation_remembers(Index n, Index k) {
  for (int kind = 0; kind < 3; ++kind) {
    Bench b;
    const There F(b.device, n, k, 1), before(b.device, n, k, 2);
    b.run(b.kernels.extrapolate, {n, k, kind, 0.5f, 0.75, before.out(), F.out()});
    expect_entries(F, "extrapolate", 1e-6, [&](Index i, Index j) {
      float change = 0.5f * (F(i, j) - before(i, j));
      if (kind == 2) change = std::max(change, 0.0f);
      const float moved = F(i, j) + change;
      return std::min(kind == 1 ? std::max(moved, 0.0f) : moved, 0.75f);
    });
    expect_entries(before, "previous", 0, [&](Index i, Index j) { return F(i, j); });
  }
}

void random_entries_are_those_of_the_counter(Index n, Index k) {
  Bench b;
  const std::uint64_t seed = 0x1234567890ABCDEF;
  const CounterRandom random(seed, 9);
  const Index first = Index{1} << 33;
  const There F(b.device, n, k, 1), noisy(b.device, n, k, 2), small(b.device, n, k, 3);
  b.run(b.kernels.fill, {n, k, 1, 0, 0, 9, seed, first, 0.5, F.out()});
  const auto draw = [&](Index i, Index j) {
    return random.uniform(static_cast<std::uint64_t>(first + i), static_cast<std::uint32_t>(j));
  };
  expect_entries(F, "fill", 0,
                 [&](Index i, Index j) { return static_cast<float>(0.5 * draw(i, j)); });
  b.run(b.kernels.fill, {n, k, 1, 1, -0.25f, 9, seed, first, 0.5, small.out()});
  expect_entries(small, "raise", 0, [&](Index i, Index j) {
    return small(i, j) <= -0.25f ? static_cast<float>(0.5 * draw(i, j)) : small(i, j);
  });
  b.run(b.kernels.perturb, {n, k, F.in(), 0.1, seed, 9, first, noisy.out()});
  const std::vector<float> before = F.now("fill");
  expect_entries(noisy, "perturb", 0, [&](Index i, Index j) {
    return static_cast<float>(before[i * k + j] * (1 + 0.1 * (2 * draw(i, j) - 1)));
  });
}

void rows_are_gathered_and_labelled(Index n, Index k) {
  Bench b;
  const There from(b.device, n, k, 1), to(b.device, n, k, 2), labelled(b.device, n, k, 3);
  std::vector<std::int64_t> rows(n);
  std::vector<std::int32_t> labels(n);
  for (Index i = 0; i < n; ++i) {
    rows[i] = (i * 7 + 3) % n;
    labels[i] = static_cast<std::int32_t>(i % k);
  }
  const Array<std::int64_t> rows_there(b.device, rows);
  const Array<std::int32_t> labels_there(b.device, labels);
  b.run(b.kernels.gather, {n, k, from.in(), rows_there.data(), to.out()});
  expect_entries(to, "gather", 0, [&](Index i, Index j) { return from(rows[i], j); });
  b.run(b.kernels.indicate, {n, k, labels_there.data(), 0.25, labelled.out()});
  expect_entries(labelled, "indicate", 0,
                 [&](Index i, Index j) { return labels[i] == j ? 1.25 : 0.25; });
}

// ---- Sums.

void sums_agree(Index n, Index k) {
  Bench b;
  const There A(b.device, n, k, 1), B(b.device, n, k, 2), w(b.device, n, 1, 3);
  std::vector<double> wide(n * k);
  for (Index i = 0; i < n * k; ++i) wide[i] = std::cos(static_cast<double>(i));
  const Array<double> wide_there(b.device, wide), partial(b.device, sum_blocks);
  for (const Term term : {Term::products, Term::squares, Term::wide_products, Term::energy}) {
    double expected = 0, size = 0;
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < k; ++j) {
        const double a = A(i, j), y = B(i, j), weight = w(i, 0);
        const double value = term == Term::products        ? weight * a * y
                             : term == Term::squares       ? weight * a * a
                             : term == Term::wide_products ? wide[i * k + j] * y
                                                           : y * (weight * y - a);
        expected += value;
        size += std::abs(value);
      }
    b.run(b.kernels.sum, {term, n, k, A.in(), B.in(), wide_there.data(), w.in(), partial.data()});
    double found = 0;
    for (const double part : partial.download()) found += part;
    near(found, expected, 1e-13 * size, "a sum of terms");
  }
  const There X(b.device, n, 6, 4), Ht(b.device, 6, k, 5);
  double expected = 0;
  for (Index i = 0; i < n; ++i)
    for (Index t = 0; t < 6; ++t) {
      double rest = 0.5 * X(i, t);
      for (Index j = 0; j < k; ++j) rest -= double{A(i, j)} * Ht(t, j);
      expected += rest * rest;
    }
  b.run(b.kernels.exact_residual, {n, 6, k, X.in(), A.in(), Ht.in(), 0.5, nullptr, partial.data()});
  double found = 0;
  for (const double part : partial.download()) found += part;
  near(found, expected, 1e-12 * expected, "an exact residual");
}

void columns_are_measured(Index n, Index k) {
  Bench b;
  const There F(b.device, n, k, 1);
  const Array<double> partial(b.device, column_chunks * measured_kinds * k);
  b.run(b.kernels.columns, {n, k, F.in(), partial.data()});
  const std::vector<double> parts = partial.download();
  for (Index j = 0; j < k; ++j) {
    double expected[measured_kinds] = {}, found[measured_kinds] = {};
    expected[measured_least] = found[measured_least] = INFINITY;
    expected[measured_most] = found[measured_most] = -INFINITY;
    for (Index i = 0; i < n; ++i) {
      const double x = F(i, j);
      expected[x > 0 ? measured_positive : measured_negative] += x * x;
      if (x != 0) expected[x > 0 ? measured_positives : measured_negatives] += 1;
      expected[measured_least] = std::min(expected[measured_least], x);
      expected[measured_most] = std::max(expected[measured_most], x);
      expected[measured_absolute] += std::abs(x);
    }
    for (Index chunk = 0; chunk < column_chunks; ++chunk)
      for (int kind = 0; kind < measured_kinds; ++kind) {
        const double part = parts[(chunk * measured_kinds + kind) * k + j];
        if (kind == measured_least)
          found[kind] = std::min(found[kind], part);
        else if (kind == measured_most)
          found[kind] = std::max(found[kind], part);
        else
          found[kind] += part;
      }
    for (int kind = 0; kind < measured_kinds; ++kind)
      near(found[kind], expected[kind], 1e-12 * (1 + std::abs(expected[kind])), "a column");
  }
}

// ---- Steps.

struct Problem {
  Index n, k;
  std::vector<double> N;  // [k×k]
  There C, F;
  std::vector<double> diagonal;
};

double bounded(double x, double upper) { return std::min(std::max(x, 0.0), upper); }

// Row i of the factor after one step, in float64.
std::vector<double> stepped(const Problem& p, const RowStep& step, Index i) {
  const Index k = p.k;
  std::vector<double> f(k), next(k);
  for (Index j = 0; j < k; ++j) f[j] = p.F(i, j);
  const auto product = [&](Index j, double sign, bool with_diagonal) {
    double sum = 0;
    for (Index t = 0; t < k; ++t) {
      if (t == j && !with_diagonal) continue;
      const double x = p.N[j * k + t];
      sum += f[t] * (sign == 0 ? x : std::max(sign * x, 0.0));
    }
    return sum;
  };
  for (int sweep = 0; sweep < step.sweeps; ++sweep) {
    for (Index j = 0; j < k; ++j) {
      const double c = p.C(i, j), half = step.half_l1, below = p.diagonal[j] + step.l2;
      const double rest = c - product(j, 0, false);
      switch (step.kind) {
        case RowStepKind::nonnegative_sweep:
          f[j] = bounded((rest - half) * step.relaxation / below + (1 - step.relaxation) * f[j],
                         step.upper);
          next[j] = f[j];
          break;
        case RowStepKind::signed_sweep:
          f[j] = std::copysign(std::max(std::abs(rest) - half, 0.0), rest) / below;
          next[j] = f[j];
          break;
        case RowStepKind::multiplicative:
          next[j] = f[j] * std::max(c, 0.0) / (product(j, 0, true) + step.l2 * f[j] + half);
          break;
        case RowStepKind::sign_split:
          next[j] =
              f[j] * std::sqrt((std::max(c, 0.0) + product(j, -1, true)) /
                               (std::max(-c, 0.0) + product(j, 1, true) + step.l2 * f[j] + half));
          break;
        case RowStepKind::product:
          next[j] = c;
          break;
        case RowStepKind::project:
          next[j] = std::max(0.0, (c - half) / (1 + step.l2));
          break;
        case RowStepKind::shifted_ascent:
          next[j] = std::max(0.0, f[j] + c - p.diagonal[j]);
          break;
        default:
          break;
      }
    }
    f = next;
  }
  return f;
}

// Symmetric, of any sign beside a large diagonal, or non-negative.
std::vector<double> normal_matrix(Index k, bool positive) {
  const CounterRandom random(3, 1);
  std::vector<double> N(k * k);
  for (Index i = 0; i < k; ++i)
    for (Index j = 0; j <= i; ++j) {
      double x = random.normal(i, static_cast<std::uint32_t>(j)) / std::sqrt(double(k));
      if (positive) x = std::abs(x);
      N[i * k + j] = N[j * k + i] = i == j ? 2 + std::abs(x) : x;
    }
  return N;
}

void steps_agree(RowStepKind kind, Index n, Index k, int sweeps) {
  Bench b;
  const bool factor_positive = kind != RowStepKind::signed_sweep;
  const bool matrix_positive = kind == RowStepKind::multiplicative;
  Problem p{n,
            k,
            normal_matrix(k, matrix_positive),
            There(b.device, n, k, 1),
            There(b.device, n, k, 2, factor_positive),
            std::vector<double>(k)};
  RowStep step = {};
  step.kind = kind;
  step.sweeps = sweeps;
  step.rows = n;
  step.k = k;
  step.half_l1 = 0.05f;
  step.wide_half_l1 = 0.05f;
  step.relaxation = kind == RowStepKind::nonnegative_sweep ? 1.3f : 1.0f;
  step.upper = kind == RowStepKind::nonnegative_sweep ? 0.8 : HUGE_VAL;
  step.l2 = 0.1;
  std::vector<float> positive(k * k), negative(k * k), inverse(k);
  for (Index i = 0; i < k; ++i)
    for (Index j = 0; j < k; ++j) {
      const double x = p.N[i * k + j];
      const bool sweep =
          kind == RowStepKind::nonnegative_sweep || kind == RowStepKind::signed_sweep;
      const double on = sweep ? 0 : x + step.l2;
      const double off = kind == RowStepKind::sign_split ? std::max(x, 0.0) : x;
      positive[i * k + j] = static_cast<float>(i == j ? on : off);
      negative[i * k + j] = static_cast<float>(i == j ? 0 : std::max(-x, 0.0));
    }
  for (Index j = 0; j < k; ++j) {
    p.diagonal[j] = p.N[j * k + j];
    inverse[j] = static_cast<float>(1 / (p.diagonal[j] + step.l2));
  }
  const Array<float> positive_there(b.device, positive), negative_there(b.device, negative),
      inverse_there(b.device, inverse);
  const Array<double> diagonal_there(b.device, p.diagonal);
  step.positive = positive_there.data();
  step.negative = negative_there.data();
  step.inverse = inverse_there.data();
  step.diagonal = diagonal_there.data();
  step.cross = p.C.in();
  step.factor = p.F.out();
  b.run(b.kernels.row_step, step);
  const std::vector<float> found = p.F.now("a step");
  for (Index i = 0; i < n; ++i) {
    const std::vector<double> expected = stepped(p, step, i);
    for (Index j = 0; j < k; ++j)
      near(found[i * k + j], expected[j], 2e-4 * (1 + std::abs(expected[j])),
           "step " + std::to_string(static_cast<int>(kind)) + ", k = " + std::to_string(k));
  }
}

}  // namespace

int main() {
  for (const auto& [n, k] : {std::pair<Index, Index>{1, 2}, {37, 5}, {301, 3}}) {
    entries_are_moved(n, k);
    sums_are_pulled_and_added(n, k);
    factors_are_shaped(n, k);
    extrapolation_remembers(n, k);
    random_entries_are_those_of_the_counter(n, k);
    rows_are_gathered_and_labelled(n, k);
    sums_agree(n, k);
    columns_are_measured(n, k);
  }
  for (int kind = 0; kind <= static_cast<int>(RowStepKind::shifted_ascent); ++kind) {
    if (kind == static_cast<int>(RowStepKind::projected_gradient)) continue;
    // One block, some blocks with rows left over, and a normal matrix beyond shared memory.
    for (const auto& [n, k, sweeps] :
         {std::tuple<Index, Index, int>{5, 3, 1}, {130, 7, 2}, {3, 150, 1}})
      steps_agree(static_cast<RowStepKind>(kind), n, k, kind < 5 ? sweeps : 1);
  }
  check_emulation("the kernels suite");
  return report("cuda kernels");
}
