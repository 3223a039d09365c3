#include "backend/cpu/pass.h"

#include <algorithm>

#include "backend/cpu/group_pass.h"
#include "backend/cpu/ordered_blocks.h"
#include "backend/cpu/row_blocks.h"
#include "core/row_reader.h"

namespace gemmine::cpu {
namespace {

RowBlock part_of(const RowBlock& block, Index begin, Index count) {
  RowBlock part = block;
  part.begin += begin;
  part.count = count;
  if (block.dense.data != nullptr)
    part.dense = block.dense.row_block(begin, count);
  else
    part.indptr += begin;
  return part;
}

// Sums of one block for all groups.
using AllSums = std::vector<BlockSums>;

class RunningPass {
 public:
  RunningPass(const Kernels& kernels, const Pass& pass, const Job& job)
      : pass_(pass), job_(job), rows_(pass.X, rows_of(pass)) {
    for (const Group& group : pass.groups) groups_.push_back(group_pass(kernels, group));
    scratch_.resize(static_cast<std::size_t>(worker_count(job)));
    for (const Group& group : pass.groups) cpu_sums(group.sums).workspaces.resize(scratch_.size());
  }

  void run() {
    const std::vector<Index> firsts = row_blocks(pass_.X, rows_of(pass_), forms_sums());
    const auto blocks = static_cast<Index>(firsts.size()) - 1;
    std::vector<AllSums> partial = take_partial(std::min(blocks, sums_at_once(worker_count(job_))));
    reduce_in_order(
        job_, blocks, partial,
        [&](Index at, Index worker, AllSums& sums) {
          block(firsts[at], firsts[at + 1] - firsts[at], worker, sums);
        },
        [&](const AllSums& sums) {
          for (std::size_t g = 0; g < groups_.size(); ++g) groups_[g]->merge(sums[g]);
        });
    give_back(partial);
    for (const auto& group : groups_) group->finish();
  }

 private:
  std::unique_ptr<GroupPass> group_pass(const Kernels& kernels, const Group& group) const {
    switch (pass_.loss.kind) {
      case LossKind::frobenius:
        return frobenius_group(kernels, pass_, group, job_.cancellation);
      case LossKind::logistic:
        return logistic_group(kernels, pass_, group, job_.cancellation);
      default:
        return divergence_group(kernels, pass_, group, job_.cancellation);
    }
  }

  bool forms_sums() const {
    return std::ranges::any_of(pass_.groups, [](const Group& group) {
      return group.accumulate || group.measure != Measure::none;
    });
  }

  // Reuses the memory of an earlier pass.
  std::vector<AllSums> take_partial(Index slots) {
    std::vector<AllSums> partial(static_cast<std::size_t>(slots), AllSums(groups_.size()));
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      std::vector<BlockSums>& kept = cpu_sums(pass_.groups[g].sums).partial;
      kept.resize(partial.size());
      for (std::size_t s = 0; s < partial.size(); ++s) partial[s][g] = std::move(kept[s]);
    }
    return partial;
  }

  void give_back(std::vector<AllSums>& partial) {
    for (std::size_t g = 0; g < groups_.size(); ++g)
      for (std::size_t s = 0; s < partial.size(); ++s)
        cpu_sums(pass_.groups[g].sums).partial[s] = std::move(partial[s][g]);
  }

  // A single group reads one tile at a time, so that it stays in cache. Several groups share the
  // rows read.
  void block(Index begin, Index count, Index worker, AllSums& sums) {
    RowScratch& scratch = scratch_[worker];
    for (std::size_t g = 0; g < groups_.size(); ++g) groups_[g]->begin_block(sums[g]);
    if (groups_.size() == 1) {
      tiles(0, begin, count, worker, sums,
            [&](Index first, Index rows) { return rows_.block(begin + first, rows, scratch); });
      return;
    }
    const RowBlock whole = rows_.block(begin, count, scratch);
    for (std::size_t g = 0; g < groups_.size(); ++g)
      tiles(g, begin, count, worker, sums,
            [&](Index first, Index rows) { return part_of(whole, first, rows); });
  }

  template <class Read>
  void tiles(std::size_t g, Index begin, Index count, Index worker, AllSums& sums, Read read) {
    Workspace& workspace = cpu_sums(pass_.groups[g].sums).workspaces[worker];
    const Index rows = groups_[g]->tile_rows();
    for (Index done = 0; done < count; done += rows) {
      job_.cancellation.check();
      give_way();
      const Index here = std::min(rows, count - done);
      groups_[g]->tile(read(done, here), begin + done, done == 0, workspace, sums[g]);
    }
  }

  const Pass& pass_;
  const Job& job_;
  const RowReader rows_;
  std::vector<std::unique_ptr<GroupPass>> groups_;
  std::vector<RowScratch> scratch_;  // one per worker
};

}  // namespace

void run_pass(const Kernels& kernels, const Pass& pass, const Job& job) {
  RunningPass(kernels, pass, job).run();
}

}  // namespace gemmine::cpu
