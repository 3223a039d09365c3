#pragma once

#include <algorithm>

#include "backend/cpu/scan_panels.h"

namespace gemmine::cpu {

// A corpus for scans with `format` as their first format.
class CpuCorpus : public CorpusHandle {
 public:
  CpuCorpus(const RowSource& rows, Metric metric, const ScanFormat& format, bool keep_panels,
            const Job& job)
      : centred_(rows, metric, job), format_(format) {
    if (keep_panels) kept_ = panels().prepare_all(job);
  }

  const RowSource& rows() const override { return centred_.source(); }
  Metric metric() const override { return centred_.metric(); }
  Index bytes() const override {
    const ScanPanels all = panels();
    return centred_.bytes() + (kept_ ? all.count() * all.size() * Index{sizeof(float)} : 0);
  }

  Index zero_rows() const override {
    const std::vector<double>& norms = centred_.norms();
    return std::count(norms.begin(), norms.end(), 0.0);
  }

  const CentredRows& centred() const { return centred_; }
  // Refers to the panels of this corpus if they are kept.
  ScanPanels panels() const { return {centred_, format_, kept_.get()}; }

 private:
  CentredRows centred_;
  const ScanFormat& format_;
  AlignedFloats kept_;
};

}  // namespace gemmine::cpu
