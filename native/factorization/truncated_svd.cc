#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "core/transpose.h"
#include "factorization/graded_eigen.h"
#include "factorization/krylov_space.h"
#include "factorization/orthonormal_block.h"
#include "factorization/singular.h"

namespace gemmine {
namespace {

// With float32 products of X, columns of U have an error of at most 6e-8·s₀/s. If a singular value
// is below this share of the first, the last product is formed in float64.
constexpr double refined_share = 1e-3;

// Singular values below this share are rounding noise of X's float32 entries.
constexpr double noise_share = 1e-7;

// The transpose of a matrix in the backend's memory, in float64.
HostMatrix<double> transposed(Passes& backend, BackendView<const float> columns) {
  const HostMatrix<float> values = downloaded(backend, columns);
  HostMatrix<double> rows(columns.cols, columns.rows);
  for (Index t = 0; t < columns.rows; ++t)
    for (Index j = 0; j < columns.cols; ++j) rows(j, t) = values(t, j);
  return rows;
}

HostMatrix<float> rounded_columns(const HostMatrix<double>& rows) {
  HostMatrix<float> columns(rows.cols(), rows.rows());
  for (Index t = 0; t < columns.rows(); ++t)
    for (Index j = 0; j < columns.cols(); ++j) columns(t, j) = static_cast<float>(rows(j, t));
  return columns;
}

// Multiplies the vectors of each pair by the sign that makes the largest entry of V positive.
void fix_signs(const Input& input, SingularTriplets& triplets) {
  const ColumnParts parts = input.backend.column_parts(triplets.V.view(), input.job);
  std::vector<double> signs;
  for (std::size_t j = 0; j < triplets.s.size(); ++j)
    signs.push_back(parts.most[j] < -parts.least[j] ? -1.0 : 1.0);
  input.backend.scale_columns(signs, triplets.U.view(), input.job);
  input.backend.scale_columns(signs, triplets.V.view(), input.job);
}

// The first `count` rows as columns.
HostMatrix<double> leading_columns(const HostMatrix<double>& rows, Index count) {
  HostMatrix<double> columns(rows.cols(), count);
  for (Index i = 0; i < columns.rows(); ++i)
    for (Index j = 0; j < count; ++j) columns(i, j) = rows(j, i);
  return columns;
}

// Columns divided by their singular values, or 0 where that is not above `share` of the first.
HostMatrix<double> divided(HostMatrix<double> columns, const std::vector<double>& s, double share) {
  for (Index i = 0; i < columns.rows(); ++i)
    for (Index j = 0; j < columns.cols(); ++j)
      columns(i, j) = s[j] > share * s[0] ? columns(i, j) / s[j] : 0;
  return columns;
}

// A·B for a tall A in the backend's memory and a small B, rounded once.
BackendMatrix tall_product(const Input& input, BackendView<const float> A,
                           const HostMatrix<double>& B) {
  BackendMatrix result(input.backend, A.rows, B.cols());
  input.backend.multiply(A, B.view(), result.view(), input.job);
  return result;
}

SingularTriplets from_space(const Input& input, const KrylovSpace& space, Index rank) {
  const HostMatrix<double> of_basis = leading_columns(space.combined, rank);
  BackendMatrix shorter = tall_product(input, space.basis.view(), of_basis);
  BackendMatrix longer =
      tall_product(input, space.image.view(), divided(of_basis, space.s, noise_share));
  if (space.transposed) std::swap(shorter, longer);
  return {.U = std::move(longer),
          .s = {space.s.begin(), space.s.begin() + rank},
          .V = std::move(shorter),
          .certain = rank};
}

// The leading right singular vectors in the space, as orthonormal rows [width×d] in float64.
HostMatrix<double> leading_rows(const Input& input, const KrylovSpace& space, Index width,
                                std::uint64_t seed) {
  const HostMatrix<double> of_basis = leading_columns(space.combined, width);
  const BackendMatrix V =
      space.transposed ? tall_product(input, space.image.view(), divided(of_basis, space.s, 0))
                       : tall_product(input, space.basis.view(), of_basis);
  orthonormalise_block(input.backend, V.view(), seed, input.job);
  HostMatrix<double> rows = transposed(input.backend, V.view());
  input.backend.orthonormalise_rows(rows.view(), input.job);
  return rows;
}

// T = X Z in float64, for the transpose of a Z that is not rounded to float32.
void multiply_in_float64(const Input& input, const HostMatrix<double>& rows, BackendView<float> T) {
  const HostMatrix<double> Z = leading_columns(rows, rows.rows());
  input.backend.multiply_in_float64(input.X, input.pass_exponent, Z.view(), T, input.job);
}

// Triplets whose small singular values are as certain as their size allows. Each column of T
// becomes as small as its singular value, and its rounding error too, so one more power step also
// improves the small singular vectors.
SingularTriplets refined(const Input& input, HostMatrix<double> rows, Index rank) {
  Passes& backend = input.backend;
  const Index width = rows.rows();
  const BackendMatrix T(backend, input.rows(), width);
  multiply_in_float64(input, rows, T.view());
  {
    const auto sums = backend.make_sums(input.cols(), width);
    input.form_sums(T.view(), *sums);
    const std::vector<double> cross = backend.cross(*sums);
    for (Index t = 0; t < input.cols(); ++t)
      for (Index j = 0; j < width; ++j) rows(j, t) = cross[t * width + j];
  }
  backend.orthonormalise_rows(rows.view(), input.job);
  multiply_in_float64(input, rows, T.view());

  HostMatrix<double> vectors(width, width);
  std::ranges::copy(backend.gram(T.view(), input.job), vectors.row(0));
  std::vector<double> s = graded_eigen(vectors);
  for (double& value : s) value = std::sqrt(std::max(0.0, value));
  s.resize(static_cast<std::size_t>(rank));
  const HostMatrix<double> columns = leading_columns(vectors, rank);
  const BackendMatrix Z(backend, input.cols(), width);
  backend.upload(rounded_columns(rows).view(), Z.view());
  Index certain = 0;
  while (certain < rank && s[certain] > noise_share * s[0]) ++certain;
  SingularTriplets triplets{.U = tall_product(input, T.view(), divided(columns, s, noise_share)),
                            .s = std::move(s),
                            .V = tall_product(input, Z.view(), columns),
                            .certain = certain};
  // The other columns are noise: an orthonormal completion replaces them.
  backend.orthonormalise_columns(certain, triplets.U.view(), input.job);
  return triplets;
}

}  // namespace

SingularTriplets singular_triplets(const Input& input, const SvdOptions& options, Index further) {
  const Index width = std::min({input.rows(), input.cols(), options.rank + options.oversamples});
  const Index count = std::min(width, options.rank + further);
  std::optional<KrylovSpace> space = krylov_space(input, width, options);
  const bool graded = space->s[0] == 0 || space->s[options.rank - 1] < refined_share * space->s[0];
  const auto refine = [&] {
    HostMatrix<double> rows = leading_rows(input, *space, width, options.seed);
    space.reset();  // its memory is needed
    return refined(input, std::move(rows), count);
  };
  SingularTriplets triplets = graded ? refine() : from_space(input, *space, count);
  fix_signs(input, triplets);
  return triplets;
}

namespace {

std::string completion_warning(Index certain, Index rank) {
  if (certain == 0) return "X is zero: U and V are any orthonormal columns and rows.";
  const std::string columns = certain + 1 == rank
                                  ? "Column " + std::to_string(certain) + " of U only completes"
                                  : "Columns " + std::to_string(certain) + " to " +
                                        std::to_string(rank - 1) + " of U only complete";
  return columns +
         " its orthonormal columns (the first is column 0): a singular value below 1e-7 " +
         "of the first is noise of float32 entries, and its vectors are arbitrary. A rank of " +
         std::to_string(certain) + " would do.";
}

// A residual above this share of ‖X‖² is computed as ‖X‖² − Σ s²; for a smaller one that difference
// would cancel.
constexpr double direct_share = 1e-2;

// ‖X − U diag(s) V‖ / ‖X‖ of the scaled X.
double relative_error(const Input& input, const SingularTriplets& triplets) {
  if (input.squared_norm == 0) return 0;
  double left = input.squared_norm;
  for (const double value : triplets.s) left -= value * value;
  if (left < direct_share * input.squared_norm) {
    const BackendView<float> U = triplets.U.view();
    const BackendMatrix W(input.backend, U.rows, U.cols);
    input.backend.copy(U, W.view());
    input.backend.scale_columns(triplets.s, W.view(), input.job);
    left = input.squared_error(W.view(), triplets.V.view());
  }
  return std::sqrt(left / input.squared_norm);
}

}  // namespace

SvdResult truncated_svd(Passes& backend, const RowSource& X, const SvdOptions& options,
                        HostView<float> U, HostView<float> V, const Job& job) {
  const ScaledInput scaled(backend, {.X = X, .sign = EntrySign::any}, job);
  SingularTriplets triplets = singular_triplets(*scaled, options);
  backend.download(triplets.U.view(), U);
  const HostMatrix<float> columns = downloaded(backend, triplets.V.view());
  expect(V.stride == V.cols, "V has no gaps between its rows");
  transpose(reinterpret_cast<const std::byte*>(columns.row(0)),
            reinterpret_cast<std::byte*>(V.data), V.rows, V.cols, sizeof(float), job);
  SvdResult result{
      .s = triplets.s, .relative_error = relative_error(*scaled, triplets), .warnings = {}};
  for (double& value : result.s) value = std::ldexp(value, scaled.exponent());
  if (triplets.certain < options.rank)
    result.warnings.push_back(completion_warning(triplets.certain, options.rank));
  return result;
}

}  // namespace gemmine
