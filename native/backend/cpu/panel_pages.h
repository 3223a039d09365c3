#pragma once

#include <array>
#include <memory>

#include "backend/cpu/scan_format.h"
#include "core/aligned.h"
#include "core/living_rows.h"
#include "core/shared_table.h"

namespace gemmine::cpu {

static_assert(panel_rows == page_rows);

// What a scan derives from a changed page of rows.
struct PanelPage {
  std::array<double, panel_rows> norms;  // canonical
  Aligned<float> panel;
};
using PanelPages = SharedTable<PanelPage>;

// Canonical norms of rows: those of changed pages, else those in an array.
class RowNorms {
 public:
  RowNorms(const double* all, const PanelPages* changed = nullptr)
      : all_(all), changed_(changed == nullptr || changed->empty() ? nullptr : changed) {}

  double operator[](Index row) const {
    if (changed_ != nullptr)
      if (const PanelPage* page = changed_->at(row / panel_rows))
        return page->norms[row % panel_rows];
    return all_[row];
  }

 private:
  const double* all_;
  const PanelPages* changed_;
};

// Consecutive panels: those of changed pages, else those in an array.
class PanelRun {
 public:
  PanelRun() = default;
  PanelRun(const float* first, Index size, const PanelPages* changed = nullptr, Index number = 0)
      : first_(first), size_(size), changed_(changed), number_(number) {}

  explicit operator bool() const { return size_ > 0; }
  const float* operator[](Index i) const {
    if (changed_ != nullptr)
      if (const PanelPage* page = changed_->at(number_ + i)) return page->panel.get();
    return first_ + i * size_;
  }
  PanelRun from(Index i) const { return {first_ + i * size_, size_, changed_, number_ + i}; }

 private:
  const float* first_ = nullptr;
  Index size_ = 0;  // words
  const PanelPages* changed_ = nullptr;
  Index number_ = 0;  // of the first panel in the corpus
};

}  // namespace gemmine::cpu
