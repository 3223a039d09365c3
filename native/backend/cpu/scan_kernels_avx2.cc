#include <immintrin.h>

#include <cstdint>

namespace gemmine::cpu {
namespace {

struct Lanes {
  using Vector = __m256;
  using Doubles = __m256d;
  static constexpr int width = 8;
  static constexpr int block_queries = 6;  // 12 of 16 registers hold sums

  static Vector load(const float* from) { return _mm256_loadu_ps(from); }
  static void store(Vector x, float* to) { _mm256_storeu_ps(to, x); }
  static Vector broadcast(float x) { return _mm256_set1_ps(x); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
  static Doubles widen(const float* from) { return _mm256_cvtps_pd(_mm_loadu_ps(from)); }
  static Doubles add_product(Doubles a, Doubles b, Doubles c) { return _mm256_fmadd_pd(a, b, c); }
  static std::uint32_t not_less(Vector a, Vector b) {
    return bits(_mm256_cmp_ps(a, b, _CMP_NLT_UQ));
  }
  static std::uint32_t not_at_most(Vector a, Vector b) {
    return bits(_mm256_cmp_ps(a, b, _CMP_NLE_UQ));
  }
  static std::uint32_t greater(Vector a, Vector b) { return bits(_mm256_cmp_ps(a, b, _CMP_GT_OQ)); }

 private:
  static std::uint32_t bits(Vector mask) {
    return static_cast<std::uint32_t>(_mm256_movemask_ps(mask));
  }
};

}  // namespace
}  // namespace gemmine::cpu

#include "backend/cpu/scan_kernels.inl"

namespace gemmine::cpu {
constexpr ScanKernels avx2_scan_kernels = kernels("avx2");
}
