// Does OpenBLAS give the same bits when many threads call it at once? In a build without locks
// around its buffers a few thousand of a million products are wrong.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

#include "check.h"
#include "core/linear_algebra.h"
#include "oracle.h"

namespace {

using gemmine::HostView;
using gemmine::Index;

constexpr int callers = 16;

struct Product {
  Index rows;
  Index depth;
  Index cols;
  std::vector<float> A;
  std::vector<float> B;
  std::vector<float> C;

  Product(Index rows, Index depth, Index cols, std::uint64_t seed)
      : rows(rows),
        depth(depth),
        cols(cols),
        A(oracle::random(rows, depth, seed).floats()),
        B(oracle::random(depth, cols, seed + 1).floats()),
        C(multiply()) {}

  std::vector<float> multiply() const {
    std::vector<float> out(rows * cols);
    gemmine::multiply(HostView<const float>{A.data(), rows, depth, depth},
                      HostView<const float>{B.data(), depth, cols, cols},
                      HostView<float>{out.data(), rows, cols, cols});
    return out;
  }
};

// What the library asks of it in float64: AᵀA, a triangular solve, eigenvectors.
struct Small {
  Index k;
  std::vector<double> A;  // [3k×k]
  std::vector<double> answer;

  Small(Index k, std::uint64_t seed)
      : k(k), A(oracle::random(3 * k, k, seed).data), answer(computed()) {}

  std::vector<double> computed() const {
    std::vector<double> gram(k * k);
    const HostView<double> square = {gram.data(), k, k, k};
    gemmine::multiply_at_a({A.data(), 3 * k, k, k}, square, gemmine::Into::replace);
    std::vector<double> vectors(k * k);
    for (Index i = 0; i < k; ++i)
      for (Index j = 0; j < k; ++j) vectors[i * k + j] = gram[std::min(i, j) * k + std::max(i, j)];
    std::vector<double> rows = vectors;
    gemmine::symmetric_eigen({vectors.data(), k, k, k});
    for (Index i = 0; i < k; ++i) gram[i * k + i] += 1;  // any triangle with a safe diagonal
    for (Index i = 0; i < k; ++i)
      for (Index j = 0; j < i; ++j) gram[i * k + j] = gram[j * k + i] / k;
    gemmine::solve_rows(HostView<const double>{gram.data(), k, k, k},
                        HostView<double>{rows.data(), k, k, k});
    rows.insert(rows.end(), vectors.begin(), vectors.end());
    return rows;
  }
};

}  // namespace

int main() {
  gemmine::hold_products_to_one_thread();
  const std::vector<Product> products = {
      {24, 40, 16, 1}, {7, 64, 33, 3}, {48, 96, 8, 5}, {64, 128, 32, 7}};
  const std::vector<Small> smalls = {{5, 9}, {16, 11}, {33, 13}};
  // GEMMINE_BLAS_TEST_PRODUCTS shortens it under emulators.
  const char* wanted = std::getenv("GEMMINE_BLAS_TEST_PRODUCTS");
  const long total = wanted == nullptr ? 1'000'000 : std::atol(wanted);
  std::atomic<long> wrong = 0;
  std::vector<std::thread> threads;
  for (int caller = 0; caller < callers; ++caller)
    threads.emplace_back([&, caller] {
      for (long i = 0; i < total / callers; ++i) {
        const Product& product = products[(i + caller) % products.size()];
        if (product.multiply() != product.C) ++wrong;
        if (i % 32 != 0) continue;
        const Small& small = smalls[(i / 32 + caller) % smalls.size()];
        if (small.computed() != small.answer) ++wrong;
      }
    });
  for (std::thread& thread : threads) thread.join();
  test::check(wrong == 0, std::to_string(wrong) + " wrong answers");
  return test::report("blas");
}
