// Does OpenBLAS give the same bits when many threads call it at once? A build without locks around
// its buffers does not: a few thousand wrong products in a million.
#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

#include "backend/cpu/products.h"
#include "check.h"
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
    gemmine::cpu::multiply(HostView<const float>{A.data(), rows, depth, depth},
                           HostView<const float>{B.data(), depth, cols, cols},
                           HostView<float>{out.data(), rows, cols, cols});
    return out;
  }
};

}  // namespace

int main() {
  gemmine::cpu::hold_products_to_one_thread();
  const std::vector<Product> products = {{24, 40, 16, 1}, {7, 64, 33, 3}, {48, 96, 8, 5},
                                         {64, 128, 32, 7}};
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
      }
    });
  for (std::thread& thread : threads) thread.join();
  test::check(wrong == 0, std::to_string(wrong) + " wrong products");
  return test::report("blas");
}
