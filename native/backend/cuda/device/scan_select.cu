#include "backend/cuda/device/list_rows.cuh"
#include "backend/cuda/device/scan_kernels.h"
#include "backend/cuda/device/score_bounds.cuh"

// Looks at a tile of scores: which rows may matter to a question, and how many are certainly above
// its levels.
namespace gemmine::cuda::device {
namespace {

constexpr int threads = 256;
constexpr int warps = threads / 32;
constexpr int rows_of_warp = 512;
constexpr unsigned most_questions = 65535;  // of a launch: the limit of a grid's second dimension

// Bits of rows in one stretch of 32, the same in all lanes of a warp.
class BarredRows {
 public:
  __device__ BarredRows(const SelectRows& of, const AskedScan& asked, int first)
      : rows_(of.barred), at_(asked.first_barred), end_(asked.end_barred) {
    int high = end_;
    while (at_ < high) {
      const int middle = at_ + (high - at_) / 2;
      if (rows_[middle] < first)
        at_ = middle + 1;
      else
        high = middle;
    }
  }
  // Stretches come in ascending order.
  __device__ unsigned in_stretch(int first) {
    unsigned bits = 0;
    for (; at_ < end_ && rows_[at_] < first + 32; ++at_) bits |= 1u << (rows_[at_] - first);
    return bits;
  }

 private:
  const std::int32_t* rows_;
  int at_, end_;
};

// As group_forbids in scans.h.
__device__ bool is_forbidden(const SelectRows& of, const AskedScan& asked, int row) {
  if (of.groups == 0 || asked.group == -1) return false;
  const std::int32_t group = of.row_groups[row];
  return group != -1 && (asked.group == group) == (of.groups == 1);
}

// Rows with a class are counted by the host, for the levels that count classes.
__device__ bool counts(int level, bool shared) { return !shared || level >= scan_classed_levels; }

// Read apart from the rest of the state, which other warps change.
struct Thresholds {
  float admissible, rejected;
};

// The lists that want a row; 0: none. The row is neither beyond the end nor barred.
__device__ unsigned wanted_by(const AskedScan& asked, const Thresholds& now, const Bounds& row,
                              unsigned above, unsigned straddling, bool forbidden, bool shared) {
  unsigned flags = 0;
  if (!forbidden) {
    if (straddling != 0) flags |= found_kept;
    if (shared && (above & 3u) != 0) flags |= found_kept;  // the host counts classes
    const bool certainly_below = ((above | straddling) & 1u) == 0;
    if (asked.drawn != 0 && (above & 1u) == 0 && !(row.upper < asked.floor))
      flags |= found_admissible | found_kept;
    if (asked.ranked != 0 && certainly_below && !(row.upper < now.admissible))
      flags |= found_admissible | (shared ? 0u : found_admissible_counts);
  }
  if (asked.rejecting == 0 || row.upper < now.rejected) return flags;
  const bool not_above_floor = asked.floored != 0 && (above & 2u) == 0;
  const bool certain =
      forbidden || (above & 1u) != 0 || (not_above_floor && (straddling & 2u) == 0);
  if (certain || shared || not_above_floor || (straddling & 1u) != 0)
    flags |= found_rejected | (certain && !shared ? found_rejected_counts : 0u);
  return flags;
}

// A warp looks at 512 rows for one question.
__global__ void __launch_bounds__(threads) select_each(SelectRows of, int first_asked) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int asked = first_asked + static_cast<int>(blockIdx.y);
  const int begin = static_cast<int>(blockIdx.x * warps + threadIdx.x / 32) * rows_of_warp;
  if (begin >= of.rows) return;  // the whole warp
  const int end = begin + rows_of_warp < of.rows ? begin + rows_of_warp : of.rows;
  const AskedScan question = of.asked[asked];
  const Thresholds now{of.states[asked].admissible, of.states[asked].rejected};
  const float* scores = of.scores + question.lane * of.stride;
  BarredRows barred(of, question, of.first_row + begin);
  const Lists lists{of.states, of.lists, of.capacity};
  int counted[scan_levels] = {};
  for (int at = begin; at < end; at += 32) {
    const int row = at + lane;
    const unsigned bars = barred.in_stretch(of.first_row + at);
    const unsigned passing =
        (question.filter < 0 ? ~0u : of.filters[question.filter + at / 32]) & ~bars;
    if (passing == 0) continue;  // the whole warp
    const bool open = row < end && (passing >> lane & 1u) != 0;
    Bounds bounds{};
    unsigned above = 0, straddling = 0;
    bool forbidden = true, shared = false;
    if (open) {
      bounds = bounds_of(question, of.bounds[row], scores[row]);
      forbidden = is_forbidden(of, question, row);
      shared = of.shared != nullptr && (of.shared[row / 32] >> (row % 32) & 1u) != 0;
      for (int level = 0; level < scan_levels; ++level) {
        if (bounds.upper <= question.maybe[level]) continue;  // a NaN may be anything
        if (bounds.lower > question.above[level])
          above |= 1u << level;
        else
          straddling |= 1u << level;
      }
    }
#pragma unroll
    for (int level = 0; level < scan_levels; ++level) {
      const bool is_counted = !forbidden && counts(level, shared) && (above >> level & 1u) != 0;
      counted[level] += __popc(__ballot_sync(whole_warp, is_counted));
    }
    unsigned flags =
        open ? wanted_by(question, now, bounds, above, straddling, forbidden, shared) : 0u;
    if (flags != 0) flags |= above * found_above | straddling * found_straddling;
    append(lists, asked, {bounds.upper, bounds.lower, of.first_row + row, flags}, lane);
  }
  // Unrolled, so that they stay in registers.
#pragma unroll
  for (int level = 0; level < scan_levels; ++level)
    if (lane == level && counted[level] != 0)
      atomicAdd(&of.states[asked].above[level], counted[level]);
}

}  // namespace

Code select_rows(Queue* queue, const SelectRows* request) {
  const unsigned across = blocks_for(request->rows, warps * rows_of_warp);
  for (std::int32_t first = 0; first < request->asked_count; first += most_questions) {
    const unsigned left = static_cast<unsigned>(request->asked_count - first);
    const dim3 grid(across, left < most_questions ? left : most_questions);
    if (const Code code =
            launch(queue, grid, threads, 0, "select_rows", select_each, *request, first);
        code != Code::ok)
      return code;
  }
  return Code::ok;
}

}  // namespace gemmine::cuda::device
