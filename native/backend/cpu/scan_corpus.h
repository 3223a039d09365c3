#pragma once

#include <algorithm>

#include "backend/cpu/scan_panels.h"

namespace gemmine::cpu {

// A corpus for scans with `format` as their first format.
class CpuCorpus : public CorpusHandle {
 public:
  CpuCorpus(const RowSource& rows, Metric metric, const ScanFormat& format, bool keep_panels,
            const Job& job)
      : centred_(rows, metric, job), panels_(centred_, format, keep_panels, job) {}

  const RowSource& rows() const override { return centred_.source(); }
  Metric metric() const override { return centred_.metric(); }
  Index bytes() const override { return centred_.bytes() + panels_.bytes(); }

  Index zero_rows() const override {
    const std::vector<double>& norms = centred_.norms();
    return std::count(norms.begin(), norms.end(), 0.0);
  }

  const CentredRows& centred() const { return centred_; }
  const ScanPanels& panels() const { return panels_; }

 private:
  CentredRows centred_;
  ScanPanels panels_;
};

}  // namespace gemmine::cpu
