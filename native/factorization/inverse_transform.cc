#include <algorithm>
#include <bit>
#include <cmath>

#include "factorization/factors.h"
#include "factorization/input.h"
#include "factorization/sizes.h"

namespace gemmine {
namespace {

constexpr Index rows_at_once = 4096;

// Whether float32 sums could overflow: every |w| < 2^(of_W + 1), every |h| < 2^(of_H + 1).
bool may_overflow(int of_W, int of_H, Index rank) {
  constexpr int highest = 124;  // with a margin for rounding
  return of_W + of_H + static_cast<int>(std::bit_width(static_cast<std::uint64_t>(rank))) > highest;
}

// One entry in float64, where products of float32 numbers neither overflow nor vanish.
float exact_entry(const RowCopies& row, HostView<const float> H, Index t) {
  double sum = 0;
  row.each_entry(0, [&](Index j, float w) { sum += double{w} * H(j, t); });
  return static_cast<float>(sum);
}

// A float32 sum that has overflowed stays ±Infinity or NaN for all further terms.
void repair(const Input& codes, HostView<const float> H, Index begin, HostView<float> X) {
  const auto overflowed = [](float value) { return !std::isfinite(value); };
  for (Index i = 0; i < X.rows; ++i) {
    if (std::none_of(X.row(i), X.row(i) + X.cols, overflowed)) continue;
    const Index number = begin + i;
    const RowCopies row = codes.backend.read_rows(codes.X, {&number, 1}, codes.job);
    for (Index t = 0; t < X.cols; ++t)
      if (overflowed(X(i, t))) X(i, t) = exact_entry(row, H, t);
  }
}

HostMatrix<float> columns_of(HostView<const float> H, Index begin, Index count) {
  HostMatrix<float> columns(H.rows, count);
  for (Index j = 0; j < H.rows; ++j) std::copy_n(H.row(j) + begin, count, columns.row(j));
  return columns;
}

}  // namespace

void inverse_transform(Passes& backend, const RowSource& W, HostView<const float> H,
                       HostView<float> X, const Job& job) {
  const auto components = dense_source(H.data, ElementType::float32, H.rows, H.cols, H.stride);
  components->argument = "H";
  const int of_H = backend.examine({.X = *components, .sign = EntrySign::any}, job).exponent;
  const int of_W = backend.examine({.X = W, .sign = EntrySign::any}, job).exponent;
  // Neither factor is scaled, because small entries beside large ones would become 0.
  const std::unique_ptr<RowSource> resident = backend.resident(W, job);
  const Input codes{.backend = backend,
                    .X = resident ? *resident : W,
                    .pass_exponent = 0,
                    .squared_norm = 0,
                    .mean = 0,
                    .job = job};
  const BackendMatrix memory(backend, X.rows, std::min(columns_at_once, X.cols));
  for (Index first = 0; first < X.cols; first += columns_at_once) {
    const Index count = std::min(columns_at_once, X.cols - first);
    const HostMatrix<float> columns = columns_of(H, first, count);
    const BackendMatrix other(backend, H.rows, count);
    backend.upload(columns.view(), other.view());
    const BackendView<float> product{memory.view().data, X.rows, count, memory.view().stride};
    codes.multiply(other.view(), product);
    for (Index begin = 0; begin < X.rows; begin += rows_at_once) {
      job.cancellation.check();
      const Index rows = std::min(rows_at_once, X.rows - begin);
      const HostView<float> part{X.row(begin) + first, rows, count, X.stride};
      backend.download(product.row_block(begin, rows), part);
      if (may_overflow(of_W, of_H, H.rows)) repair(codes, columns.view(), begin, part);
    }
    job.progress("multiply", first + count, X.cols);
  }
}

}  // namespace gemmine
