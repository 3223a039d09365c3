#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/matrix.h"

namespace gemmine {

// What the elements of an input may be. Everything is computed as if converted to float32 first.
enum class ElementType {
  float32,
  float64,
  float16,   // IEEE 754 binary16
  bfloat16,  // the upper half of a float32
  int8,
  uint8,
  int16,
  uint16,
  int32,
  uint32,
  int64,
  uint64,
  boolean  // a byte; anything but 0 is 1
};

// How elements lie: `swapped` is the byte order that this machine does not have.
struct ElementFormat {
  ElementFormat(ElementType type, bool swapped = false) : type(type), swapped(swapped) {}
  ElementType type;
  bool swapped;
};

// In bytes.
Index size_of(ElementType type);

// Widens `count` elements, which need no alignment, each rounded to float32 once. False where one
// of them is an inexact integer.
bool widen_elements(const std::byte* from, ElementFormat format, Index count, float* to);

// One element, which needs no alignment; a 64-bit integer beyond ±2^53 is rounded.
double element(const std::byte* from, ElementFormat format);

// The digits of a 64-bit integer beyond ±2^53, which float64 does not hold for certain; nothing for
// any other element.
std::optional<std::string> inexact_integer(const std::byte* from, ElementFormat format);

inline constexpr const char* exact_integer = "an integer from -2^53 to 2^53";

}  // namespace gemmine
