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

}  // namespace gemmine
