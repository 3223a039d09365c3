#include "backend/cpu/orthonormal_rows.h"

#include <vector>

#include "backend/cpu/over_rows.h"
#include "core/linear_algebra.h"
#include "core/pool.h"

namespace gemmine::cpu {
namespace {

// Least share of a squared length that is left of a row without its parts along those before it.
// CholeskyQR leaves an error of about 1e-16 divided by it, which a second round removes.
constexpr double least_pivot = 1e-11;

// The lower triangle of A Aᵀ, over fixed blocks of columns.
std::vector<double> gram_of_rows(HostView<double> A, const Job& job) {
  const Index k = A.rows;
  return sum_over_rows(A.cols, static_cast<std::size_t>(k * k), job,
                       [&](Index begin, Index count, std::vector<double>& sums) {
                         multiply_a_at(A.column_block(begin, count), {sums.data(), k, k, k});
                       });
}

}  // namespace

// CholeskyQR2: Fukaya, Nakatsukasa, Yanagisawa & Yamamoto (2014), "CholeskyQR2: a simple and
// communication-avoiding algorithm for computing a tall-skinny QR factorization on a large-scale
// parallel system", ScalA 2014.
void orthonormalise_rows(HostView<double> A, const Job& job) {
  const Index k = A.rows;
  for (int round = 0; round < 2; ++round) {
    std::vector<double> gram = gram_of_rows(A, job);
    const HostView<double> L = {gram.data(), k, k, k};
    double pivot = 0;
    on_pool([&] { pivot = factorize_cholesky(L); });
    if (pivot < least_pivot) return on_pool([&] { gemmine::orthonormalise_rows(A); });
    over_rows(A.cols, sum_rows, job,
              [&](Index begin, Index count) { solve_lower(L, A.column_block(begin, count)); });
  }
}

}  // namespace gemmine::cpu
