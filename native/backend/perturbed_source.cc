#include "backend/perturbed_source.h"

#include "backend/perturbed_block.h"
#include "core/row_block.h"

namespace gemmine {
namespace {

class PerturbedSource : public RowSource {
 public:
  PerturbedSource(const RowSource& source, const Noise& noise) : source_(source), noise_(noise) {
    argument = source.argument;
    first = source.first;
  }

  Index rows() const override { return source_.rows(); }
  Index cols() const override { return source_.cols(); }
  Index nonzeros() const override { return source_.nonzeros(); }
  const double* indptr() const override { return source_.indptr(); }
  double entry(Index row, Index column) const override {
    return perturbed(static_cast<float>(source_.entry(row, column)), noise_, row, column);
  }
  RowBlock block(Index begin, Index count, RowScratch& scratch) const override {
    return perturbed_block(source_.block(begin, count, scratch), noise_, scratch.values);
  }

 private:
  const RowSource& source_;
  const Noise noise_;
};

}  // namespace

std::unique_ptr<RowSource> perturbed_source(const RowSource& source, const Noise& noise) {
  return std::make_unique<PerturbedSource>(source, noise);
}

}  // namespace gemmine
