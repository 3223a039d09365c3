#include "backend/cpu/factor_operations.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "backend/cpu/cayley.h"
#include "backend/cpu/host.h"
#include "backend/cpu/over_rows.h"
#include "backend/cpu/own_normals.h"
#include "backend/cpu/prepared_step.h"
#include "backend/cpu/small_gram.h"
#include "backend/cpu/unit_ball.h"
#include "core/linear_algebra.h"
#include "core/random.h"

namespace gemmine::cpu {
namespace {

constexpr Index step_rows = 128;

}  // namespace

void improve_blocks(const Kernels& kernels, const Step& step, HostView<const float> cross,
                    const NormalMatrix& normal, HostView<float> factor, const Job& job) {
  const PreparedStep prepared(kernels, step, normal, job.cancellation);
  over_rows(factor.rows, step_rows, job, [&](Index begin, Index count) {
    prepared.improve(cross.row_block(begin, count), factor.row_block(begin, count));
  });
}

void improve_from_sums(const Kernels& kernels, const Step& step, const std::vector<double>& S,
                       const NormalMatrix& normal, std::span<const double> pull, HostView<float> Ht,
                       const Job& job) {
  if (step.kind == StepKind::cayley) return cayley_steps(S, step.sweeps, Ht, job);
  if (step.kind == StepKind::unit_ball)
    return unit_ball_sweeps(S, normal.gram(), step.sweeps, Ht, job);
  const PreparedStep prepared(kernels, step, normal, job.cancellation);
  const Index k = Ht.cols;
  over_rows(Ht.rows, step_rows, job, [&](Index begin, Index count) {
    std::vector<float> rounded(static_cast<std::size_t>(count * k));
    for (Index i = 0, at = begin * k; i < count; ++i)
      for (Index j = 0; j < k; ++j, ++at)
        rounded[i * k + j] = static_cast<float>(S[at] + pull[j] * Ht(begin + i, j));
    prepared.improve({rounded.data(), count, k, k}, Ht.row_block(begin, count));
  });
}

void improve_by_ratio(const Kernels& kernels, const Step& step, const CpuSums& sums,
                      HostView<float> Ht, const Job& job) {
  const Index k = Ht.cols;
  const bool by_column = static_cast<Index>(sums.denominators.size()) == k;
  over_rows(Ht.rows, step_rows, job, [&](Index begin, Index count) {
    for (Index i = begin; i < begin + count; ++i)
      kernels.ratio_update({.factor = Ht.row(i),
                            .above = sums.cross.data() + i * k,
                            .below = sums.denominators.data() + (by_column ? 0 : i * k),
                            .count = k,
                            .half_l1 = step.l1 / 2,
                            .l2 = step.l2,
                            .exponent = step.exponent,
                            .upper = step.upper});
  });
}

void improve_by_own_normals(const Kernels& kernels, const Step& step, std::span<const double> cross,
                            std::span<const double> normals, double pull, HostView<float> Ht,
                            const Job& job) {
  const Triangles triangles(Ht.cols);
  const Index k = Ht.cols;
  over_rows(Ht.rows, step_rows, job, [&](Index begin, Index count) {
    OwnSteps steps(kernels, step, triangles, job.cancellation);
    for (Index t = begin; t < begin + count; ++t)
      steps.improve(cross.data() + t * k, normals.data() + t * triangles.size(), pull, Ht.row(t));
  });
}

double own_curvature(const CpuSums& sums, HostView<const float> Ht, const Job& job) {
  const Triangles triangles(Ht.cols);
  const auto add = [&](Index begin, Index count, std::vector<double>& total) {
    for (Index t = begin; t < begin + count; ++t) {
      const double* normal = sums.denominators.data() + t * triangles.size();
      for (Index p = 0; p < triangles.size(); ++p) {
        const double share = triangles.row[p] == triangles.column[p] ? 1 : 2;
        total[0] += share * normal[p] * Ht(t, triangles.row[p]) * Ht(t, triangles.column[p]);
      }
    }
  };
  return sum_over_rows(Ht.rows, 1, job, add)[0];
}

std::vector<double> gram(HostView<const float> factor, const Job& job) {
  const Index k = factor.cols;
  std::vector<double> total =
      sum_over_rows(factor.rows, static_cast<std::size_t>(k * k), job,
                    [&](Index begin, Index count, std::vector<double>& sums) {
                      add_gram(factor.row_block(begin, count), Into::replace, sums);
                    });
  mirror_upper(total, k);
  return total;
}

std::vector<double> cross_gram(HostView<const float> A, HostView<const float> B, const Job& job) {
  return sum_over_rows(A.rows, static_cast<std::size_t>(A.cols * B.cols), job,
                       [&](Index begin, Index count, std::vector<double>& sums) {
                         const std::vector<double> left = widened(A.row_block(begin, count));
                         const std::vector<double> right = widened(B.row_block(begin, count));
                         multiply_at_b({left.data(), count, A.cols, A.cols},
                                       {right.data(), count, B.cols, B.cols},
                                       {sums.data(), A.cols, B.cols, B.cols});
                       });
}

void add_weighted_gram(HostView<const float> factor, std::span<const float> weights,
                       std::vector<double>& sums) {
  const Index k = factor.cols;
  for (Index i = 0; i < factor.rows; ++i)
    for (Index a = 0; a < k; ++a) {
      const double weighted = double{weights[i]} * factor(i, a);
      for (Index b = a; b < k; ++b) sums[a * k + b] += weighted * factor(i, b);
    }
}

std::vector<double> weighted_gram(HostView<const float> factor, std::span<const float> weights,
                                  const Job& job) {
  const Index k = factor.cols;
  const auto add = [&](Index begin, Index count, std::vector<double>& sums) {
    add_weighted_gram(factor.row_block(begin, count), weights.subspan(begin, count), sums);
  };
  std::vector<double> total = sum_over_rows(factor.rows, static_cast<std::size_t>(k * k), job, add);
  mirror_upper(total, k);
  return total;
}

double inner(const std::vector<double>& S, HostView<const float> Ht, const Job& job) {
  // Independent sums, so that an addition does not wait for the one before it.
  constexpr Index lanes = 8;
  const Index k = Ht.cols;
  const auto add = [&](Index begin, Index count, std::vector<double>& sums) {
    double part[lanes] = {};
    for (Index i = begin; i < begin + count; ++i) {
      const double* left = S.data() + i * k;
      const float* right = Ht.row(i);
      Index j = 0;
      for (; j + lanes <= k; j += lanes)
        for (Index l = 0; l < lanes; ++l) part[l] += left[j + l] * double{right[j + l]};
      for (Index l = 0; j + l < k; ++l) part[l] += left[j + l] * double{right[j + l]};
    }
    for (const double sum : part) sums[0] += sum;
  };
  return sum_over_rows(Ht.rows, 1, job, add)[0];
}

double energy(const RowAddend& addend, HostView<const float> W, const Job& job) {
  const HostView<const float> numerators = host(addend.numerators);
  const HostView<const float> diagonal = host(addend.diagonal);
  const auto add = [&](Index begin, Index count, std::vector<double>& sums) {
    for (Index i = begin; i < begin + count; ++i)
      for (Index j = 0; j < W.cols; ++j) {
        const double w = W(i, j);
        sums[0] += w * (double{diagonal(i, 0)} * w - numerators(i, j));
      }
  };
  return addend.weight * sum_over_rows(W.rows, 1, job, add)[0];
}

void add_rows(const RowAddend& addend, Index begin, HostView<float> P,
              std::vector<float>& row_diagonal) {
  const HostView<const float> numerators = host(addend.numerators.row_block(begin, P.rows));
  const HostView<const float> diagonal = host(addend.diagonal.row_block(begin, P.rows));
  row_diagonal.resize(static_cast<std::size_t>(P.rows));
  for (Index i = 0; i < P.rows; ++i) {
    row_diagonal[i] = static_cast<float>(addend.weight * diagonal(i, 0));
    for (Index j = 0; j < numerators.cols; ++j)
      P(i, j) = static_cast<float>(P(i, j) + addend.weight * numerators(i, j));
  }
}

ColumnSums column_sums(HostView<const float> factor, const Job& job) {
  const Index k = factor.cols;
  const std::vector<double> both =
      sum_over_rows(factor.rows, static_cast<std::size_t>(2 * k), job,
                    [&](Index begin, Index count, std::vector<double>& sums) {
                      for (Index i = begin; i < begin + count; ++i)
                        for (Index j = 0; j < k; ++j) {
                          const double value = factor(i, j);
                          sums[j] += std::abs(value);
                          sums[k + j] += value * value;
                        }
                    });
  return {.absolute = {both.begin(), both.begin() + k}, .square = {both.begin() + k, both.end()}};
}

void scale_columns(std::span<const double> by, HostView<float> factor, const Job& job) {
  over_rows(factor.rows, sum_rows, job, [&](Index begin, Index count) {
    for (Index i = begin; i < begin + count; ++i)
      for (Index j = 0; j < factor.cols; ++j)
        factor(i, j) = static_cast<float>(factor(i, j) * by[j]);
  });
}

void keep_largest(Index count, HostView<float> factor, const Job& job) {
  if (count >= factor.rows) return;
  parallel_for(job, factor.cols, [&](Index j, Index) {
    std::vector<float> sizes(static_cast<std::size_t>(factor.rows));
    for (Index i = 0; i < factor.rows; ++i) sizes[i] = std::abs(factor(i, j));
    const auto last = sizes.begin() + (count - 1);
    std::nth_element(sizes.begin(), last, sizes.end(), std::greater<>());
    for (Index i = 0; i < factor.rows; ++i)
      if (std::abs(factor(i, j)) < *last) factor(i, j) = 0;
  });
}

void multiply(HostView<const float> A, HostView<const double> B, HostView<float> to,
              const Job& job) {
  over_rows(A.rows, step_rows, job, [&](Index begin, Index count) {
    const std::vector<double> wide = widened(A.row_block(begin, count));
    std::vector<double> product(static_cast<std::size_t>(count * B.cols));
    gemmine::multiply(HostView<const double>{wide.data(), count, A.cols, A.cols}, B,
                      HostView<double>{product.data(), count, B.cols, B.cols});
    for (Index i = 0; i < count; ++i)
      for (Index j = 0; j < B.cols; ++j)
        to(begin + i, j) = static_cast<float>(product[i * B.cols + j]);
  });
}

void gather_rows(HostView<const float> from, std::span<const Index> rows, HostView<float> to,
                 const Job& job) {
  over_rows(to.rows, sum_rows, job, [&](Index begin, Index count) {
    for (Index i = begin; i < begin + count; ++i)
      std::copy_n(from.row(rows[i]), to.cols, to.row(i));
  });
}

void indicate(std::span<const std::int32_t> labels, float rest, HostView<float> factor,
              const Job& job) {
  over_rows(factor.rows, sum_rows, job, [&](Index begin, Index count) {
    for (Index i = begin; i < begin + count; ++i) {
      std::fill_n(factor.row(i), factor.cols, rest);
      factor(i, labels[i]) += 1;
    }
  });
}

void shift(double value, HostView<float> factor, const Job& job) {
  over_rows(factor.rows, sum_rows, job, [&](Index begin, Index count) {
    for (Index i = begin; i < begin + count; ++i)
      for (Index j = 0; j < factor.cols; ++j) factor(i, j) += static_cast<float>(value);
  });
}

namespace {

// `moved` gives the new value of an entry from its value and share·change. Rows do not overlap, so
// that the loop vectorises.
template <class Moved>
void extrapolate_entries(const Extrapolated& by, HostView<float> factor, Moved moved) {
  const auto share = static_cast<float>(by.share);
  const auto upper = static_cast<float>(by.upper);
  const HostView<float> previous = host(by.previous);
  for (Index i = 0; i < factor.rows; ++i) {
    float* __restrict values = factor.row(i);
    float* __restrict before = previous.row(i);
    for (Index j = 0; j < factor.cols; ++j) {
      const float now = values[j];
      values[j] = std::min(moved(now, share * (now - before[j])), upper);
      before[j] = now;
    }
  }
}

}  // namespace

void extrapolate_rows(const Extrapolated& by, HostView<float> factor) {
  switch (by.kind) {
    case Extrapolation::free:
      return extrapolate_entries(by, factor, [](float f, float change) { return f + change; });
    case Extrapolation::nonnegative:
      return extrapolate_entries(by, factor,
                                 [](float f, float change) { return std::max(0.0f, f + change); });
    case Extrapolation::growth:
      return extrapolate_entries(by, factor,
                                 [](float f, float change) { return f + std::max(0.0f, change); });
  }
  expect(false, "a kind of extrapolation");
}

void extrapolate(const Extrapolated& by, HostView<float> factor, const Job& job) {
  over_rows(factor.rows, sum_rows, job, [&](Index begin, Index count) {
    Extrapolated part = by;
    part.previous = by.previous.row_block(begin, count);
    extrapolate_rows(part, factor.row_block(begin, count));
  });
}

namespace {

// Calls write(element, draw) with the draws for all elements; `draw` is computed when it is called.
template <class Write>
void draw_elements(const Draws& draws, HostView<float> factor, const Job& job, Write write) {
  const CounterRandom random(draws.seed, draws.stream);
  const auto drawn = [&](Index row, Index column) {
    const auto item = static_cast<std::uint32_t>(column);
    if (draws.distribution == Distribution::constant) return 1.0;
    if (draws.distribution == Distribution::uniform) return random.uniform(row, item);
    const double value = random.normal(row, item);
    return draws.distribution == Distribution::normal ? value : std::abs(value);
  };
  over_rows(factor.rows, step_rows, job, [&](Index begin, Index count) {
    for (Index i = begin; i < begin + count; ++i)
      for (Index j = 0; j < factor.cols; ++j)
        write(factor(i, j),
              [&] { return static_cast<float>(draws.scale * drawn(draws.first_row + i, j)); });
  });
}

}  // namespace

void fill_random(const Draws& draws, HostView<float> factor, const Job& job) {
  draw_elements(draws, factor, job, [](float& x, const auto& draw) { x = draw(); });
}

void raise_small(float smallest, const Draws& draws, HostView<float> factor, const Job& job) {
  draw_elements(draws, factor, job,
                [&](float& x, const auto& draw) { x = x <= smallest ? draw() : x; });
}

}  // namespace gemmine::cpu
