#pragma once

#include <memory>
#include <span>
#include <vector>

#include "backend/cpu/panel_pages.h"
#include "backend/scans.h"

namespace gemmine::cpu {

// Canonical norms of all rows; throws InvalidEntry at the first entry that is not finite.
std::vector<double> measure_rows(const RowSource& rows, const char* phase, const Job& job);

// The rows that scans use: normalised (cosine) or scaled by one power of two (dot, l2), and
// centred. For any vector m, q·c = q·(c − m) + q·m and ‖q − c‖ = ‖(q − m) − (c − m)‖. If rows share
// a direction, centred products are smaller and so are their errors.
class CentredRows {
 public:
  CentredRows(const RowSource& source, Metric metric, const Job& job);
  // With a centre and a scale that were found before.
  CentredRows(const RowSource& source, Metric metric, std::span<const float> centre, int exponent,
              const Job& job);
  // The same for `source`, whose changed pages the caller sets. The centre and the scale stay as
  // they are: they set how tight bounds are, not answers.
  CentredRows(const CentredRows& before, const RowSource& source)
      : source_(source),
        metric_(before.metric_),
        norms_(before.norms_),
        pages_(before.pages_),
        centre_(before.centre_),
        exponent_(before.exponent_) {}

  const RowSource& source() const { return source_; }
  Metric metric() const { return metric_; }
  RowNorms norms() const { return {norms_->data(), &pages_}; }  // canonical, for unit rows
  const PanelPages& pages() const { return pages_; }
  PanelPages& pages() { return pages_; }
  // Every page has norms of its own.
  void forget_first_norms() { norms_ = std::make_shared<std::vector<double>>(); }
  const std::vector<float>& centre() const { return centre_; }
  int exponent() const { return exponent_; }  // rows are multiplied by 2^exponent
  Index bytes() const;

  // Writes row i of the source, given as `row` [d], to `centred` [d]; returns Σ centred².
  double centre_row(Index i, const float* row, float* centred) const;

 private:
  void find_centre();
  double row_factor(Index i) const;

  const RowSource& source_;
  Metric metric_;
  std::shared_ptr<const std::vector<double>> norms_;  // of the rows before any change
  PanelPages pages_;                                  // changed ones
  std::vector<float> centre_;
  int exponent_ = 0;
};

}  // namespace gemmine::cpu
