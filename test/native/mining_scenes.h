#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "mining_oracle.h"

// Data to search and to mine: random, tied, degenerate, huge and tiny, and planted against a filter
// without a bound.
namespace test {

using gemmine::Job;

inline constexpr Metric metrics[] = {Metric::cosine, Metric::dot, Metric::l2};
inline const char* name_of(Metric metric) {
  constexpr const char* names[] = {"cosine", "dot", "l2"};
  return names[static_cast<int>(metric)];
}

inline Job job_of(Index threads) { return {.cancellation = {}, .report = {}, .threads = threads}; }

inline std::unique_ptr<gemmine::RowSource> source_of(const Rows& rows) {
  return gemmine::dense_source(rows.values.data(), gemmine::ElementType::float32, rows.rows, rows.d,
                               rows.d);
}

inline float nudged(float value, int ulps) {
  std::int32_t bits;
  std::memcpy(&bits, &value, 4);
  bits += ulps;
  std::memcpy(&value, &bits, 4);
  return value;
}

inline constexpr Index kinds = 10;

inline Rows random_rows(Index kind, Index rows, Index d, Dice& dice) {
  Rows made{rows, d, std::vector<float>(rows * d)};
  for (Index i = 0; i < rows; ++i) {
    const double size = std::pow(10.0, 3 * dice.uniform());
    for (Index t = 0; t < d; ++t) {
      const double x = dice.normal();
      float& to = made.values[i * d + t];
      switch (kind) {
        case 0:
          to = static_cast<float>(x);
          break;
        case 1:
          to = static_cast<float>(dice.below(3)) - 1.0f;
          break;  // many equal scores
        case 2:
          to = dice.chance(2) ? 0.0f : -0.0f;
          break;
        case 3:
          to = static_cast<float>(1e4 + x);
          break;
        case 4:
          to = static_cast<float>(1e18 * x);
          break;
        case 5:
          to = static_cast<float>(1e-40 * x);
          break;
        case 6:
          to = static_cast<float>(size * x);
          break;
        case 7:
          to = dice.chance(4) ? static_cast<float>(std::abs(x)) : 0.0f;
          break;
        case 8:
          to = static_cast<float>(1e25 * x);
          break;
        default:
          to = i % 3 == 0 ? 0.0f : static_cast<float>(x * std::pow(10.0, 60 * dice.uniform() - 40));
          break;
      }
    }
  }
  // Some rows say the same, some of those at twice the length.
  for (Index i = 1; i < rows; ++i)
    if (dice.chance(7)) {
      const float factor = dice.chance(2) ? 2.0f : 1.0f;
      const Index from = dice.below(i);
      for (Index t = 0; t < d; ++t) made.values[i * d + t] = factor * made.values[from * d + t];
    }
  return made;
}

// One row many times, each a few ulp off in one column; every other one turned round, so that
// centring does not help.
inline Rows twins(Index rows, Index d, Dice& dice) {
  Rows made{rows, d, std::vector<float>(rows * d)};
  for (Index t = 0; t < d; ++t) made.values[t] = static_cast<float>(dice.normal());
  for (Index i = 1; i < rows; ++i) {
    for (Index t = 0; t < d; ++t) made.values[i * d + t] = made.values[t];
    float& moved = made.values[i * d + dice.below(d)];
    moved = nudged(moved, static_cast<int>(dice.below(9)) - 4);
  }
  for (Index i = 1; i < rows; i += 2)
    for (Index t = 0; t < d; ++t) made.values[i * d + t] *= -1;
  return made;
}

inline std::vector<std::int32_t> some_rows(Index count, Index limit, Dice& dice) {
  std::vector<std::int32_t> rows;
  for (Index i = 0; i < count; ++i) rows.push_back(static_cast<std::int32_t>(dice.below(limit)));
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return rows;
}

}  // namespace test
