#include <cstdint>

namespace gemmine::cpu {
namespace {

// Four lanes, in the compiler's own vectors: SSE2, NEON or plain code.
struct Lanes {
  typedef float Vector __attribute__((vector_size(16)));
  typedef std::int32_t Mask __attribute__((vector_size(16)));
  typedef double Doubles __attribute__((vector_size(16)));
  typedef float Loose __attribute__((vector_size(16), aligned(4)));
  static constexpr int width = 4;
  static constexpr int block_queries = 6;

  static Vector load(const float* from) { return *reinterpret_cast<const Loose*>(from); }
  static void store(Vector x, float* to) { *reinterpret_cast<Loose*>(to) = x; }
  static Vector broadcast(float x) { return Vector{x, x, x, x}; }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return a * b + c; }
  static Doubles widen(const float* from) { return Doubles{from[0], from[1]}; }
  static Doubles add_product(Doubles a, Doubles b, Doubles c) { return a * b + c; }
  static std::uint32_t not_less(Vector a, Vector b) { return bits(~(a < b)); }
  static std::uint32_t not_at_most(Vector a, Vector b) { return bits(~(a <= b)); }
  static std::uint32_t greater(Vector a, Vector b) { return bits(a > b); }

 private:
  static std::uint32_t bits(Mask mask) {
    const Mask each = mask & Mask{1, 2, 4, 8};
    return static_cast<std::uint32_t>(each[0] | each[1] | each[2] | each[3]);
  }
};

}  // namespace
}  // namespace gemmine::cpu

#include "backend/cpu/scan_kernels.inl"

namespace gemmine::cpu {
constexpr ScanKernels baseline_scan_kernels = kernels("baseline");
}
