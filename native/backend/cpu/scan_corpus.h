#pragma once

#include <memory>
#include <vector>

#include "backend/cpu/scan_kernels.h"
#include "backend/scan.h"

namespace gemmine::cpu {

struct FreeAligned {
  void operator()(float* values) const;
};
using AlignedFloats = std::unique_ptr<float[], FreeAligned>;

// For vector loads and whole cache lines; not zeroed. Throws ErrorCode::out_of_memory.
AlignedFloats allocate_aligned(Index count);

// Canonical norms of all rows; throws InvalidEntry at the first entry that is not finite.
std::vector<double> measure_rows(const RowSource& rows, const Job& job);

// The corpus as panels of 32 rows, each [d][32] and then the rows' bounds. Rows are normalised
// (cosine) or scaled by one power of two (dot, l2), and centred: for any vector m,
// q·c = q·(c − m) + q·m and ‖q − c‖ = ‖(q − m) − (c − m)‖, and where rows share a direction the
// centred products are smaller and so are their errors.
class CpuCorpus : public CorpusHandle {
 public:
  CpuCorpus(const RowSource& rows, Metric metric, bool keep_panels, const Job& job);

  const RowSource& rows() const override { return rows_; }
  Metric metric() const override { return metric_; }
  Index bytes() const override;

  Index panels() const { return (rows_.rows() + panel_rows - 1) / panel_rows; }
  Index panel_size() const { return (rows_.cols() + 3) * panel_rows; }  // floats
  const PanelBounds& bounds_of(const float* panel) const {
    return *reinterpret_cast<const PanelBounds*>(panel + rows_.cols() * panel_rows);
  }
  // Panels begin .. begin + count - 1, prepared in `space` unless they are kept.
  const float* panels(Index begin, Index count, float* space, const Job& job) const;

  // One bound for all rows, so that a test needs no row's own; otherwise each row has one.
  bool uniform() const { return metric_ == Metric::cosine; }
  double radius() const { return radius_; }                    // max ‖ĉ‖ where uniform
  const std::vector<double>& norms() const { return norms_; }  // canonical, for cosine
  const std::vector<float>& centre() const { return centre_; }
  int exponent() const { return exponent_; }  // rows are multiplied by 2^exponent

 private:
  struct Scratch {
    RowScratch rows;
    std::vector<float> panel;  // [32×d]
  };

  void find_centre();
  void find_radius(const Job& job);
  double row_factor(Index row) const;
  void prepare_panel(Index panel, Scratch& scratch, float* to) const;
  void prepare_panels(Index begin, Index count, float* to, const Job& job) const;

  const RowSource& rows_;
  Metric metric_;
  std::vector<double> norms_;
  std::vector<float> centre_;
  int exponent_ = 0;
  double radius_ = 0;
  AlignedFloats panels_;
};

}  // namespace gemmine::cpu
