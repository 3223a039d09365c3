#include <immintrin.h>

#include <cstdint>

namespace gemmine::cpu {
namespace {

struct Lanes {
  using Vector = __m512;
  using Doubles = __m512d;
  static constexpr int width = 16;
  static constexpr int block_queries = 12;  // 24 of 32 registers hold sums

  static Vector load(const float* from) { return _mm512_loadu_ps(from); }
  static void store(Vector x, float* to) { _mm512_storeu_ps(to, x); }
  static Vector broadcast(float x) { return _mm512_set1_ps(x); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
  static Doubles widen(const float* from) {
    return _mm512_maskz_cvtps_pd(0xFF, _mm256_loadu_ps(from));
  }
  static Doubles add_product(Doubles a, Doubles b, Doubles c) { return _mm512_fmadd_pd(a, b, c); }
  static std::uint32_t not_less(Vector a, Vector b) {
    return _mm512_cmp_ps_mask(a, b, _CMP_NLT_UQ);
  }
  static std::uint32_t not_at_most(Vector a, Vector b) {
    return _mm512_cmp_ps_mask(a, b, _CMP_NLE_UQ);
  }
  static std::uint32_t greater(Vector a, Vector b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
};

}  // namespace
}  // namespace gemmine::cpu

#include "backend/cpu/scan_kernels.inl"

namespace gemmine::cpu {
constexpr ScanKernels avx512_scan_kernels = kernels("avx512");
}
