#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/aligned.h"
#include "core/job.h"
#include "core/row_bits.h"
#include "core/row_block.h"
#include "core/row_source.h"
#include "core/shared_table.h"

namespace gemmine {

// Rows are changed by pages: page p has the rows 32 p .. 32 p + 31.
inline constexpr Index page_rows = 32;

// Rows of another source with changes. A version is never changed: each change makes a new version,
// which shares all other pages with the one before. Rows keep their numbers; a removed row is a
// gap, and its number is not used again. Changed rows are float32.
class LivingRows : public RowSource {
 public:
  // Refers to `base`, which is dense.
  explicit LivingRows(const RowSource& base);

  // Each gives a new version, and the pages that are different or new, ascending.
  struct Change {
    std::unique_ptr<LivingRows> rows;
    std::vector<Index> pages;
  };
  // Throws InvalidEntry for an entry that is not finite.
  Change append(const RowSource& from, const Job& job) const;
  // Row numbers[i] becomes row i of `from`. Throws InvalidElement for numbers of no row, of a
  // removed row, or of a row that was listed before.
  Change update(std::span<const std::int32_t> numbers, const RowSource& from, const Job& job) const;
  Change remove(std::span<const std::int32_t> numbers, const Job& job) const;
  // All pages with live rows as float32 in memory of their own, so that the rows of `base()` are no
  // longer read. `as_many` has as many rows and columns, and is read in their place.
  std::unique_ptr<LivingRows> compacted(const RowSource& as_many, const Job& job) const;
  // Bytes of the rows of a compacted version.
  Index compacted_bytes() const;

  const RowBits& live() const { return live_; }
  Index live_rows() const { return live_rows_; }
  Index bytes() const;  // without the base

  Index rows() const override { return rows_; }
  Index cols() const override { return base_.cols(); }
  RowBlock block(Index begin, Index count, RowScratch& scratch) const override;
  double entry(Index row, Index column) const override;

 private:
  struct Page {
    Aligned<float> rows;  // [32 × d]
  };
  using Pages = std::vector<std::shared_ptr<Page>>;

  LivingRows(const LivingRows&) = default;
  LivingRows(const LivingRows& before, const RowSource& base);
  std::unique_ptr<LivingRows> next() const {
    return std::unique_ptr<LivingRows>(new LivingRows(*this));
  }
  // Throws unless each is the number of a live row, listed once. Returns their pages, ascending.
  std::vector<Index> pages_of(std::span<const std::int32_t> numbers) const;
  std::shared_ptr<Page> copy_of(Index page, RowScratch& scratch) const;
  std::shared_ptr<Page> new_page() const;
  void put(std::span<const Index> pages, const Pages& changed);
  const float* changed_row(Index row) const;

  const RowSource& base_;
  Index rows_;
  Index live_rows_;
  RowBits live_;
  SharedTable<Page> pages_;
  std::shared_ptr<const Page> gone_;  // in the place of pages without a live row
  Index own_pages_ = 0;
};

}  // namespace gemmine
