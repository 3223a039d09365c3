#pragma once

#include <vector>

#include "backend/cpu/centred_rows.h"
#include "backend/cpu/scan_kernels.h"
#include "core/aligned.h"

namespace gemmine::cpu {

using AlignedFloats = Aligned<float>;

// Throws ErrorCode::out_of_memory.
AlignedFloats allocate_aligned(Index count);

// The rows of a corpus in one format, as panels of 32 rows: [words][32], then the bounds of the
// rows.
class ScanPanels {
 public:
  ScanPanels(const CentredRows& rows, const ScanFormat& format, bool keep, const Job& job);

  const CentredRows& rows() const { return rows_; }
  const ScanFormat& format() const { return format_; }
  Index count() const { return (rows_.source().rows() + panel_rows - 1) / panel_rows; }
  Index words() const { return words_; }                                     // in a row
  Index size() const { return panel_size(format_, rows_.source().cols()); }  // words in a panel
  Index bytes() const { return kept_ ? count() * size() * Index{sizeof(float)} : 0; }

  static Index panel_size(const ScanFormat& format, Index cols) {
    return format.words(cols) * panel_rows + Index{sizeof(PanelBounds) / sizeof(float)};
  }

  // Panels begin .. begin + count - 1, prepared in `space` if they are not kept.
  const float* get(Index begin, Index count, float* space, const Job& job) const;
  const PanelBounds& bounds_of(const float* panel) const {
    return *reinterpret_cast<const PanelBounds*>(panel + words_ * panel_rows);
  }

 private:
  struct Scratch {
    RowScratch rows;
    std::vector<float> row;    // [d]
    std::vector<float> words;  // [32×words]
    PanelBounds bounds;
  };

  void pack_rows(Index panel, Scratch& scratch) const;
  void prepare(Index begin, Index count, float* to, const Job& job) const;

  const CentredRows& rows_;
  const ScanFormat& format_;
  Index words_;
  AlignedFloats kept_;
};

}  // namespace gemmine::cpu
