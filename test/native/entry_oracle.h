#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "backend/passes.h"
#include "core/row_block.h"

// The entries of X and their contributions to a pass, by definition, in float64.
namespace oracle {

using namespace gemmine;

inline double weight(std::span<const float> weights, Index row) {
  return weights.empty() ? 1.0 : double{weights[row]};
}

inline void dense_row(const RowSource& X, Index row, RowScratch& scratch, std::vector<double>& x) {
  const RowBlock block = X.block(row, 1, scratch);
  if (block.dense.data != nullptr) {
    std::copy_n(block.dense.data, x.size(), x.begin());
    return;
  }
  std::ranges::fill(x, 0.0);
  for (auto e = static_cast<Index>(block.indptr[0]); e < static_cast<Index>(block.indptr[1]); ++e)
    x[block.indices[e]] += block.values[e];
}

// Calls visit(row, column, x) for the entries that a mask keeps.
template <class Visit>
void each_entry(const RowSource& X, const Mask& mask, const Visit& visit) {
  RowScratch scratch;
  std::vector<double> x(X.cols());
  std::vector<char> stored(X.cols());
  for (Index i = 0; i < X.rows(); ++i) {
    dense_row(X, i, scratch, x);
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

// An entry of X that counts, scaled and with noise.
struct Entry {
  Index row;
  Index column;
  double x;
};

inline std::vector<Entry> entries_of(const Pass& pass, const Group& group) {
  std::vector<Entry> entries;
  const RowRange rows = rows_of(pass);
  each_entry(pass.X, group.mask, [&](Index row, Index column, double x) {
    if (row < rows.begin || row >= rows.begin + rows.count) return;
    const auto given = static_cast<float>(x);
    const float noisy =
        group.noise.amplitude == 0 ? given : perturbed(given, group.noise, row, column);
    entries.push_back({row, column, std::ldexp(noisy, -exponent_of(pass, group))});
  });
  return entries;
}

inline double model(BackendView<const float> W, BackendView<const float> Ht, const Entry& entry) {
  double v = 0;
  for (Index j = 0; j < W.cols; ++j) v += double{W.row(entry.row)[j]} * Ht.row(entry.column)[j];
  return v;
}

inline double divergence(double x, double v, double beta) {
  if (beta == 2) return 0.5 * (x - v) * (x - v);
  if (beta == 1) return (x == 0 ? 0 : x * std::log(x / v)) - x + v;
  if (beta == 0) return x / v - std::log(x / v) - 1;
  return (std::pow(x, beta) + (beta - 1) * std::pow(v, beta) - beta * x * std::pow(v, beta - 1)) /
         (beta * (beta - 1));
}

// The contribution of an entry, by definition.
inline double contribution(double x, double v, const Loss& loss) {
  const double p = loss.parameter;
  const double r = std::abs(x - v);
  if (loss.kind == LossKind::huber) return r <= p ? r * r / 2 : p * (r - p / 2);
  if (loss.kind == LossKind::correntropy) return -p * p * std::expm1(-r * r / (2 * p * p));
  if (loss.kind == LossKind::negative_binomial)
    return (x == 0 ? 0 : x * std::log(x / v)) - (x + p) * std::log((x + p) / (v + p));
  return divergence(x, v, loss.beta);
}

// ‖x_i − v_i‖² of each row, over the entries that count.
inline std::vector<double> square_lengths(const Group& group, const std::vector<Entry>& entries) {
  std::vector<double> squares(group.W.rows);
  for (const Entry& entry : entries) {
    const double r = entry.x - model(group.W, group.Ht, entry);
    squares[entry.row] += r * r;
  }
  return squares;
}

// The weight of the squares that bound the loss, from a residual or the length of a row.
inline double square_weight(double r, const Loss& loss) {
  const double p = loss.parameter;
  switch (loss.kind) {
    case LossKind::huber:
      return std::min(1.0, p / std::abs(r));
    case LossKind::row_length:
      return 1 / std::max(r, p);
    case LossKind::correntropy:
    case LossKind::row_correntropy: {
      const double weight = std::exp(-r * r / (2 * p * p));
      return weight < 0x1p-60 ? 0 : weight;
    }
    default:
      return 1;
  }
}

// The loss of the pair, rows weighted.
inline double loss_of(const Group& group, const std::vector<Entry>& entries, const Loss& loss,
                      std::span<const float> weights) {
  double sum = 0;
  if (!is_of_rows(loss)) {
    for (const Entry& entry : entries) {
      const double v = model(group.W, group.Ht, entry);
      sum += weight(weights, entry.row) *
             contribution(entry.x, group.own_normals ? v : std::max(0x1p-60, v), loss);
    }
    return loss.multiple * sum;
  }
  std::vector<char> read(group.W.rows);
  for (const Entry& entry : entries) read[entry.row] = 1;
  const std::vector<double> squares = square_lengths(group, entries);
  for (Index i = 0; i < group.W.rows; ++i) {
    const double t = std::sqrt(squares[i]);
    const double e = loss.parameter;
    const double contributes = loss.kind == LossKind::row_correntropy
                                   ? -e * e * std::expm1(-t * t / (2 * e * e))
                               : t < e ? (t * t + e * e) / (2 * e)
                                       : t;
    if (read[i] != 0) sum += weight(weights, i) * contributes;
  }
  return loss.multiple * sum;
}

// Numerators and denominators, for the rows of W, or of Ht.
struct Terms {
  std::vector<double> above;
  std::vector<double> below;
};
template <class Weight>
Terms terms(const Group& group, const std::vector<Entry>& entries, const Loss& loss, bool of_rows,
            Weight weight) {
  const Index k = group.Ht.cols;
  const Index rows = of_rows ? group.W.rows : group.Ht.rows;
  Terms sums{std::vector<double>(rows * k), std::vector<double>(rows * k)};
  const std::vector<double> squares = square_lengths(group, entries);
  for (const Entry& entry : entries) {
    const double v = std::max(0x1p-60, model(group.W, group.Ht, entry));
    double above = entry.x * std::pow(v, loss.beta - 2);
    double below = std::pow(v, loss.beta - 1);
    if (loss.kind == LossKind::negative_binomial) {
      const double s = loss.parameter;
      above = entry.x / v * (loss.beta == 0 ? (1 + s) / (v + s) : 1);
      below = (loss.beta == 0 ? 1 + s : entry.x + s) / (v + s);
    }
    double share = weight(entry.row);
    share *= square_weight(is_of_rows(loss) ? std::sqrt(squares[entry.row]) : entry.x - v, loss);
    for (Index j = 0; j < k; ++j) {
      const Index to = (of_rows ? entry.row : entry.column) * k + j;
      const double other = of_rows ? group.Ht.row(entry.column)[j] : group.W.row(entry.row)[j];
      sums.above[to] += share * above * other;
      sums.below[to] += share * below * other;
    }
  }
  return sums;
}

// S [rows×k] and own normal matrices [rows×k×k], for the rows of W, or of Ht.
struct OwnNormals {
  std::vector<double> cross;
  std::vector<double> normals;
};
template <class Weight>
OwnNormals own_normals(const Group& group, const std::vector<Entry>& entries, const Loss& loss,
                       bool of_rows, Weight weight) {
  const Index k = group.Ht.cols;
  const Index rows = of_rows ? group.W.rows : group.Ht.rows;
  OwnNormals sums{std::vector<double>(rows * k), std::vector<double>(rows * k * k)};
  const std::vector<double> squares = square_lengths(group, entries);
  for (const Entry& entry : entries) {
    const double r = is_of_rows(loss) ? std::sqrt(squares[entry.row])
                                      : entry.x - model(group.W, group.Ht, entry);
    const double share = weight(entry.row) * square_weight(r, loss);
    const Index to = of_rows ? entry.row : entry.column;
    const float* other = of_rows ? group.Ht.row(entry.column) : group.W.row(entry.row);
    for (Index a = 0; a < k; ++a) {
      sums.cross[to * k + a] += share * entry.x * other[a];
      for (Index b = 0; b < k; ++b)
        sums.normals[(to * k + a) * k + b] += share * other[a] * other[b];
    }
  }
  return sums;
}

}  // namespace oracle
