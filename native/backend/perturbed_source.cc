#include "backend/perturbed_source.h"

#include <algorithm>
#include <vector>

#include "backend/perturbed_block.h"
#include "backend/registry.h"
#include "core/pool.h"
#include "core/row_reader.h"

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
  std::unique_ptr<ReadAhead> read_ahead(RowRange rows) const override {
    return source_.read_ahead(rows);
  }
  RowBlock block(Index begin, Index count, RowScratch& scratch) const override {
    return perturbed_block(source_.block(begin, count, scratch), noise_, scratch.values,
                           host_perturb());
  }

 protected:
  const RowSource& source() const { return source_; }

 private:
  const RowSource& source_;
  const Noise noise_;
};

// Entries at a time: some megabytes, so that a job stops soon.
constexpr Index chunk_entries = 1 << 18;

class PerturbedCopy : public PerturbedSource {
 public:
  PerturbedCopy(const RowSource& source, const Noise& noise, const Job& job)
      : PerturbedSource(source, noise),
        values_(static_cast<std::size_t>(sparse() ? nonzeros() : rows() * cols())) {
    const Index entries = std::max<Index>(1, static_cast<Index>(values_.size()) / rows());
    const Index height = std::max<Index>(1, chunk_entries / entries);
    std::vector<RowScratch> scratch(static_cast<std::size_t>(worker_count(job)));
    const RowReader reader(source);
    parallel_for(job, (rows() + height - 1) / height, [&](Index chunk, Index worker) {
      const Index begin = chunk * height;
      RowScratch& memory = scratch[worker];
      const RowBlock block = reader.block(begin, std::min(height, rows() - begin), memory);
      copy(perturbed_block(block, noise, memory.values, host_perturb()));
    });
  }

  std::unique_ptr<ReadAhead> read_ahead(RowRange) const override { return nullptr; }

  RowBlock block(Index begin, Index count, RowScratch& scratch) const override {
    if (!sparse()) {
      const HostView<const float> all = {values_.data(), rows(), cols(), cols()};
      return {begin, count, all.row_block(begin, count), nullptr, nullptr, nullptr};
    }
    RowBlock block = source().block(begin, count, scratch);
    block.values = values_.data();
    return block;
  }

 private:
  void copy(const RowBlock& from) {
    if (sparse()) {
      const auto first = static_cast<Index>(from.indptr[0]);
      const auto end = static_cast<Index>(from.indptr[from.count]);
      std::copy(from.values + first, from.values + end, values_.begin() + first);
      return;
    }
    for (Index i = 0; i < from.count; ++i)
      std::copy_n(from.dense.row(i), cols(), values_.begin() + (from.begin + i) * cols());
  }

  std::vector<float> values_;  // [n×d], or those of CSR
};

}  // namespace

std::unique_ptr<RowSource> perturbed_copy(const RowSource& source, const Noise& noise,
                                          const Job& job) {
  return std::make_unique<PerturbedCopy>(source, noise, job);
}

std::unique_ptr<RowSource> perturbed_source(const RowSource& source, const Noise& noise) {
  return std::make_unique<PerturbedSource>(source, noise);
}

}  // namespace gemmine
