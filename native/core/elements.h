#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/matrix.h"

namespace gemmine {

// Element types of inputs. Results are as if the input had been converted to float32 first.
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

// How elements are stored. `swapped`: in the other byte order than that of this machine.
struct ElementFormat {
  ElementFormat(ElementType type, bool swapped = false) : type(type), swapped(swapped) {}
  ElementType type;
  bool swapped;
};

// Size of an element in bytes.
Index size_of(ElementType type);

// Converts `count` elements, which need no alignment; each is rounded to float32 once. Returns
// false if one of them is an inexact integer.
bool widen_elements(const std::byte* from, ElementFormat format, Index count, float* to);

// Reads one element, which needs no alignment; a 64-bit integer beyond ±2^53 is rounded.
double element(const std::byte* from, ElementFormat format);

// The digits of a 64-bit integer beyond ±2^53, which float64 may not represent exactly; empty for
// any other element.
std::optional<std::string> inexact_integer(const std::byte* from, ElementFormat format);

inline constexpr const char* exact_integer = "an integer from -2^53 to 2^53";

}  // namespace gemmine
