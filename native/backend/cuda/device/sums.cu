#include "backend/cuda/device/platform.h"
#include "backend/cuda/device/runtime.h"

namespace gemmine::cuda::device {
namespace {

constexpr int threads = 256;

__global__ void __launch_bounds__(threads) add_block(AddToDouble of) {
  const Wide all = of.rows * of.cols;
  const Wide step = Wide{gridDim.x} * blockDim.x;
  for (Wide at = Wide{blockIdx.x} * blockDim.x + threadIdx.x; at < all; at += step)
    of.to[at] += of.by * of.from[at / of.cols * of.stride + at % of.cols];
}

Code add_to_double(Queue* queue, const AddToDouble* request) {
  const Wide all = request->rows * request->cols;
  if (all == 0) return Code::ok;
  return launch(queue, blocks_for(all, threads), threads, 0, "add_block", add_block, *request);
}

}  // namespace

PassTable pass_table() { return {.add_to_double = add_to_double}; }

}  // namespace gemmine::cuda::device
