#include "core/elements.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "core/float16.h"

namespace gemmine {
namespace {

static_assert(std::endian::native == std::endian::little, "files are taken as they lie");

struct Float16 {
  std::uint16_t bits;
  explicit operator float() const { return widen_float16(bits); }
  explicit operator double() const { return widen_float16(bits); }
};

struct BFloat16 {
  std::uint16_t bits;
  explicit operator float() const {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
  }
  explicit operator double() const { return static_cast<float>(*this); }
};

struct Boolean {
  std::uint8_t bits;
  explicit operator float() const { return bits != 0 ? 1.0f : 0.0f; }
  explicit operator double() const { return bits != 0 ? 1.0 : 0.0; }
};

// Calls `visit` with an element of the C++ type that stands for `type`.
template <class Visit>
auto with_type(ElementType type, Visit visit) {
  switch (type) {
    case ElementType::float32:
      return visit(float());
    case ElementType::float64:
      return visit(double());
    case ElementType::float16:
      return visit(Float16());
    case ElementType::bfloat16:
      return visit(BFloat16());
    case ElementType::int8:
      return visit(std::int8_t());
    case ElementType::uint8:
      return visit(std::uint8_t());
    case ElementType::int16:
      return visit(std::int16_t());
    case ElementType::uint16:
      return visit(std::uint16_t());
    case ElementType::int32:
      return visit(std::int32_t());
    case ElementType::uint32:
      return visit(std::uint32_t());
    case ElementType::int64:
      return visit(std::int64_t());
    case ElementType::uint64:
      return visit(std::uint64_t());
    case ElementType::boolean:
      break;
  }
  return visit(Boolean());
}

template <std::size_t size>
auto bits_of_size() {
  if constexpr (size == 1) return std::uint8_t();
  if constexpr (size == 2) return std::uint16_t();
  if constexpr (size == 4) return std::uint32_t();
  if constexpr (size == 8) return std::uint64_t();
}

template <class Bits>
Bits swapped_bytes(Bits bits) {
  if constexpr (sizeof(Bits) == 2) return __builtin_bswap16(bits);
  if constexpr (sizeof(Bits) == 4) return __builtin_bswap32(bits);
  if constexpr (sizeof(Bits) == 8) return __builtin_bswap64(bits);
  return bits;
}

template <class T, bool swapped>
T load(const std::byte* from) {
  decltype(bits_of_size<sizeof(T)>()) bits;
  std::memcpy(&bits, from, sizeof bits);
  return std::bit_cast<T>(swapped ? swapped_bytes(bits) : bits);
}

template <class T>
T load(const std::byte* from, bool swapped) {
  return swapped ? load<T, true>(from) : load<T, false>(from);
}

template <class T>
bool is_exact(T x) {
  constexpr auto limit = std::int64_t{1} << 53;
  if constexpr (std::is_same_v<T, std::int64_t>) return x >= -limit && x <= limit;
  if constexpr (std::is_same_v<T, std::uint64_t>) return x <= static_cast<std::uint64_t>(limit);
  return true;
}

template <class T, bool swapped>
bool widen(const std::byte* from, Index count, float* to) {
  bool exact = true;
  for (Index i = 0; i < count; ++i) {
    const T x = load<T, swapped>(from + i * static_cast<Index>(sizeof(T)));
    exact &= is_exact(x);
    to[i] = static_cast<float>(x);
  }
  return exact;
}

}  // namespace

Index size_of(ElementType type) {
  return with_type(type, [](auto x) { return static_cast<Index>(sizeof x); });
}

bool widen_elements(const std::byte* from, ElementFormat format, Index count, float* to) {
  return with_type(format.type, [&](auto x) {
    using T = decltype(x);
    return format.swapped ? widen<T, true>(from, count, to) : widen<T, false>(from, count, to);
  });
}

double element(const std::byte* from, ElementFormat format) {
  return with_type(format.type, [&](auto x) {
    return static_cast<double>(load<decltype(x)>(from, format.swapped));
  });
}

std::optional<std::string> inexact_integer(const std::byte* from, ElementFormat format) {
  return with_type(format.type, [&](auto x) -> std::optional<std::string> {
    x = load<decltype(x)>(from, format.swapped);
    if constexpr (std::is_integral_v<decltype(x)>)
      if (!is_exact(x)) return std::to_string(x);
    return std::nullopt;
  });
}

}  // namespace gemmine
