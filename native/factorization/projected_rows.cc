#include "factorization/projected_rows.h"

#include <algorithm>
#include <cmath>

#include "core/row_source.h"
#include "factorization/gram_product.h"
#include "factorization/orthonormal_block.h"
#include "factorization/random_streams.h"

namespace gemmine {
namespace {

double squared_sum(const HostMatrix<float>& rows) {
  double sum = 0;
  for (Index i = 0; i < rows.rows(); ++i)
    for (Index j = 0; j < rows.cols(); ++j) sum += double{rows(i, j)} * rows(i, j);
  return sum;
}

BackendMatrix basis_of(const Input& input, Index width, std::uint64_t seed) {
  Passes& backend = input.backend;
  BackendMatrix basis(backend, input.cols(), width);
  const BackendMatrix image(backend, input.rows(), width);
  backend.fill_random({.distribution = Distribution::normal,
                       .scale = 1 / std::sqrt(static_cast<double>(input.cols())),
                       .seed = seed,
                       .stream = svd_basis},
                      basis.view(), input.job);
  GramProduct(input, width).apply(basis.view(), image.view(), basis.view());
  orthonormalise_block(backend, basis.view(), seed, input.job);
  return basis;
}

HostMatrix<float> coordinates(const Input& input, BackendView<const float> basis) {
  const BackendMatrix rows(input.backend, input.rows(), basis.cols);
  input.multiply(basis, rows.view());
  return downloaded(input.backend, rows.view());
}

}  // namespace

ProjectedRows::ProjectedRows(const Input& input, Index width, std::uint64_t seed)
    : backend_(input.backend),
      job_(input.job),
      basis_(basis_of(input, width, seed)),
      rows_(coordinates(input, basis_.view())),
      source_(dense_source(rows_.row(0), ElementType::float32, rows_.rows(), width, width)) {
  const double squared_norm = squared_sum(rows_);
  lost_ = std::max(0.0, input.squared_norm - squared_norm);
  input_.emplace(Input{.backend = backend_,
                       .X = *source_,
                       .pass_exponent = 0,
                       .squared_norm = squared_norm,
                       .mean = 0,
                       .job = job_});
}

void ProjectedRows::lift(BackendView<const float> Gt, BackendView<float> Ht) const {
  const HostMatrix<float> small = downloaded(backend_, Gt);
  HostMatrix<double> wide(small.rows(), small.cols());
  std::copy(small.row(0), small.row(small.rows()), wide.row(0));
  backend_.multiply(basis_.view(), std::as_const(wide).view(), Ht, job_);
}

}  // namespace gemmine
