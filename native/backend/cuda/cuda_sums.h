#pragma once

#include <memory>
#include <utility>

#include "backend/cuda/device.h"
#include "backend/cuda/entry_tiles.h"
#include "backend/passes.h"

namespace gemmine::cuda {

// S in memory of the device, or the sums of a pass that ran on the CPU, and memory of a pass that
// is reused.
class CudaSums : public Sums {
 public:
  CudaSums(const std::shared_ptr<Device>& device, Index d, Index k)
      : Sums(d, k),
        cross(device, d * k),
        gram_there(device, k * k),
        incoming_there(device),
        products(device),
        block_cross(device),
        scaled_Ht(device),
        wide(device),
        weighted(device),
        weighted_rows(device),
        partial(device),
        entries(device),
        denominators(device) {
    cross.clear(d * k);
    gram_there.clear(k * k);
  }

  // Of passes that run on the CPU; null before the first one.
  std::unique_ptr<Sums> of_host;
  bool is_on_host = false;  // whether the last pass ran there

  Array<double> cross;           // S [d×k]
  Array<double> gram_there;      // R [k×k]
  Array<double> incoming_there;  // WᵀW before the step [k×k]
  Array<float> products;         // P [block×k]
  Array<float> block_cross;      // S of a block [d×k]
  Array<float> scaled_Ht;        // [d×k]
  Array<double> wide;            // W in float64 [block×k]
  Array<double> weighted;        // the same, rows weighted
  Array<float> weighted_rows;    // W, rows weighted [block×k]
  Array<double> partial;         // partial sums of the terms of the loss

  // Of a pass by entries.
  EntryMemory entries;
  // Denominators [d×k], [k] if they are the same for all rows, or normal matrices of the rows of
  // Ht, as upper triangles [d×k(k + 1)/2].
  Array<double> denominators;
  Index of_column = 0;  // denominators of each row of Ht; 0: the same for all
};

inline CudaSums& cuda_sums(Sums& sums) { return dynamic_cast<CudaSums&>(sums); }
inline const CudaSums& cuda_sums(const Sums& sums) { return dynamic_cast<const CudaSums&>(sums); }

}  // namespace gemmine::cuda
