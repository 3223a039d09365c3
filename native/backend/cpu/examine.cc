#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "backend/cpu/pass.h"
#include "backend/cpu/pool.h"
#include "backend/cpu/row_blocks.h"

namespace gemmine::cpu {
namespace {

constexpr std::int32_t infinity_bits = 0x7F800000;
constexpr Index block_elements = 1 << 16;

void add(ElementSums& total, const ElementSums& part) {
  total.squared_norm += part.squared_norm;
  total.sum += part.sum;
  total.smallest = std::min(total.smallest, part.smallest);
  total.largest_bits = std::max(total.largest_bits, part.largest_bits);
}

constexpr ElementSums no_elements = {0, 0, std::numeric_limits<float>::infinity(), 0};

class Examination {
 public:
  Examination(const Kernels& kernels, const RowSource& X, bool nonnegative)
      : kernels_(kernels), X_(X), nonnegative_(nonnegative) {}

  ElementSums block(Index begin, Index count, RowScratch& scratch) const {
    const RowBlock rows = X_.block(begin, count, scratch);
    return X_.sparse() ? sparse(rows) : dense(rows);
  }

 private:
  ElementSums dense(const RowBlock& rows) const {
    ElementSums sums = no_elements;
    for (Index i = 0; i < rows.count; ++i) {
      const ElementSums row = kernels_.summarize(rows.dense.row(i), rows.dense.cols);
      if (bad(row)) reject(rows.begin + i, rows.dense.row(i), rows.dense.cols, nullptr);
      add(sums, row);
    }
    return sums;
  }

  ElementSums sparse(const RowBlock& rows) const {
    const auto first = static_cast<Index>(rows.indptr[0]);
    const auto end = static_cast<Index>(rows.indptr[rows.count]);
    const ElementSums sums = kernels_.summarize(rows.values + first, end - first);
    if (bad(sums))
      for (Index i = 0; i < rows.count; ++i) {
        const auto from = static_cast<Index>(rows.indptr[i]);
        reject(rows.begin + i, rows.values + from, static_cast<Index>(rows.indptr[i + 1]) - from,
               rows.indices + from);
      }
    return sums;
  }

  bool bad(const ElementSums& sums) const {
    return sums.largest_bits >= infinity_bits || (nonnegative_ && sums.smallest < 0);
  }

  // Throws at the first bad element of a row, if it has one.
  void reject(Index row, const float* values, Index count, const std::int32_t* columns) const {
    for (Index t = 0; t < count; ++t) {
      const Index column = columns == nullptr ? t : columns[t];
      if (!std::isfinite(values[t])) throw not_finite(X_, row, column);
      if (nonnegative_ && values[t] < 0)
        throw InvalidEntry(X_.argument, row, column, X_.entry(row, column),
                           "a non-negative number");
    }
  }

  const Kernels& kernels_;
  const RowSource& X_;
  const bool nonnegative_;
};

std::vector<Index> examined_blocks(const RowSource& X) {
  return X.sparse() ? row_blocks(X)
                    : even_parts(X.rows(), std::max<Index>(1, block_elements / X.cols()));
}

// max|X| = m·2^e with m in [1, 2).
int exponent_of(std::int32_t largest_bits) {
  return largest_bits == 0 ? 0 : std::ilogb(std::bit_cast<float>(largest_bits));
}

}  // namespace

SourceNorm examine(const Kernels& kernels, const RowSource& X, bool nonnegative, const Job& job) {
  const Examination examination(kernels, X, nonnegative);
  const std::vector<Index> firsts = examined_blocks(X);
  std::vector<ElementSums> sums(firsts.size() - 1, no_elements);
  std::vector<RowScratch> scratch(static_cast<std::size_t>(worker_count(job)));
  parallel_for(job, static_cast<Index>(sums.size()), [&](Index block, Index worker) {
    sums[block] =
        examination.block(firsts[block], firsts[block + 1] - firsts[block], scratch[worker]);
  });

  ElementSums total = no_elements;
  for (const ElementSums& block : sums) add(total, block);
  // Zeros that CSR does not hold.
  if (X.sparse() && X.nonzeros() < X.rows() * X.cols())
    total.smallest = std::min(total.smallest, 0.0f);
  const int exponent = exponent_of(total.largest_bits);
  return {.squared_norm = std::ldexp(total.squared_norm, -2 * exponent),
          .exponent = exponent,
          .sum = std::ldexp(total.sum, -exponent),
          .smallest = total.smallest};
}

}  // namespace gemmine::cpu
