#include "factorization/gram_product.h"

#include <vector>

namespace gemmine {
namespace {

constexpr Step product{.kind = StepKind::product, .l1 = 0, .l2 = 0, .sweeps = 1, .relaxation = 1};

}  // namespace

void GramProduct::apply(BackendView<const float> Z, BackendView<float> image,
                        BackendView<float> next) const {
  input_.read(Z, unused(), product, image, Measure::none, *sums_);
  round_sums(next);
}

void GramProduct::apply_transpose(BackendView<float> image, BackendView<float> to) const {
  input_.form_sums(image, *sums_);
  round_sums(to);
}

NormalMatrix GramProduct::unused() const {
  return NormalMatrix(std::vector<double>(sums_->k * sums_->k), sums_->k, 0, false);
}

void GramProduct::round_sums(BackendView<float> to) const {
  const std::vector<double> none(static_cast<std::size_t>(sums_->k));
  input_.backend.improve(product, *sums_, unused(), none, to, input_.job);
}

}  // namespace gemmine
