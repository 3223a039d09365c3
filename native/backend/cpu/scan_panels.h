#pragma once

#include <span>
#include <vector>

#include "backend/cpu/centred_rows.h"
#include "backend/cpu/scan_kernels.h"
#include "core/aligned.h"
#include "core/row_block.h"

namespace gemmine::cpu {

using AlignedFloats = Aligned<float>;

// Throws ErrorCode::out_of_memory.
AlignedFloats allocate_aligned(Index count);

// The rows of a corpus in one format, as panels of 32 rows: [words][32], then the bounds of the
// rows. For one thread.
class ScanPanels {
 public:
  // `all` are the panels if they are prepared, else null; changed ones are those of `rows`.
  ScanPanels(const CentredRows& rows, const ScanFormat& format, const float* all)
      : rows_(rows), format_(format), words_(format.words(rows.source().cols())), all_(all) {}

  const CentredRows& rows() const { return rows_; }
  const ScanFormat& format() const { return format_; }
  Index count() const { return (rows_.source().rows() + panel_rows - 1) / panel_rows; }
  Index words() const { return words_; }                                     // in a row
  Index size() const { return panel_size(format_, rows_.source().cols()); }  // words in a panel

  static Index panel_size(const ScanFormat& format, Index cols) {
    return format.words(cols) * panel_rows + Index{sizeof(PanelBounds) / sizeof(float)};
  }

  static Index panel_bytes(const ScanFormat& format, Index cols) {
    return panel_size(format, cols) * Index{sizeof(float)};
  }

  // Panels begin .. begin + count - 1, prepared in `space` if they are not kept.
  PanelRun get(Index begin, Index count, float* space, const Job& job);
  // Keeps panels that are prepared from now on, as many of the first ones as fit in `bytes`.
  void keep(Index bytes);
  // Whether `get` needs no space for these panels.
  bool keeps(Index begin, Index count) const {
    return all_ != nullptr || (begin <= prepared_ && begin + count <= kept_count_);
  }
  AlignedFloats prepare_all(const Job& job) const;
  // Writes panels to their places in `to`.
  void prepare(std::span<const Index> panels, std::span<float* const> to, const Job& job) const;
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
  void pack(Index panel, float* to, Scratch& scratch) const;
  void prepare(Index begin, Index count, float* to, const Job& job) const;

  const CentredRows& rows_;
  const ScanFormat& format_;
  Index words_;
  const float* all_;
  AlignedFloats kept_;    // the first panels
  Index kept_count_ = 0;  // panels that fit
  Index prepared_ = 0;    // of these
};

}  // namespace gemmine::cpu
