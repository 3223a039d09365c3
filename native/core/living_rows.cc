#include "core/living_rows.h"

#include <algorithm>
#include <cmath>

#include "core/pool.h"

namespace gemmine {
namespace {

constexpr Index pages_at_once = 16;

Index pages_for(Index rows) { return (rows + page_rows - 1) / page_rows; }

// Copies rows of a source to consecutive rows; throws InvalidEntry.
void copy_rows(const RowSource& from, Index begin, Index count, RowScratch& scratch, float* to) {
  const HostView<const float> rows = from.block(begin, count, scratch).dense;
  for (Index i = 0; i < count; ++i) {
    const float* row = rows.row(i);
    for (Index t = 0; t < rows.cols; ++t)
      if (!std::isfinite(row[t])) throw not_finite(from, begin + i, t);
    std::copy_n(row, rows.cols, to + i * rows.cols);
  }
}

}  // namespace

LivingRows::LivingRows(const RowSource& base)
    : base_(base), rows_(base.rows()), live_rows_(base.rows()), live_(base.rows()) {
  argument = base.argument;
  first = base.first;
}

Index LivingRows::bytes() const {
  return pages_for(rows_) * Index{sizeof(std::uint32_t)} +
         own_pages_ * page_rows * cols() * Index{sizeof(float)};
}

LivingRows::LivingRows(const LivingRows& before, const RowSource& base)
    : base_(base),
      rows_(before.rows_),
      live_rows_(before.live_rows_),
      live_(before.live_),
      pages_(before.pages_),
      gone_(before.gone_),
      own_pages_(before.own_pages_) {
  argument = base.argument;
  first = base.first;
}

const float* LivingRows::changed_row(Index row) const {
  const Page* page = pages_.at(row / page_rows);
  return page == nullptr ? nullptr : page->rows.get() + row % page_rows * cols();
}

// Rows of one page are returned where they lie, and so are rows that never changed.
RowBlock LivingRows::block(Index begin, Index count, RowScratch& scratch) const {
  const Index d = cols(), end = begin + count;
  bool changed = false;
  for (Index page = begin / page_rows; page * page_rows < end && !changed; ++page)
    changed = pages_.at(page) != nullptr;
  if (!changed) return base_.block(begin, count, scratch);
  RowBlock block{};
  block.begin = begin;
  block.count = count;
  block.dense = {changed_row(begin), count, d, d};
  if ((end - 1) / page_rows == begin / page_rows) return block;
  scratch.values.resize(static_cast<std::size_t>(count * d));
  RowScratch part;
  for (Index row = begin; row < end;) {
    const Index next = std::min((row / page_rows + 1) * page_rows, end);
    float* to = scratch.values.data() + (row - begin) * d;
    if (const float* from = changed_row(row))
      std::copy_n(from, (next - row) * d, to);
    else
      for (const HostView<const float> rows = base_.block(row, next - row, part).dense; row < next;
           ++row, to += d)
        std::copy_n(rows.row(rows.rows - (next - row)), d, to);
    row = next;
  }
  block.dense.data = scratch.values.data();
  return block;
}

double LivingRows::entry(Index row, Index column) const {
  const float* changed = changed_row(row);
  return changed != nullptr ? changed[column] : base_.entry(row, column);
}

std::shared_ptr<LivingRows::Page> LivingRows::new_page() const {
  const auto page = std::make_shared<Page>();
  const Index count = page_rows * cols();
  page->rows.reset(
      static_cast<float*>(aligned_bytes(static_cast<std::size_t>(count) * sizeof(float))));
  std::fill_n(page->rows.get(), count, 0.0f);
  return page;
}

std::shared_ptr<LivingRows::Page> LivingRows::copy_of(Index page, RowScratch& scratch) const {
  const auto copy = new_page();
  const Index count = std::min(page_rows, rows_ - page * page_rows);
  if (count <= 0) return copy;
  const HostView<const float> rows = block(page * page_rows, count, scratch).dense;
  for (Index i = 0; i < count; ++i) std::copy_n(rows.row(i), cols(), copy->rows.get() + i * cols());
  return copy;
}

void LivingRows::put(std::span<const Index> pages, const Pages& changed) {
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const Page* before = pages_.at(pages[i]);
    if (before != nullptr && before != gone_.get()) --own_pages_;
    ++own_pages_;
    pages_.set(pages[i], changed[i]);
  }
}

