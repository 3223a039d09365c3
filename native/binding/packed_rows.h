#pragma once

#include <napi.h>

#include <optional>
#include <string>
#include <vector>

#include "backend/scans.h"
#include "binding/borrowed.h"

// Packed rows of a corpus, as files have them.
namespace gemmine::binding {

// Pages with one checksum.
inline constexpr Index packed_at_once = 32;

// Packed rows that were read from a file.
struct PackedRows {
  std::string format;
  std::span<const float> centre;
  int exponent;
  std::span<const float> pages;
  std::span<const std::uint32_t> checksums;  // low and high words
  Index page_bytes;

  Packing packing() const {
    return {.format = format, .centre = centre, .exponent = exponent, .page_bytes = page_bytes};
  }
  const std::byte* bytes() const { return reinterpret_cast<const std::byte*>(pages.data()); }
  // Throws InvalidElement for pages that do not have their checksums.
  void check(const Job& job) const;
};

// The option `packed` of a corpus of some rows; nothing if it is not given.
std::optional<PackedRows> read_packed(const Napi::Object& options, Index rows, Index cols,
                                      Borrowed& borrowed);

}  // namespace gemmine::binding
