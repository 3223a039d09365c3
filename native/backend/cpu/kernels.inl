// Compiled once for each instruction set, by kernels_avx512.cc, kernels_avx2.cc,
// kernels_baseline.cc. Everything has internal linkage and no function of the standard library is
// called: the linker keeps one copy of an inline function, which might contain instructions that
// this CPU lacks.

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#include "backend/cpu/kernels.h"

namespace gemmine::cpu {
namespace {

#if defined(__AVX512F__)
constexpr int lane_bytes = 64;
#elif defined(__AVX2__)
constexpr int lane_bytes = 32;
#else
constexpr int lane_bytes = 16;
#endif

typedef float Lanes __attribute__((vector_size(lane_bytes)));
typedef std::int32_t IntLanes __attribute__((vector_size(lane_bytes)));
typedef double DoubleLanes __attribute__((vector_size(lane_bytes)));
typedef float HalfLanes __attribute__((vector_size(lane_bytes / 2)));
constexpr Index lanes = lane_bytes / 4;
constexpr Index double_lanes = lane_bytes / 8;

// c + a·b and c − a·b, fused if the instruction set supports it.
inline Lanes add_product(Lanes c, Lanes a, Lanes b) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__AVX2__)
  return _mm256_fmadd_ps(a, b, c);
#elif defined(__ARM_NEON)
  return vfmaq_f32(c, a, b);
#else
  return c + a * b;
#endif
}

inline Lanes subtract_product(Lanes c, Lanes a, Lanes b) {
#if defined(__AVX512F__)
  return _mm512_fnmadd_ps(a, b, c);
#elif defined(__AVX2__)
  return _mm256_fnmadd_ps(a, b, c);
#elif defined(__ARM_NEON)
  return vfmsq_f32(c, a, b);
#else
  return c - a * b;
#endif
}

inline Lanes square_root(Lanes x) {
#if defined(__AVX512F__)
  return _mm512_maskz_sqrt_ps(0xFFFF, x);
#elif defined(__AVX2__)
  return _mm256_sqrt_ps(x);
#else
  for (Index i = 0; i < lanes; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}

// Bit l is set where a_l <= b_l.
inline std::uint64_t at_most(Lanes a, Lanes b) {
#if defined(__AVX512F__)
  return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ);
#elif defined(__AVX2__)
  return static_cast<std::uint64_t>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_LE_OQ)));
#else
  std::uint64_t bits = 0;
  for (Index l = 0; l < lanes; ++l) bits |= std::uint64_t{a[l] <= b[l]} << l;
  return bits;
#endif
}

inline Lanes load(const float* from) {
  Lanes value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}
inline void store(Lanes value, float* to) { __builtin_memcpy(to, &value, sizeof value); }

inline Lanes all(float x) { return x - Lanes{}; }
inline Lanes max(Lanes a, Lanes b) { return a > b ? a : b; }
inline Lanes min(Lanes a, Lanes b) { return a < b ? a : b; }

#include "backend/cpu/element_kernels.inl"
#include "backend/cpu/maxima_kernels.inl"
#include "backend/cpu/own_sweep_kernels.inl"
#include "backend/cpu/product_kernels.inl"
#include "backend/cpu/ratio_kernels.inl"
#include "backend/cpu/row_kernels.inl"
#include "backend/cpu/sparse_kernels.inl"
#include "backend/cpu/sum_exp_kernels.inl"
#include "backend/cpu/sweep_kernels.inl"
#include "backend/cpu/triangle_kernels.inl"

}  // namespace

const Kernels GEMMINE_KERNELS = {
    .features = GEMMINE_FEATURES,
    .own_sweep = own_sweep,
    .nonnegative_sweep = nonnegative_sweep,
    .signed_sweep = signed_sweep,
    .projected_gradient = projected_gradient,
    .multiplicative_update = multiplicative_update,
    .sign_split_update = sign_split_update,
    .panel_width = panel_width,
    .lanes = lanes,
    .multiply_panels = multiply_panels,
    .distance_panels = distance_panels,
    .summarize = summarize,
    .dot = dot,
    .squares_left = squares_left,
    .add_to_double = add_to_double,
    .scaled_copy = scaled_copy,
    .sparse_multiply = sparse_multiply,
    .sparse_add_at_b = sparse_add_at_b,
    .divergence = divergence,
    .divergence_terms = divergence_terms,
    .weighted_squares = weighted_squares,
    .ratio_update = ratio_update,
    .sparse_products = sparse_products,
    .subtract_products = subtract_products,
    .solve_transposed = solve_transposed,
    .solve_upper = solve_upper,
    .centre_rows = centre_rows,
    .near_centers = near_centers,
    .squared_distance = squared_distance,
    .add_to_cluster = add_to_cluster,
    .add_exponentials = add_exponentials,
    .raise_maxima = raise_maxima,
};

}  // namespace gemmine::cpu
