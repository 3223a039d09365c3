#pragma once

#include <memory>
#include <span>
#include <vector>

#include "backend/cpu/scan_panels.h"

namespace gemmine::cpu {

// A corpus for scans with `format` as their first format.
class CpuCorpus : public CorpusHandle {
 public:
  CpuCorpus(const RowSource& rows, Metric metric, const ScanFormat& format, bool keep_panels,
            const Job& job);
  // With panels that were packed before.
  CpuCorpus(const RowSource& rows, Metric metric, const Packing& packing, const std::byte* packed,
            const ScanFormat& format, const Job& job);
  // The corpus of `change` with other rows: shares all panels but the changed ones.
  CpuCorpus(const RowSource& rows, const CorpusChange& change, const Job& job);

  const RowSource& rows() const override { return centred_.source(); }
  Metric metric() const override { return centred_.metric(); }
  Index bytes() const override;
  Index zero_rows() const override { return zero_rows_; }
  RowFilter live() const override { return {.bits = any_removed_ ? &live_ : nullptr}; }

  std::optional<Packing> packing() const override;
  void copy_packed(Index first, Index count, std::byte* to) const override;

  const CentredRows& centred() const { return centred_; }
  // Refers to the panels of this corpus if they are kept.
  ScanPanels panels() const { return {centred_, format_, kept_ ? kept_->get() : nullptr}; }

 private:
  CpuCorpus(const CpuCorpus& before, const RowSource& rows, const CorpusChange& change,
            const Job& job);
  void set_pages(const CpuCorpus& before, const CorpusChange& change, std::span<const Index> packed,
                 std::span<const std::shared_ptr<PanelPage>> pages);
  void compact(const Job& job);

  CentredRows centred_;
  const ScanFormat& format_;
  std::shared_ptr<const AlignedFloats> kept_;  // panels of the rows before any change
  Index kept_panels_ = 0;
  std::shared_ptr<PanelPage> gone_;  // zeros, in the place of pages without a live row
  Index changed_panels_ = 0;         // besides
  Index zero_rows_ = 0;
  RowBits live_;  // with kept panels
  bool any_removed_ = false;
};

}  // namespace gemmine::cpu
