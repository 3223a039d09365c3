#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "core/random.h"
#include "factorization/graded_eigen.h"
#include "factorization/random_streams.h"
#include "factorization/singular.h"

namespace gemmine {
namespace {

// With float32 products of X, columns of U have an error of at most 6e-8·s₀/s. If a singular value
// is below this share of the first, the last product is formed in float64.
constexpr double refined_share = 1e-3;

// Singular values below this share are rounding noise of X's float32 entries.
constexpr double noise_share = 1e-7;

// The range finder: Z spans approximately the leading right singular vectors, and T = X Z.
class RangeFinder {
 public:
  RangeFinder(const Input& input, Index columns)
      : input_(input),
        Z_(input.backend, input.cols(), columns),
        T_(input.backend, input.rows(), columns),
        sums_(input.backend.make_sums(input.cols(), columns)) {}

  // `basis` is the transpose of Z, [columns×d].
  void set_basis(const HostMatrix<double>& basis) {
    HostMatrix<float> Z(basis.cols(), basis.rows());
    for (Index t = 0; t < Z.rows(); ++t)
      for (Index j = 0; j < Z.cols(); ++j) Z(t, j) = static_cast<float>(basis(j, t));
    input_.backend.upload(Z.view(), Z_.view());
  }

  // Z becomes a basis of XᵀT of the last read.
  void advance() { input_.backend.orthonormalise(*sums_, Z_.view(), input_.job); }

  // T = X Z and XᵀT, in one read of X.
  void read() {
    const Index k = Z_.view().cols;
    const NormalMatrix unused(std::vector<double>(k * k), k, 0, false);
    input_.read(Z_.view(), unused, step_of(StepKind::product, 0, 0, 1), T_.view(), Measure::none,
                *sums_);
  }

  // T = X Z in float64, for a Z that is not rounded to float32.
  void multiply_in_float64(const HostMatrix<double>& basis) {
    set_basis(basis);
    HostMatrix<double> Z(basis.cols(), basis.rows());
    for (Index t = 0; t < Z.rows(); ++t)
      for (Index j = 0; j < Z.cols(); ++j) Z(t, j) = basis(j, t);
    input_.backend.multiply_in_float64(input_.X, input_.pass_exponent, std::as_const(Z).view(),
                                       T_.view(), input_.job);
  }

  // The same, and XᵀT.
  void read_in_float64(const HostMatrix<double>& basis) {
    multiply_in_float64(basis);
    input_.form_sums(T_.view(), *sums_);
  }

  HostMatrix<double> next_basis() const {
    const Index k = Z_.view().cols;
    HostMatrix<double> basis(k, input_.cols());
    const std::vector<double> cross = input_.backend.cross(*sums_);
    for (Index t = 0; t < input_.cols(); ++t)
      for (Index j = 0; j < k; ++j) basis(j, t) = cross[t * k + j];
    return basis;
  }

  BackendView<float> T() const { return T_.view(); }

