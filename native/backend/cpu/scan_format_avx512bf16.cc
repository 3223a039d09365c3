#include <immintrin.h>

namespace gemmine::cpu {
namespace {

// Products of pairs of bfloat16, summed in float32, at twice the rate of float32. Words are moved
// as floats, which keeps their bits.
struct Lanes {
  using Vector = __m512;
  static constexpr int width = 16;
  static constexpr int block_queries = 12;  // 24 of 32 registers hold sums

  static Vector load(const float* from) { return _mm512_loadu_ps(from); }
  static void store(Vector x, float* to) { _mm512_storeu_ps(to, x); }
  static Vector broadcast(float x) { return _mm512_set1_ps(x); }
  static Vector multiply_add(Vector a, Vector b, Vector c) {
    return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b);
  }
};

}  // namespace
}  // namespace gemmine::cpu

#include "backend/cpu/scan_product.inl"

namespace gemmine::cpu {
namespace {

// The first `count` of 16 lanes; all 16 if `count` is larger.
__mmask16 lanes_below(Index count) {
  if (count >= 16) return 0xFFFF;
  return count <= 0 ? 0 : static_cast<__mmask16>((1u << count) - 1);
}

// All lanes. Masked forms are used because GCC 12 warns of uninitialised values in the others.
constexpr __mmask16 all = 0xFFFF;

__m512 floats(__m256i bfloats) {
  const __m512i bits = _mm512_maskz_cvtepu16_epi32(all, bfloats);
  return _mm512_castsi512_ps(_mm512_maskz_slli_epi32(all, bits, 16));
}

__m512d squares(const float* x) {
  const __m512d wide = _mm512_maskz_cvtps_pd(0xFF, _mm256_loadu_ps(x));
  return wide * wide;
}

double pack_row(const float* row, Index d, float* words) {
  __m512d sum = _mm512_setzero_pd();
  for (Index t = 0; t < d; t += 16, words += 8) {
    const __m512 values = _mm512_maskz_loadu_ps(lanes_below(d - t), row + t);
    const auto rounded = (__m256i)_mm512_maskz_cvtneps_pbh(all, values);
    _mm256_mask_storeu_epi32(words, static_cast<__mmask8>(lanes_below((d - t + 1) / 2)), rounded);
    // Exact: the difference of a float32 number and its bfloat16 is a float32 number.
    float residuals[16];
    _mm512_storeu_ps(residuals, values - floats(rounded));
    sum += squares(residuals) + squares(residuals + 8);
  }
  double squared = 0;
  for (int i = 0; i < 8; ++i) squared += sum[i];
  return squared;
}

}  // namespace

// The instruction rounds to nearest, in an unspecified order, and treats subnormal numbers as zero;
// 2^-22 is enough for every implementation. Packing has already set subnormal numbers to zero.
constexpr ScanFormat avx512_bfloat16 = {.name = "bfloat16",
                                        .features = "avx512bf16",
                                        .per_word = 2,
                                        .unit_roundoff = 0x1p-22,
                                        .pack_row = pack_row,
                                        .score_tile = score_tile};

}  // namespace gemmine::cpu
