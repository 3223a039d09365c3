#pragma once

#include <memory>
#include <vector>

#include "backend/cpu/kernels.h"
#include "backend/cpu/masked_rows.h"
#include "backend/passes.h"
#include "core/row_block.h"
#include "core/row_source.h"

namespace gemmine::cpu {

// Contribution of one block to the sums of a group. Rows of float32 sums are padded to whole
// panels.
struct BlockSums {
  std::vector<float> cross;           // [d×k]
  std::vector<float> gram;            // [k×k]
  std::vector<double> incoming_gram;  // upper triangle [k×k]
  std::vector<float> denominators;    // [d×k], of a divergence, or normal matrices as Triangles
  std::vector<double> column;         // [k], if they are the same for all rows
  double incoming_product = 0;
  double incoming_residual = 0;
  double incoming_divergence = 0;
};

// Memory of one thread for one group.
struct Workspace {
  std::vector<float> cross;         // P [tile×k]
  std::vector<float> residual;      // X − W Htᵀ [tile×d]
  std::vector<float> W_panels;      // W [tile×k]
  std::vector<float> perturbed;     // X with noise
  std::vector<float> row_diagonal;  // of a row addend, times its weight [tile]

  // For a divergence; see TileEntries of tile_entries.h.
  std::vector<float> x;
  std::vector<float> seen;
  std::vector<double> indptr;
  std::vector<std::int32_t> indices;
  std::vector<float> values;
  SeenEntries row;
  std::vector<float> W_rows;       // W [tile×padded k]
  std::vector<float> model;        // V
  std::vector<float> above;        // terms of the numerators
  std::vector<float> below;        // terms of the denominators
  std::vector<float> cross_below;  // denominators [tile×k], or normal matrices
  std::vector<float> pair_panels;  // products of pairs of components of W
  std::vector<double> wide;        // numerators and denominators of a row
};

// S, and memory of megabytes that is reused, so that passes do not allocate it again.
class CpuSums : public Sums {
 public:
  CpuSums(Index d, Index k) : Sums(d, k), cross(static_cast<std::size_t>(d * k)) {}
  std::vector<double> cross;  // S, or numerators
  // [d×k], [k] if they are the same for all rows, or normal matrices as Triangles
  std::vector<double> denominators;
  std::vector<BlockSums> partial;
  std::vector<Workspace> workspaces;
};

inline CpuSums& cpu_sums(Sums& sums) { return dynamic_cast<CpuSums&>(sums); }
inline const CpuSums& cpu_sums(const Sums& sums) { return dynamic_cast<const CpuSums&>(sums); }

// Computations of one group on the blocks of X. Several threads call tile() and block operations at
// once on different blocks; merge() is called for one block at a time, in order.
class GroupPass {
 public:
  virtual ~GroupPass() = default;
  virtual Index tile_rows() const = 0;
  virtual void begin_block(BlockSums& sums) const = 0;
  // Rows begin .. begin + rows.count - 1; `first`: the first tile of its block.
  virtual void tile(const RowBlock& rows, Index begin, bool first, Workspace& workspace,
                    BlockSums& sums) const = 0;
  virtual void merge(const BlockSums& block) const = 0;
  virtual void finish() const = 0;  // after the last block
};

// ‖X − W Htᵀ‖²: P = X_b·Ht, a step, S and R.
std::unique_ptr<GroupPass> frobenius_group(const Kernels& kernels, const Pass& pass,
                                           const Group& group, const Cancellation& stop);
// Another loss, over the entries that count: numerators and denominators, or own normal matrices.
std::unique_ptr<GroupPass> divergence_group(const Kernels& kernels, const Pass& pass,
                                            const Group& group, const Cancellation& stop);

// The logistic loss of X in {0, 1} with the log-odds W Htᵀ, for orthonormal columns of Ht: a step
// of W towards the minimum of the majoriser at the given pair, and S of that majoriser.
std::unique_ptr<GroupPass> logistic_group(const Kernels& kernels, const Pass& pass,
                                          const Group& group, const Cancellation& stop);

}  // namespace gemmine::cpu
