#include "core/compressed_rows.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "core/error.h"

namespace gemmine {
namespace {

// Entries between two checks of the caller's signal.
constexpr Index stride = 1 << 16;

struct Entry {
  std::int32_t column;
  bool mirrored;
  double value;
};

std::string shown(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

double at(const FileArray& array, Index t) {
  return element(array.data + t * size_of(array.format.type), array.format);
}

[[noreturn]] void refuse(const std::string& name, const std::string& expected,
                         const std::string& received) {
  throw Error(ErrorCode::file, name + ": expected " + expected + ", received " + received);
}

class Compressor {
 public:
  Compressor(const SparseEntries& given, std::span<std::int32_t> indices, std::span<float> values,
             const Job& job)
      : given_(given), indices_(indices), values_(values), job_(job), starts_(given.rows + 1) {}

  template <class Start>
  Index run(std::span<Start> indptr) {
    if (given_.layout == SparseLayout::csr)
      take_rows();
    else
      scatter();
    indptr[0] = 0;
    for (Index i = 0; i < given_.rows; ++i) {
      rest(i);
      merge_row(i);
      indptr[i + 1] = static_cast<Start>(written_);
    }
    return written_;
  }

 private:
  void rest(Index t) const {
    if (t % stride == 0) job_.cancellation.check();
  }

  // A row or column number of the matrix, read from an array of positions.
  std::int32_t place(const FileArray& array, Index t, const char* what, Index count) const {
    const double index = at(array, t);
    if (!(index >= 0 && index < static_cast<double>(count)))
      refuse(array.name,
             "a " + std::string(what) + " in 0.." + std::to_string(count - 1) + " at entry " +
                 std::to_string(t),
             shown(index));
    return static_cast<std::int32_t>(index);
  }

  std::vector<Index> checked_starts(const char* what, Index count) const {
    std::vector<Index> starts(count + 1);
    for (Index i = 0; i <= count; ++i) {
      const double start = at(given_.major, i);
      const double low = i == 0 ? 0 : static_cast<double>(starts[i - 1]);
      const double high = i == 0 ? 0 : static_cast<double>(given_.entries);
      if (!(start >= low && start <= high))
        refuse(given_.major.name, std::string(what) + " starts that ascend from 0",
               shown(start) + " at " + what + ' ' + std::to_string(i));
      starts[i] = static_cast<Index>(start);
    }
    if (starts[count] != given_.entries)
      refuse(given_.major.name, std::string(what) + " starts that end at the number of entries",
             std::to_string(starts[count]));
    return starts;
  }

  void take_rows() {
    starts_ = checked_starts("row", given_.rows);
    for (Index t = 0; t < given_.entries; ++t) {
      rest(t);
      indices_[t] = place(given_.minor, t, "column", given_.cols);
    }
  }

  // Calls visit(row, column, item), where item is 2·t for entry t and 2·t + 1 for its mirror.
  template <class Visit>
  void each(Visit visit) const {
    if (given_.layout == SparseLayout::csc) return each_of_columns(visit);
    for (Index t = 0; t < given_.entries; ++t) {
      const std::int32_t row = place(given_.major, t, "row", given_.rows);
      const std::int32_t column = place(given_.minor, t, "column", given_.cols);
      visit(row, column, 2 * t);
      if (given_.mirror != Mirror::none && row != column) visit(column, row, 2 * t + 1);
    }
  }

  template <class Visit>
  void each_of_columns(Visit visit) const {
    const std::vector<Index> starts = checked_starts("column", given_.cols);
    for (Index column = 0; column < given_.cols; ++column)
      for (Index t = starts[column]; t < starts[column + 1]; ++t)
        visit(place(given_.minor, t, "row", given_.rows), static_cast<std::int32_t>(column), 2 * t);
  }

  // Groups the entries by row and keeps their given order within a row.
  void scatter() {
    Index listed = 0;
    each([&](std::int32_t row, std::int32_t, Index item) {
      rest(item / 2);
      ++starts_[row + 1];
      ++listed;
    });
    expect(listed <= static_cast<Index>(indices_.size()), "room for every entry");
    for (Index i = 0; i < given_.rows; ++i) starts_[i + 1] += starts_[i];
    items_.resize(listed);
    std::vector<Index> next(starts_.begin(), starts_.end() - 1);
    each([&](std::int32_t row, std::int32_t column, Index item) {
      rest(item / 2);
      const Index to = next[row]++;
      indices_[to] = column;
      items_[to] = item;
    });
  }

  double value_of(Index item, Index row, std::int32_t column) const {
    const std::byte* from = given_.values.data + (item / 2) * size_of(given_.values.format.type);
    if (const auto digits = inexact_integer(from, given_.values.format))
      refuse_value(exact_integer, row, column, *digits);
    const double value = element(from, given_.values.format);
    return item % 2 == 1 && given_.mirror == Mirror::skew ? -value : value;
  }

  [[noreturn]] void refuse_value(const std::string& expected, Index row, std::int32_t column,
                                 const std::string& received) const {
    refuse(given_.values.name,
           expected + " at row " + std::to_string(row) + ", column " + std::to_string(column),
           received);
  }

  void take_row(Index row) {
    row_.clear();
    for (Index t = starts_[row]; t < starts_[row + 1]; ++t) {
      rest(t);
      const Index item = items_.empty() ? 2 * t : items_[t];
      row_.push_back({indices_[t], item % 2 == 1, value_of(item, row, indices_[t])});
    }
    const auto ascending = [](const Entry& a, const Entry& b) { return a.column < b.column; };
    if (!std::ranges::is_sorted(row_, ascending)) std::ranges::stable_sort(row_, ascending);
  }

  // Sums entries of equal column. Reads a copy of the row, because the result overwrites the row.
  void merge_row(Index row) {
    take_row(row);
    for (std::size_t t = 0; t < row_.size();) {
      const Entry& first = row_[t];
      double sum = first.value;
      for (++t; t < row_.size() && row_[t].column == first.column; ++t) {
        if (row_[t].mirrored != first.mirrored) refuse_both_halves(row, first.column);
        sum += row_[t].value;
      }
      const auto rounded = static_cast<float>(sum);
      if (std::isinf(rounded) && std::isfinite(sum))
        refuse_value("a number within float32's range", row, first.column, shown(sum));
      indices_[written_] = first.column;
      values_[written_++] = rounded;
    }
  }

  [[noreturn]] void refuse_both_halves(Index row, std::int32_t column) const {
    refuse(
        given_.values.name, "every pair of a row and a column once, in one of the two halves",
        "row " + std::to_string(row + 1) + ", column " + std::to_string(column + 1) + " in both");
  }

  const SparseEntries& given_;
  std::span<std::int32_t> indices_;
  std::span<float> values_;
  const Job& job_;
  std::vector<Index> starts_;  // [rows + 1], in indices_ before repeats are summed
  std::vector<Index> items_;   // [entries], see each(); empty if already grouped by row
  std::vector<Entry> row_;
  Index written_ = 0;
};

}  // namespace

template <class Start>
Index compress_rows(const SparseEntries& given, std::span<Start> indptr,
                    std::span<std::int32_t> indices, std::span<float> values, const Job& job) {
  return Compressor(given, indices, values, job).run(indptr);
}
template Index compress_rows(const SparseEntries&, std::span<std::int32_t>, std::span<std::int32_t>,
                             std::span<float>, const Job&);
template Index compress_rows(const SparseEntries&, std::span<double>, std::span<std::int32_t>,
                             std::span<float>, const Job&);

}  // namespace gemmine
