#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "backend/cpu/masked_rows.h"
#include "backend/cpu/pass.h"
#include "backend/cpu/row_blocks.h"
#include "core/pool.h"
#include "core/row_reader.h"

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

struct SourceSums {
  ElementSums elements = {0, 0, std::numeric_limits<float>::infinity(), 0};
  double count = 0;
  double weight = 0;
};

// Memory of one thread.
struct ExamineScratch {
  RowScratch rows;
  SeenEntries seen;
  std::vector<char> stored;
};

class Examination {
 public:
  Examination(const Kernels& kernels, const Examined& examined)
      : kernels_(kernels), examined_(examined), X_(examined.X), rows_(X_) {}

  SourceSums block(Index begin, Index count, ExamineScratch& scratch) const {
    const RowBlock rows = rows_.block(begin, count, scratch.rows);
    if (!examined_.mask.all_pass()) return masked(rows, scratch);
    return X_.sparse() ? sparse(rows, scratch) : dense(rows);
  }

 private:
  SourceSums dense(const RowBlock& rows) const {
    SourceSums sums;
    for (Index i = 0; i < rows.count; ++i)
      take(rows.begin + i, rows.dense.row(i), rows.dense.cols, nullptr, sums);
    return sums;
  }

  SourceSums sparse(const RowBlock& rows, ExamineScratch& scratch) const {
    SourceSums sums;
    for (Index i = 0; i < rows.count; ++i) {
      const auto from = static_cast<Index>(rows.indptr[i]);
      const Index count = static_cast<Index>(rows.indptr[i + 1]) - from;
      take(rows.begin + i, rows.values + from, count, rows.indices + from, sums);
      add_zeros(rows.begin + i, {rows.indices + from, static_cast<std::size_t>(count)}, scratch,
                sums);
    }
    return sums;
  }

  // Sums over the entries that a mask does not exclude.
  SourceSums masked(const RowBlock& rows, ExamineScratch& scratch) const {
    SourceSums sums;
    for (Index i = 0; i < rows.count; ++i) {
      seen_entries(rows, i, X_.cols(), examined_.mask, scratch.seen);
      take(rows.begin + i, scratch.seen.values.data(),
           static_cast<Index>(scratch.seen.values.size()), scratch.seen.columns.data(), sums);
      if (!X_.sparse()) continue;
      const auto from = static_cast<Index>(rows.indptr[i]);
      const Index count = static_cast<Index>(rows.indptr[i + 1]) - from;
      add_zeros(rows.begin + i, {rows.indices + from, static_cast<std::size_t>(count)}, scratch,
                sums);
    }
    return sums;
  }

  void take(Index row, const float* values, Index count, const std::int32_t* columns,
            SourceSums& sums) const {
    ElementSums found = kernels_.summarize(values, count);
    if (bad(found, values, count)) reject(row, values, count, columns);
    found.squared_norm *= weight_of(row);
    add(sums.elements, found);
    count_entries(row, static_cast<double>(count), sums);
  }

  double weight_of(Index row) const {
    return examined_.row_weights.empty() ? 1 : double{examined_.row_weights[row]};
  }
  void count_entries(Index row, double count, SourceSums& sums) const {
    sums.count += count;
    sums.weight += count * weight_of(row);
  }

  // Entries that CSR does not store are 0, and count unless a mask excludes them.
  void add_zeros(Index row, std::span<const std::int32_t> stored, ExamineScratch& scratch,
                 SourceSums& sums) const {
    if (examined_.mask.implicit_is_missing) return;
    const Index cols = X_.cols();
    const bool by_place = examined_.mask.seen != nullptr || examined_.mask.held_out != 0;
    if (!by_place && examined_.sign != EntrySign::positive) {
      const double zeros = static_cast<double>(cols) - static_cast<double>(stored.size());
      if (zeros > 0) sums.elements.smallest = std::min(sums.elements.smallest, 0.0f);
      count_entries(row, std::max(0.0, zeros), sums);
      return;
    }
    scratch.stored.assign(static_cast<std::size_t>(cols), 0);
    for (const std::int32_t column : stored) scratch.stored[column] = 1;
    for (Index t = 0; t < cols; ++t) {
      if (scratch.stored[t] != 0 || !is_seen(examined_.mask, row, t, cols, 0)) continue;
      if (examined_.sign == EntrySign::positive) reject_sign(row, t, 0);
      sums.elements.smallest = std::min(sums.elements.smallest, 0.0f);
      count_entries(row, 1, sums);
    }
  }

  bool bad(const ElementSums& sums, const float* values, Index count) const {
    if (sums.largest_bits >= infinity_bits) return true;
    if (examined_.sign == EntrySign::binary)
      return !std::all_of(values, values + count, [&](float x) { return fits(x); });
    return !fits(sums.smallest);
  }
  bool fits(float value) const { return has_sign(examined_.sign, value); }

  // Throws at the first invalid element of a row, if any.
  void reject(Index row, const float* values, Index count, const std::int32_t* columns) const {
    for (Index t = 0; t < count; ++t) {
      const Index column = columns == nullptr ? t : columns[t];
      if (!std::isfinite(values[t])) throw not_finite(X_, row, column);
      if (!fits(values[t])) reject_sign(row, column, X_.entry(row, column));
    }
  }
  [[noreturn]] void reject_sign(Index row, Index column, double value) const {
    throw InvalidEntry(X_.argument, row, column, value, expected_of(examined_.sign));
  }

  const Kernels& kernels_;
  const Examined& examined_;
  const RowSource& X_;
  const RowReader rows_;
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

SourceNorm examine(const Kernels& kernels, const Examined& examined, const Job& job) {
  const Examination examination(kernels, examined);
  const std::vector<Index> firsts = examined_blocks(examined.X);
  std::vector<SourceSums> sums(firsts.size() - 1);
  std::vector<ExamineScratch> scratch(static_cast<std::size_t>(worker_count(job)));
  parallel_for(job, static_cast<Index>(sums.size()), [&](Index block, Index worker) {
    sums[block] =
        examination.block(firsts[block], firsts[block + 1] - firsts[block], scratch[worker]);
  });

  SourceSums total;
  for (const SourceSums& block : sums) {
    add(total.elements, block.elements);
    total.count += block.count;
    total.weight += block.weight;
  }
  const ElementSums& elements = total.elements;
  const int exponent = exponent_of(elements.largest_bits);
  return {.squared_norm = std::ldexp(elements.squared_norm, -2 * exponent),
          .exponent = exponent,
          .sum = std::ldexp(elements.sum, -exponent),
          .smallest = elements.smallest,
          .count = total.count,
          .weight = total.weight};
}

}  // namespace gemmine::cpu
