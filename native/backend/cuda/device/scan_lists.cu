#include "backend/cuda/device/scan_kernels.h"
#include "backend/cuda/device/score_bounds.cuh"

// Lists of a scan: raised thresholds, and lists without gaps. One warp for each question.
namespace gemmine::cuda::device {
namespace {

constexpr int threads = 256;
constexpr int warps = threads / 32;

// Integers in the same order as the floats that they represent.
__device__ std::int32_t key_of(float x) {
  std::int32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits >= 0 ? bits : bits ^ 0x7FFFFFFF;
}
__device__ float float_of(std::int32_t key) {
  const std::int32_t bits = key >= 0 ? key : key ^ 0x7FFFFFFF;
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

struct List {
  Found* rows;
  int count;
  int lane;
};

// Rows of the list that count and whose lower bounds reach a key; the same in all lanes.
__device__ int reaching(const List& list, unsigned flag, std::int64_t key) {
  int count = 0;
  for (int i = list.lane; i < list.count; i += 32) {
    const Found& each = list.rows[i];
    count += (each.flags & flag) != 0 && key_of(each.lower) >= key;
  }
  for (int bits = 16; bits > 0; bits /= 2) count += __shfl_xor_sync(whole_warp, count, bits);
  return count;
}

// A threshold below which no row is among the `depth` best: at most the depth-th best lower bound
// of the rows that count. By bisection, which needs no order.
__device__ float raised(const List& list, unsigned flag, int depth, double spread,
                        float threshold) {
  std::int64_t low = INT32_MIN, high = std::int64_t{INT32_MAX} + 1;
  if (reaching(list, flag, low) < depth) return threshold;
  while (high - low > 1) {
    const std::int64_t middle = (low + high) >> 1;
    const int count = reaching(list, flag, middle);
    if (count >= depth)
      low = middle;
    else
      high = middle;
    if (count == depth) break;
  }
  const float reached = float_below(double{float_of(static_cast<std::int32_t>(low))} - spread);
  return reached > threshold ? reached : threshold;
}

__device__ bool is_needed(const Found& row, float admissible, float rejected) {
  if ((row.flags & found_kept) != 0) return true;
  return ((row.flags & found_admissible) != 0 && !(row.upper < admissible)) ||
         ((row.flags & found_rejected) != 0 && !(row.upper < rejected));
}

// Moves the needed rows to the front, in their order; returns how many there are.
__device__ int drop_others(const List& list, float admissible, float rejected) {
  int kept = 0;
  for (int first = 0; first < list.count; first += 32) {
    const int at = first + list.lane;
    Found row{};
    if (at < list.count) row = list.rows[at];
    const bool needed = at < list.count && is_needed(row, admissible, rejected);
    const unsigned bits = __ballot_sync(whole_warp, needed);
    __syncwarp();  // all lanes have read before one writes
    if (needed) list.rows[kept + __popc(bits & ((1u << list.lane) - 1))] = row;
    __syncwarp();
    kept += __popc(bits);
  }
  return kept;
}

__global__ void __launch_bounds__(threads) tighten_each(TightenLists of) {
  const int at = static_cast<int>(blockIdx.x * warps + threadIdx.x / 32);
  if (at >= of.asked_count) return;  // the whole warp
  const AskedScan& asked = of.asked[at];
  ScanState state = of.states[at];
  __syncwarp();  // all lanes have read before the first one writes
  const List list{of.lists + Wide{at} * of.capacity, state.count,
                  static_cast<int>(threadIdx.x % 32)};
  if (state.count > of.capacity) {  // rows are missing, so the list is of no use
    state.admissible = state.rejected = INFINITY;
  } else if (state.count - state.looked >= of.growth) {
    if (asked.ranked != 0)
      state.admissible =
          raised(list, found_admissible_counts, asked.depth, asked.spread, state.admissible);
    if (asked.rejecting != 0)
      state.rejected =
          raised(list, found_rejected_counts, asked.rejected_depth, asked.spread, state.rejected);
    state.count = state.looked = drop_others(list, state.admissible, state.rejected);
  }
  if (list.lane == 0) of.states[at] = state;
}

__global__ void __launch_bounds__(threads) pack_each(PackLists of) {
  const int at = static_cast<int>(blockIdx.x * warps + threadIdx.x / 32);
  const int lane = static_cast<int>(threadIdx.x % 32);
  if (at >= of.asked_count) return;  // the whole warp
  const Wide begin = of.starts[at], count = of.starts[at + 1] - begin;
  const Found* list = of.lists + Wide{at} * of.capacity;
  for (Wide i = lane; i < count; i += 32) {
    of.packed[begin + i] = list[i];
    if (of.pairs == nullptr) continue;
    of.pairs[2 * (begin + i)] = of.asked[at].lane;
    of.pairs[2 * (begin + i) + 1] = list[i].row;
  }
}

}  // namespace

Code tighten_lists(Queue* queue, const TightenLists* request) {
  return launch(queue, blocks_for(request->asked_count, warps), threads, 0, "tighten_lists",
                tighten_each, *request);
}

Code pack_lists(Queue* queue, const PackLists* request) {
  return launch(queue, blocks_for(request->asked_count, warps), threads, 0, "pack_lists", pack_each,
                *request);
}

}  // namespace gemmine::cuda::device
