#pragma once

#include <memory>

#include "factorization/input.h"

namespace gemmine {

// XᵀX Z for the scaled X in one read. Where X is stored makes no difference, so that it does not
// change the result.
class GramProduct {
 public:
  GramProduct(const Input& input, Index width)
      : input_(input), sums_(input.backend.make_sums(input.cols(), width)) {}

  // image = X Z and next = XᵀX Z; `next` may be Z.
  void apply(BackendView<const float> Z, BackendView<float> image, BackendView<float> next) const;
  // to = Xᵀ image.
  void apply_transpose(BackendView<float> image, BackendView<float> to) const;

 private:
  NormalMatrix unused() const;
  void round_sums(BackendView<float> to) const;

  const Input& input_;
  std::unique_ptr<Sums> sums_;
};

}  // namespace gemmine
