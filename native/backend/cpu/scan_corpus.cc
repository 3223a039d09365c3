#include "backend/cpu/scan_corpus.h"

#include <algorithm>
#include <cstring>

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
Index zeros_of(const RowNorms& norms, const RowBits& live, Index page) {
  Index zeros = 0;
  if (page * panel_rows < live.rows())
    for (Index i = 0; i < panel_rows; ++i)
      zeros += (live.word(page) >> i & 1) != 0 && norms[page * panel_rows + i] == 0;
  return zeros;
}

}  // namespace

CpuCorpus::CpuCorpus(const RowSource& rows, Metric metric, const ScanFormat& format,
                     bool keep_panels, const Job& job)
    : centred_(rows, metric, job), format_(format) {
  if (has_unit_rows(metric))
    for (Index i = 0; i < rows.rows(); ++i) zero_rows_ += centred_.norms()[i] == 0;
  if (!keep_panels) return;
  live_ = RowBits(rows.rows());
  kept_ = std::make_shared<AlignedFloats>(panels().prepare_all(job));
  kept_panels_ = panels().count();
}

CpuCorpus::CpuCorpus(const RowSource& rows, Metric metric, const Packing& packing,
                     const std::byte* packed, const ScanFormat& format, const Job& job)
    : centred_(rows, metric, packing.centre, packing.exponent, job),
      format_(format),
      live_(rows.rows()) {
  if (has_unit_rows(metric))
    for (Index i = 0; i < rows.rows(); ++i) zero_rows_ += centred_.norms()[i] == 0;
  kept_panels_ = panels().count();
  auto kept = std::make_shared<AlignedFloats>(allocate_aligned(kept_panels_ * panels().size()));
  auto* const to = reinterpret_cast<std::byte*>(kept->get());
  parallel_for(job, kept_panels_, [&](Index i, Index) {
    std::memcpy(to + i * packing.page_bytes, packed + i * packing.page_bytes,
                static_cast<std::size_t>(packing.page_bytes));
  });
  kept_ = std::move(kept);
}

std::optional<Packing> CpuCorpus::packing() const {
  if (!kept_) return std::nullopt;
  return Packing{.format = format_.name,
                 .centre = centred_.centre(),
                 .exponent = centred_.exponent(),
                 .page_bytes = ScanPanels::panel_bytes(format_, rows().cols())};
}

void CpuCorpus::copy_packed(Index first, Index count, std::byte* to) const {
  const PanelRun run(kept_->get(), panels().size(), &centred_.pages());
  const Index bytes = ScanPanels::panel_bytes(format_, rows().cols());
  for (Index i = 0; i < count; ++i)
    std::memcpy(to + i * bytes, run[first + i], static_cast<std::size_t>(bytes));
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
      live_(change.live),
      any_removed_(change.live_rows < rows.rows()) {
  expect(kept_ != nullptr, "a corpus with kept panels");
  // One page of zeros is in the place of all pages without a live row.
  std::vector<Index> packed;
  for (const Index page : change.pages)
    if (live_.word(page) != 0) packed.push_back(page);
  const bool first_gone = !gone_ && packed.size() < change.pages.size();
  if (first_gone)
    packed.push_back(
        *std::ranges::find_if(change.pages, [&](Index page) { return live_.word(page) == 0; }));
  const auto pages = measured(rows, packed, panels().size(), job);
  if (first_gone) gone_ = pages.back();
  set_pages(before, change, packed, pages);
  std::vector<float*> places;
  for (const auto& page : pages) places.push_back(page->panel.get());
  panels().prepare(packed, places, job);
  if (change.compacts) compact(job);
}

// Gives every page memory of its own, and those without live rows one of zeros. Changed pages are
// copied too: a scan is slower where pages that follow each other do not do so in memory.
void CpuCorpus::compact(const Job& job) {
  const Index size = panels().size(), count = panels().count();
  std::vector<std::shared_ptr<PanelPage>> pages(static_cast<std::size_t>(count));
  const auto new_page = [&] {
    auto page = std::make_shared<PanelPage>();
    page->norms = {};
    page->panel = allocate_aligned(size);
    return page;
  };
  if (!gone_) {
    gone_ = new_page();
    std::fill_n(gone_->panel.get(), size, 0.0f);
  }
  for (Index i = 0; i < count; ++i)
    if (live_.word(i) != 0) pages[i] = new_page();
  const bool unit = has_unit_rows(metric());
  parallel_for(job, count, [&](Index i, Index) {
    if (!pages[i]) return;
    if (const PanelPage* changed = centred_.pages().at(i)) {
      pages[i]->norms = changed->norms;
      std::copy_n(changed->panel.get(), size, pages[i]->panel.get());
      return;
    }
    std::copy_n(kept_->get() + i * size, size, pages[i]->panel.get());
    const Index rows = std::min<Index>(panel_rows, this->rows().rows() - i * panel_rows);
    for (Index row = 0; row < rows && unit; ++row)
      pages[i]->norms[row] = centred_.norms()[i * panel_rows + row];
  });
  changed_panels_ = 0;
  for (Index i = 0; i < count; ++i) {
    changed_panels_ += pages[i] != nullptr;
    centred_.pages().set(i, pages[i] ? pages[i] : gone_);
  }
  kept_ = std::make_shared<AlignedFloats>(allocate_aligned(1));  // panels are still kept
  kept_panels_ = 0;
  centred_.forget_first_norms();
}

void CpuCorpus::set_pages(const CpuCorpus& before, const CorpusChange& change,
                          std::span<const Index> packed,
                          std::span<const std::shared_ptr<PanelPage>> pages) {
  PanelPages& table = centred_.pages();
  for (const Index page : change.pages) {
    const PanelPage* was = table.at(page);
    changed_panels_ += (live_.word(page) != 0) - (was != nullptr && was != before.gone_.get());
    if (live_.word(page) == 0) table.set(page, gone_);
  }
  for (std::size_t i = 0; i < packed.size(); ++i)
    if (live_.word(packed[i]) != 0) table.set(packed[i], pages[i]);
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