LivingRows::Change LivingRows::append(const RowSource& from, const Job& job) const {
  const Index count = from.rows(), end = rows_ + count;
  std::vector<Index> pages;
  for (Index page = rows_ / page_rows; page < pages_for(end); ++page) pages.push_back(page);
  Pages changed(pages.size());
  std::vector<RowScratch> scratch(worker_count(job));
  const auto groups = (static_cast<Index>(pages.size()) + pages_at_once - 1) / pages_at_once;
  parallel_for(job, groups, [&](Index group, Index worker) {
    const auto last = std::min<Index>((group + 1) * pages_at_once, std::ssize(pages));
    for (Index i = group * pages_at_once; i < last; ++i) {
      const Index begin = std::max(pages[i] * page_rows, rows_);
      const Index here = std::min((pages[i] + 1) * page_rows, end) - begin;
      changed[i] = copy_of(pages[i], scratch[worker]);
      copy_rows(from, begin - rows_, here, scratch[worker],
                changed[i]->rows.get() + begin % page_rows * cols());
    }
  });
  auto after = next();
  after->put(pages, changed);
  after->rows_ = end;
  after->live_rows_ += count;
  after->live_.grow(end);
  return {std::move(after), std::move(pages)};
}

std::vector<Index> LivingRows::pages_of(std::span<const std::int32_t> numbers) const {
  std::vector<std::pair<std::int32_t, std::size_t>> sorted;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto name = [i] { return "rows[" + std::to_string(i) + "]"; };
    if (numbers[i] < 0 || numbers[i] >= rows_)
      throw InvalidElement(name(), numbers[i], "a row in 0.." + std::to_string(rows_ - 1));
    if (!live_.has(numbers[i]))
      throw InvalidElement(name(), numbers[i], "a row that was not removed");
    sorted.emplace_back(numbers[i], i);
  }
  std::ranges::sort(sorted);
  std::vector<Index> pages;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const auto [row, place] = sorted[i];
    if (i > 0 && sorted[i - 1].first == row)
      throw InvalidElement(
          "rows[" + std::to_string(place) + "]", row,
          "a row that is listed once (rows[" + std::to_string(sorted[i - 1].second) + "] is it)");
    if (pages.empty() || pages.back() != row / page_rows) pages.push_back(row / page_rows);
  }
  return pages;
}

LivingRows::Change LivingRows::update(std::span<const std::int32_t> numbers, const RowSource& from,
                                      const Job& job) const {
  std::vector<Index> pages = pages_of(numbers);
  Pages changed;
  RowScratch scratch;
  for (const Index page : pages) changed.push_back(copy_of(page, scratch));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i % 256 == 0) job.cancellation.check();
    const auto at = std::ranges::lower_bound(pages, numbers[i] / page_rows) - pages.begin();
    copy_rows(from, static_cast<Index>(i), 1, scratch,
              changed[at]->rows.get() + numbers[i] % page_rows * cols());
  }
  auto after = next();
  after->put(pages, changed);
  return {std::move(after), std::move(pages)};
}

// Memory of a page without live rows is freed.
LivingRows::Change LivingRows::remove(std::span<const std::int32_t> numbers, const Job& job) const {
  job.cancellation.check();
  std::vector<Index> pages = pages_of(numbers);
  auto after = next();
  for (const std::int32_t row : numbers) after->live_.erase(row);
  after->live_rows_ -= static_cast<Index>(numbers.size());
  for (const Index page : pages) {
    if (after->live_.word(page) != 0) continue;
    if (!after->gone_) after->gone_ = new_page();
    if (pages_.at(page) != nullptr) --after->own_pages_;
    after->pages_.set(page, after->gone_);
  }
  return {std::move(after), std::move(pages)};
}

Index LivingRows::compacted_bytes() const {
  Index pages = 0;
  for (Index page = 0; page < pages_for(rows_); ++page) pages += live_.word(page) != 0;
  return pages * page_rows * cols() * Index{sizeof(float)};
}

std::unique_ptr<LivingRows> LivingRows::compacted(const RowSource& as_many, const Job& job) const {
  std::unique_ptr<LivingRows> after(new LivingRows(*this, as_many));
  if (!after->gone_) after->gone_ = new_page();
  const Index count = pages_for(rows_);
  Pages copies(static_cast<std::size_t>(count));
  std::vector<RowScratch> scratch(worker_count(job));
  parallel_for(job, count, [&](Index page, Index worker) {
    if (pages_.at(page) == nullptr && live_.word(page) != 0)
      copies[page] = copy_of(page, scratch[worker]);
  });
  for (Index page = 0; page < count; ++page) {
    if (live_.word(page) == 0) after->pages_.set(page, after->gone_);
    if (!copies[page]) continue;
    after->pages_.set(page, copies[page]);
    ++after->own_pages_;
  }
  return after;
}

}  // namespace gemmine
