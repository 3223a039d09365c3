#pragma once

#include <bit>
#include <cstdint>

namespace gemmine {

// IEEE 754 binary16 to float32, exact, subnormals included. Branch-free, so that loops vectorise:
// the magnitude is read as a float32 whose exponent is too small; one exact product corrects it.
inline float widen_float16(std::uint16_t half) {
  const std::uint32_t magnitude = half & 0x7FFFu;
  const float value = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
  std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  bits |= magnitude >= 0x7C00u ? 0x7F800000u : 0u;
  return std::bit_cast<float>(bits | static_cast<std::uint32_t>(half & 0x8000u) << 16);
}

// The nearest binary16 of a float32 below 65520 in magnitude; ties to even, subnormals included.
inline std::uint16_t narrow_float16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t sign = bits >> 16 & 0x8000u;
  const std::uint32_t magnitude = bits & 0x7FFFFFFFu;
  // Below 2^-14, adding 2^-1 leaves a multiple of 2^-24 in the low bits.
  const std::uint32_t small =
      std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3F000000u;
  const std::uint32_t normal = (magnitude - (112u << 23) + 0xFFFu + (magnitude >> 13 & 1u)) >> 13;
  return static_cast<std::uint16_t>(sign | (magnitude < 0x38800000u ? small : normal));
}

}  // namespace gemmine
