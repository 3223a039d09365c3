#include <algorithm>
#include <limits>

#include "backend/cpu/factor_operations.h"
#include "backend/cpu/over_rows.h"

// Signs, extremes and shifts of factors, for starts from singular vectors; see Passes.
namespace gemmine::cpu {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// The least and the largest value of each column.
struct Extremes {
  std::vector<double> least;
  std::vector<double> most;
};

// Calls widen(row, extremes) for all rows. The order of the rows does not matter, so each thread
// has its own extremes.
template <class Widen>
Extremes extremes(HostView<const float> factor, const Extremes& start, const Job& job,
                  Widen widen) {
  std::vector<Extremes> of_worker(static_cast<std::size_t>(worker_count(job)), start);
  const std::vector<Index> firsts = even_parts(factor.rows, sum_rows);
  parallel_for(job, static_cast<Index>(firsts.size()) - 1, [&](Index block, Index worker) {
    for (Index i = firsts[block]; i < firsts[block + 1]; ++i) widen(i, of_worker[worker]);
  });
  Extremes all = start;
  for (const Extremes& each : of_worker)
    for (Index j = 0; j < factor.cols; ++j) {
      all.least[j] = std::min(all.least[j], each.least[j]);
      all.most[j] = std::max(all.most[j], each.most[j]);
    }
  return all;
}

}  // namespace

ColumnParts column_parts(HostView<const float> factor, const Job& job) {
  const auto k = static_cast<std::size_t>(factor.cols);
  const std::vector<double> sums = sum_over_rows(
      factor.rows, 4 * k, job, [&](Index begin, Index count, std::vector<double>& to) {
        for (Index i = begin; i < begin + count; ++i)
          for (std::size_t j = 0; j < k; ++j) {
            const double value = factor(i, static_cast<Index>(j));
            const std::size_t at = value > 0 ? j : k + j;
            to[at] += value * value;
            if (value != 0) to[2 * k + at] += 1;
          }
      });
  const Extremes range =
      extremes(factor, {std::vector<double>(k, infinity), std::vector<double>(k, -infinity)}, job,
               [&](Index i, Extremes& of) {
                 for (std::size_t j = 0; j < k; ++j) {
                   const double value = factor(i, static_cast<Index>(j));
                   of.least[j] = std::min(of.least[j], value);
                   of.most[j] = std::max(of.most[j], value);
                 }
               });
  const auto quarter = [&](std::size_t at) {
    return std::vector<double>(sums.begin() + static_cast<Index>(at * k),
                               sums.begin() + static_cast<Index>((at + 1) * k));
  };
  return {.positive = quarter(0),
          .negative = quarter(1),
          .positives = quarter(2),
          .negatives = quarter(3),
          .least = {range.least.begin(), range.least.end()},
          .most = {range.most.begin(), range.most.end()}};
}

ColumnRatios ratios_to_first(HostView<const float> factor, const Job& job) {
  const auto k = static_cast<std::size_t>(factor.cols);
  Extremes range = extremes(
      factor, {std::vector<double>(k), std::vector<double>(k)}, job, [&](Index i, Extremes& of) {
        const double first = factor(i, 0);
        for (std::size_t j = 0; j < k; ++j) {
          const double value = factor(i, static_cast<Index>(j));
          if (value == 0) continue;
          of.least[j] = std::min(of.least[j], first > 0 ? value / first : -infinity);
          of.most[j] = std::max(of.most[j], first > 0 ? value / first : infinity);
        }
      });
  return {.least = std::move(range.least), .most = std::move(range.most)};
}

void add_first(std::span<const double> shares, double scale, HostView<float> factor,
               const Job& job) {
  over_rows(factor.rows, sum_rows, job, [&](Index begin, Index count) {
    for (Index i = begin; i < begin + count; ++i) {
      const double first = factor(i, 0);
      for (Index j = 0; j < factor.cols; ++j)
        factor(i, j) = static_cast<float>(scale * (factor(i, j) + shares[j] * first));
    }
  });
}

void lift_rows(double scale, double least, HostView<float> factor, const Job& job) {
  over_rows(factor.rows, sum_rows, job, [&](Index begin, Index count) {
    for (Index i = begin; i < begin + count; ++i) {
      float* row = factor.row(i);
      float* last = row + factor.cols - 1;
      const double shift = least - std::min(0.0, scale * *std::min_element(row, last));
      for (float* each = row; each < last; ++each)
        *each = static_cast<float>(scale * *each + shift);
      *last = static_cast<float>(shift);
    }
  });
}

void clamp(float least, float most, HostView<float> factor, const Job& job) {
  over_rows(factor.rows, sum_rows, job, [&](Index begin, Index count) {
    for (Index i = begin; i < begin + count; ++i)
      for (Index j = 0; j < factor.cols; ++j) factor(i, j) = std::clamp(factor(i, j), least, most);
  });
}

}  // namespace gemmine::cpu
