// The rate of a square sgemm under the conditions of the library: OpenBLAS with one thread per
// call, row blocks spread over our own threads. Usage: roofline THREADS SIZE REPEATS; for each line
// on standard input it prints the best rate of REPEATS products, in GFLOP/s.
#include <cblas.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

extern "C" void openblas_set_num_threads(int);

namespace {

std::vector<float> random_square(int size, std::uint32_t state) {
  std::vector<float> matrix(static_cast<std::size_t>(size) * size);
  for (float& entry : matrix) {
    state = state * 1664525u + 1013904223u;
    entry = static_cast<float>(state >> 8) * 0x1p-23f - 1.0f;
  }
  return matrix;
}

class SquareProduct {
 public:
  SquareProduct(int threads, int size)
      : size_(size),
        a_(random_square(size, 1)),
        b_(random_square(size, 2)),
        c_(a_.size()),
        gate_(threads + 1) {
    for (int thread = 0; thread < threads; ++thread) {
      workers_.emplace_back([this, begin = size * thread / threads,
                             end = size * (thread + 1) / threads] { work(begin, end); });
    }
  }

  ~SquareProduct() {
    stopping_ = true;
    gate_.arrive_and_wait();
  }

  double seconds() {
    const auto start = std::chrono::steady_clock::now();
    gate_.arrive_and_wait();
    gate_.arrive_and_wait();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

 private:
  // Computes rows [begin, end) of C = A·B each time the gate opens.
  void work(int begin, int end) {
    for (;;) {
      gate_.arrive_and_wait();
      if (stopping_) return;
      const std::size_t offset = static_cast<std::size_t>(begin) * size_;
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, end - begin, size_, size_, 1.0f,
                  a_.data() + offset, size_, b_.data(), size_, 0.0f, c_.data() + offset, size_);
      gate_.arrive_and_wait();
    }
  }

  int size_;
  std::vector<float> a_;
  std::vector<float> b_;
  std::vector<float> c_;
  bool stopping_ = false;
  std::barrier<> gate_;
  std::vector<std::jthread> workers_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "Usage: roofline THREADS SIZE REPEATS\n");
    return 2;
  }
  openblas_set_num_threads(1);
  const int size = std::atoi(argv[2]);
  const int repeats = std::atoi(argv[3]);
  SquareProduct product(std::atoi(argv[1]), size);
  product.seconds();
  for (std::string line; std::getline(std::cin, line);) {
    double best = product.seconds();
    for (int repeat = 1; repeat < repeats; ++repeat) best = std::min(best, product.seconds());
    std::printf("%.2f\n", 2e-9 * size * size * size / best);
    std::fflush(stdout);
  }
}
