#include "factorization/krylov_space.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "factorization/gram_product.h"
#include "factorization/orthonormal_block.h"
#include "factorization/random_streams.h"

namespace gemmine {
namespace {

// More blocks hardly lower the error, and the image of a block takes as much memory as U.
constexpr Index most_blocks = 3;

// A = X, or Xᵀ if X has fewer rows than columns: small matrices are orthonormalised on the shorter
// side. XᵀX Z is formed in one read of X, X Xᵀ Z in two.
class Operator {
 public:
  Operator(const Input& input, Index width)
      : input_(input), transposed_(input.rows() < input.cols()), product_(input, width) {}

  bool transposed() const { return transposed_; }
  Index columns() const { return transposed_ ? input_.rows() : input_.cols(); }
  Index rows() const { return transposed_ ? input_.cols() : input_.rows(); }

  // image = A Z.
  void apply(BackendView<float> Z, BackendView<float> image) const {
    if (!transposed_) return input_.multiply(Z, image);
    product_.apply_transpose(Z, image);
  }

  // image = A Z and next = Aᵀ A Z; `next` may be Z.
  void apply_both(BackendView<float> Z, BackendView<float> image, BackendView<float> next) const {
    if (!transposed_) return product_.apply(Z, image, next);
    apply(Z, image);
    input_.multiply(image, next);
  }

 private:
  const Input& input_;
  bool transposed_;
  GramProduct product_;
};

// The basis while it grows, with its Gram matrix.
class Blocks {
 public:
  Blocks(const Input& input, BackendView<float> all, Index width, std::uint64_t seed)
      : input_(input), all_(all), width_(width), seed_(seed), gram_(0, 0) {}

  BackendView<float> operator[](Index i) const { return all_.column_block(i * width_, width_); }

  // Orthonormalises block i and keeps it, or, in place of block i, one that a later one replaces.
  void orthonormalise(Index i, bool keep) {
    const BackendView<float> until = all_.column_block(0, (i + 1) * width_);
    orthonormalise_block(input_.backend, until, gram_, seed_, input_.job);
    if (keep) extend(until);
  }

  // BᵀB in float64.
  HostMatrix<double>& gram() { return gram_; }

 private:
  void extend(BackendView<const float> until) {
    const Index old = until.cols - width_;
    const std::vector<double> more =
        input_.backend.cross_gram(until, until.column_block(old, width_), input_.job);
    HostMatrix<double> larger(until.cols, until.cols);
    for (Index i = 0; i < until.cols; ++i)
      for (Index j = 0; j < until.cols; ++j)
        larger(i, j) = j >= old   ? more[i * width_ + j - old]
                       : i >= old ? more[j * width_ + i - old]
                                  : gram_(i, j);
    gram_ = std::move(larger);
  }

  const Input& input_;
  BackendView<float> all_;
  Index width_;
  std::uint64_t seed_;
  HostMatrix<double> gram_;
};

}  // namespace

KrylovSpace krylov_space(const Input& input, Index width, const SvdOptions& options) {
  Passes& device = input.backend;
  const Job& job = input.job;
  const Operator A(input, width);
  const Index steps = options.power_iterations;
  const Index blocks = std::clamp<Index>(steps, 1, std::min(most_blocks, A.columns() / width));
  KrylovSpace space{.transposed = A.transposed(),
                    .basis = BackendMatrix(device, A.columns(), blocks * width),
                    .image = BackendMatrix(device, A.rows(), blocks * width),
                    .s = {},
                    .combined = HostMatrix<double>(0, 0)};
  Blocks basis(input, space.basis.view(), width, options.seed);
  const auto image = [&](Index i) { return space.image.view().column_block(i * width, width); };
  device.fill_random({.distribution = Distribution::normal,
                      .scale = 1 / std::sqrt(static_cast<double>(A.columns())),
                      .seed = options.seed,
                      .stream = svd_basis},
                     basis[0], job);
  // Power steps replace the random block, until so many are left that all their blocks are kept.
  const Index replaced = steps - blocks + 1;
  basis.orthonormalise(0, replaced <= 0);
  for (Index step = 0; step < steps; ++step) {
    const Index now = std::max<Index>(0, step - replaced);
    const Index next = std::max<Index>(0, step + 1 - replaced);
    A.apply_both(basis[now], image(now), basis[next]);
    basis.orthonormalise(next, step + 1 >= replaced);
    job.progress("power", step + 1, steps + 1);
  }
  A.apply(basis[blocks - 1], image(blocks - 1));
  job.progress("power", steps + 1, steps + 1);

  // Rayleigh–Ritz: TᵀT y = σ² BᵀB y, in float64 from the float32 entries of B and T = A B.
  const Index m = blocks * width;
  space.combined = HostMatrix<double>(m, m);
  std::ranges::copy(device.gram(space.image.view(), job), space.combined.row(0));
  space.s = device.symmetric_eigen(space.combined.view(), basis.gram().view());
  for (double& value : space.s) value = std::sqrt(std::max(0.0, value));
  return space;
}

}  // namespace gemmine
