#include "backend/cpu/scan_corpus.h"

#include <algorithm>
#include <bit>

#include "backend/cpu/canonical.h"
#include "core/pool.h"

namespace gemmine::cpu {
namespace {

// Memory and norms for changed pages.
std::vector<std::shared_ptr<PanelPage>> measured(const RowSource& rows,
                                                 std::span<const Index> pages, Index panel_size,
                                                 const Job& job) {
  std::vector<std::shared_ptr<PanelPage>> changed(pages.size());
  std::vector<RowScratch> scratch(worker_count(job));
  parallel_for(job, std::ssize(pages), [&](Index i, Index worker) {
    const Index begin = pages[i] * panel_rows;
    const Index count = std::min<Index>(panel_rows, rows.rows() - begin);
    const HostView<const float> block = rows.block(begin, count, scratch[worker]).dense;
    auto page = std::make_shared<PanelPage>();
    page->norms = {};
    page->panel = allocate_aligned(panel_size);
    canonical_norms(block.data, block.stride, count, rows.cols(), page->norms.data());
    changed[i] = std::move(page);
  });
  return changed;
}

// Zero rows among the live ones of a page.
Index zeros_of(const RowNorms& norms, std::span<const std::uint32_t> live, Index page) {
  Index zeros = 0;
  if (page < std::ssize(live))
    for (Index i = 0; i < panel_rows; ++i)
      zeros += has_row(live, page * panel_rows + i) && norms[page * panel_rows + i] == 0;
  return zeros;
}

}  // namespace

CpuCorpus::CpuCorpus(const RowSource& rows, Metric metric, const ScanFormat& format,
                     bool keep_panels, const Job& job)
    : centred_(rows, metric, job), format_(format) {
  if (has_unit_rows(metric))
    for (Index i = 0; i < rows.rows(); ++i) zero_rows_ += centred_.norms()[i] == 0;
  if (!keep_panels) return;
  live_ = all_rows(rows.rows());
  kept_ = std::make_shared<AlignedFloats>(panels().prepare_all(job));
  kept_panels_ = panels().count();
}

CpuCorpus::CpuCorpus(const RowSource& rows, const CorpusChange& change, const Job& job)
    : CpuCorpus(dynamic_cast<const CpuCorpus&>(change.before), rows, change, job) {}

CpuCorpus::CpuCorpus(const CpuCorpus& before, const RowSource& rows, const CorpusChange& change,
                     const Job& job)
    : centred_(before.centred_, rows),
      format_(before.format_),
      kept_(before.kept_),
      kept_panels_(before.kept_panels_),
      gone_(before.gone_),
      changed_panels_(before.changed_panels_),
      zero_rows_(before.zero_rows_),
      live_(change.live.begin(), change.live.end()) {
  Index live_rows = 0;
  for (const std::uint32_t word : live_) live_rows += std::popcount(word);
  any_removed_ = live_rows < rows.rows();
  expect(kept_ != nullptr, "a corpus with kept panels");
  // One page of zeros is in the place of all pages without a live row.
  std::vector<Index> packed;
  for (const Index page : change.pages)
    if (live_[page] != 0) packed.push_back(page);
  const bool first_gone = !gone_ && packed.size() < change.pages.size();
  if (first_gone)
    packed.push_back(
        *std::ranges::find_if(change.pages, [&](Index page) { return live_[page] == 0; }));
  const auto pages = measured(rows, packed, panels().size(), job);
  if (first_gone) gone_ = pages.back();
  set_pages(before, change, packed, pages);
  std::vector<float*> places;
  for (const auto& page : pages) places.push_back(page->panel.get());
  panels().prepare(packed, places, job);
}

void CpuCorpus::set_pages(const CpuCorpus& before, const CorpusChange& change,
                          std::span<const Index> packed,
                          std::span<const std::shared_ptr<PanelPage>> pages) {
  PanelPages& table = centred_.pages();
  for (const Index page : change.pages) {
    const PanelPage* was = table.at(page);
    changed_panels_ += (live_[page] != 0) - (was != nullptr && was != before.gone_.get());
    if (live_[page] == 0) table.set(page, gone_);
  }
  for (std::size_t i = 0; i < packed.size(); ++i)
    if (live_[packed[i]] != 0) table.set(packed[i], pages[i]);
  if (!has_unit_rows(metric())) return;
  for (const Index page : change.pages)
    zero_rows_ += zeros_of(centred_.norms(), live_, page) -
                  zeros_of(before.centred_.norms(), before.live_, page);
}

Index CpuCorpus::bytes() const {
  const Index page = panels().size() * Index{sizeof(float)};
  return centred_.bytes() + kept_panels_ * page +
         changed_panels_ * (page + Index{sizeof(PanelPage)});
}

}  // namespace gemmine::cpu