 private:
  const Input& input_;
  BackendMatrix Z_;
  BackendMatrix T_;
  std::unique_ptr<Sums> sums_;
};

HostMatrix<double> random_basis(Index rows, Index cols, std::uint64_t seed) {
  const CounterRandom random(seed, svd_basis);
  HostMatrix<double> basis(rows, cols);
  for (Index j = 0; j < rows; ++j)
    for (Index t = 0; t < cols; ++t) basis(j, t) = random.normal(t, static_cast<std::uint32_t>(j));
  return basis;
}

// A·B for a tall A in the backend's memory and a small B.
BackendMatrix tall_product(const Input& input, BackendView<const float> A,
                           const HostMatrix<float>& B) {
  const BackendMatrix other(input.backend, B.rows(), B.cols());
  BackendMatrix result(input.backend, A.rows, B.cols());
  input.backend.upload(B.view(), other.view());
  input.backend.multiply(A, other.view(), result.view(), input.job);
  return result;
}

void fix_signs(const Input& input, SingularTriplets& triplets) {
  HostMatrix<float>& V = triplets.Vt;
  std::vector<double> signs(triplets.s.size(), 1.0);
  for (Index j = 0; j < V.cols(); ++j) {
    Index largest = 0;
    for (Index t = 1; t < V.rows(); ++t)
      if (std::abs(V(t, j)) > std::abs(V(largest, j))) largest = t;
    if (V(largest, j) >= 0) continue;
    for (Index t = 0; t < V.rows(); ++t) V(t, j) = -V(t, j);
    signs[j] = -1;
  }
  input.backend.scale_columns(signs, triplets.U.view(), input.job);
}

// The right singular vectors [l×l], as rows, and the singular values of a tall T [n×l], from the
// eigenvectors of TᵀT in float64.
struct RightVectors {
  HostMatrix<double> rows;
  std::vector<double> s;
};

// `graded`: the columns of T are as small as their singular values.
RightVectors right_vectors(const Input& input, BackendView<const float> T, bool graded) {
  RightVectors found{HostMatrix<double>(T.cols, T.cols), {}};
  std::ranges::copy(input.backend.gram(T, input.job), found.rows.row(0));
  found.s = graded ? graded_eigen(found.rows) : input.backend.symmetric_eigen(found.rows.view());
  for (double& value : found.s) value = std::sqrt(std::max(0.0, value));
  return found;
}

// U and V of T Zᵀ, with T = X Z; the rows of `rows` are Vᵀ.
SingularTriplets triplets_of(const Input& input, BackendView<const float> T,
                             const RightVectors& vectors, const HostMatrix<double>& rows,
                             Index rank) {
  const std::vector<double>& s = vectors.s;
  Index certain = 0;
  HostMatrix<float> left(T.cols, rank);
  for (Index j = 0; j < rank; ++j) {
    if (s[j] > noise_share * s[0]) certain = j + 1;
    for (Index i = 0; i < T.cols && certain > j; ++i)
      left(i, j) = static_cast<float>(vectors.rows(j, i) / s[j]);
  }
  HostMatrix<float> Vt(rows.cols(), rank);
  for (Index t = 0; t < Vt.rows(); ++t)
    for (Index j = 0; j < rank; ++j) Vt(t, j) = static_cast<float>(rows(j, t));
  SingularTriplets triplets{.U = tall_product(input, T, left),
                            .s = {s.begin(), s.begin() + rank},
                            .Vt = std::move(Vt),
                            .certain = certain};
  // The other columns are noise: an orthonormal completion replaces them.
  input.backend.orthonormalise_columns(certain, triplets.U.view(), input.job);
  fix_signs(input, triplets);
  return triplets;
}

// A·B in float64, for small matrices on the host.
HostMatrix<double> product(const HostMatrix<double>& A, const HostMatrix<double>& B) {
  HostMatrix<double> C(A.rows(), B.cols());
  for (Index i = 0; i < A.rows(); ++i)
    for (Index l = 0; l < A.cols(); ++l)
      for (Index t = 0; t < B.cols(); ++t) C(i, t) += A(i, l) * B(l, t);
  return C;
}

SingularTriplets from_range(const Input& input, RangeFinder& range, HostMatrix<double> basis,
                            Index rank) {
  RightVectors vectors = right_vectors(input, range.T(), false);
  if (vectors.s[rank - 1] < refined_share * vectors.s[0]) {
    // Each column of T becomes as small as its singular value, and its rounding error too, so one
    // more power step also improves the small singular vectors.
    basis = product(vectors.rows, basis);
    input.backend.orthonormalise_rows(basis.view());
    range.read_in_float64(basis);
    basis = range.next_basis();
    input.backend.orthonormalise_rows(basis.view());
    range.multiply_in_float64(basis);
    vectors = right_vectors(input, range.T(), true);
  }
  return triplets_of(input, range.T(), vectors, product(vectors.rows, basis), rank);
}

}  // namespace

SingularTriplets singular_triplets(const Input& input, const SvdOptions& options) {
  const Index most = std::min(input.rows(), input.cols());
  const Index columns = std::min(most, options.rank + options.oversamples);
  RangeFinder range(input, columns);
  HostMatrix<double> basis = random_basis(columns, input.cols(), options.seed);
  const auto set_basis = [&] {
    input.backend.orthonormalise_rows(basis.view());
    range.set_basis(basis);
  };
  set_basis();
  for (Index step = 0;; ++step) {
    range.read();
    input.job.progress("power", step + 1, options.power_iterations + 1);
    if (step == options.power_iterations) break;
    if (step + 1 < options.power_iterations) {
      range.advance();
    } else {  // the last basis is needed in float64
      basis = range.next_basis();
      set_basis();
    }
  }
  return from_range(input, range, std::move(basis), options.rank);
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
    const BackendMatrix Ht(input.backend, triplets.Vt.rows(), triplets.Vt.cols());
    input.backend.copy(U, W.view());
    input.backend.scale_columns(triplets.s, W.view(), input.job);
    input.backend.upload(triplets.Vt.view(), Ht.view());
    left = input.squared_error(W.view(), Ht.view());
  }
  return std::sqrt(left / input.squared_norm);
}

}  // namespace

SvdResult truncated_svd(Passes& backend, const RowSource& X, const SvdOptions& options,
                        HostView<float> U, HostView<float> V, const Job& job) {
  const ScaledInput scaled(backend, {.X = X, .sign = EntrySign::any}, job);
  SingularTriplets triplets = singular_triplets(*scaled, options);
  backend.download(triplets.U.view(), U);
  for (Index j = 0; j < V.rows; ++j)
    for (Index t = 0; t < V.cols; ++t) V(j, t) = triplets.Vt(t, j);
  SvdResult result{
      .s = triplets.s, .relative_error = relative_error(*scaled, triplets), .warnings = {}};
  for (double& value : result.s) value = std::ldexp(value, scaled.exponent());
  if (triplets.certain < options.rank)
    result.warnings.push_back(completion_warning(triplets.certain, options.rank));
  return result;
}

}  // namespace gemmine
