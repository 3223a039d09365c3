#pragma once

#include <vector>

#include "backend/cpu/ordered_blocks.h"
#include "backend/cpu/row_blocks.h"

namespace gemmine::cpu {

constexpr Index sum_rows = 512;  // float64 sums of a block are merged in order

// Calls body(first row, count) for fixed blocks of rows.
template <class Body>
void over_rows(Index rows, Index most, const Job& job, Body body) {
  const std::vector<Index> firsts = even_parts(rows, most);
  parallel_for(job, static_cast<Index>(firsts.size()) - 1,
               [&](Index block, Index) { body(firsts[block], firsts[block + 1] - firsts[block]); });
}

// Calls add(first row, count, sums) for fixed blocks of rows; returns the total, summed in block
// order.
template <class Add>
std::vector<double> sum_over_rows(Index rows, std::size_t length, const Job& job, Add add) {
  const std::vector<Index> firsts = even_parts(rows, sum_rows);
  std::vector<double> total(length);
  std::vector<std::vector<double>> partial;
  reduce_in_order(
      job, static_cast<Index>(firsts.size()) - 1, partial,
      [&](Index block, Index, std::vector<double>& sums) {
        sums.assign(length, 0.0);
        add(firsts[block], firsts[block + 1] - firsts[block], sums);
      },
      [&](const std::vector<double>& sums) {
        for (std::size_t i = 0; i < length; ++i) total[i] += sums[i];
      });
  return total;
}

}  // namespace gemmine::cpu
