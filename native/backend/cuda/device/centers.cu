#include "backend/cuda/device/entry_kernels.h"
#include "backend/cuda/device/over_rows.cuh"

// Distances of rows to centres, in float64. No sum depends on the order in which threads run.
namespace gemmine::cuda::device {
namespace {

struct CentreRowsBody {
  CentreRows r;
  __device__ void operator()(Wide i, int lane) const {
    const float* x = r.X.data + i * r.X.stride;
    double sum = 0;
    for (Wide t = lane; t < r.cols; t += 32) {
      const auto centred = static_cast<float>(r.scale * x[t] - r.origin[t]);
      r.to[i * r.cols + t] = centred;
      sum += double{centred} * centred;
    }
    sum = warp_sum(sum);
    if (lane == 0) r.norms[i] = sum;
  }
};

// Σ (scale·x − c)² by a warp; every lane has it.
__device__ double squared_distance(const float* x, double scale, const double* c, Wide cols,
                                   int lane) {
  double sum = 0;
  for (Wide t = lane; t < cols; t += 32) {
    const double difference = scale * x[t] - c[t];
    sum += difference * difference;
  }
  return warp_sum(sum);
}

__device__ double warp_least(double value) {
  for (int bits = 16; bits > 0; bits /= 2) {
    const double other = __shfl_xor_sync(whole_warp, value, bits);
    value = other < value ? other : value;
  }
  return value;
}

// Lanes are centres, then columns.
struct NearestBody {
  NearestCenters r;
  // ‖x − c‖² − ‖x − o‖² of centre j, and a bound of its error.
  __device__ double difference(Wide i, Wide j, double length, double& error) const {
    const double square = r.squares[j];
    error = 2 * r.product_error * length * r.lengths[j] + r.square_error * square + r.underflow;
    return square - 2 * double{r.products[i * r.k + j]};
  }
  __device__ void operator()(Wide i, int lane) const {
    const float* x = r.X.data + i * r.X.stride;
    const double norm = r.norms[i], length = sqrt(norm), infinity = 1e308 * 10;
    double most = infinity, error = 0;
    for (Wide j = lane; j < r.k; j += 32) {
      const double high = difference(i, j, length, error) + error;
      most = high < most ? high : most;
    }
    most = warp_least(most) + r.tie * norm;
    Wide label = 0;
    double least = infinity;
    for (Wide first = 0; first < r.k; first += 32) {
      const Wide j = first + lane;
      const bool near = j < r.k && difference(i, j, length, error) - error <= most;
      const unsigned found = __ballot_sync(whole_warp, near);
      for (int c = 0; c < 32; ++c) {
        if ((found >> c & 1u) == 0) continue;
        const double distance =
            squared_distance(x, r.scale, r.centers + (first + c) * r.cols, r.cols, lane);
        if (!(distance < least)) continue;
        least = distance;
        label = first + c;
      }
    }
    if (lane != 0) return;
    r.labels[i] = static_cast<std::int32_t>(label);
    r.distances[i] = least;
  }
};

struct PointDistancesBody {
  PointDistances r;
  __device__ void operator()(Wide i, int lane) const {
    const float* x = r.X.data + i * r.X.stride;
    const double weight = r.weights == nullptr ? 1.0 : r.weights[i];
    for (Wide p = 0; p < r.count; ++p) {
      const double distance = squared_distance(x, r.scale, r.points + p * r.cols, r.cols, lane);
      if (lane == 0) r.to[i * r.count + p] = weight * distance;
    }
  }
};

constexpr int sum_threads = 128;

// blockIdx.x: a cluster; blockIdx.y: columns, one a thread.
__global__ void __launch_bounds__(sum_threads) sum_clusters(ClusterSums r) {
  const Wide t = Wide{blockIdx.y} * sum_threads + threadIdx.x;
  if (t >= r.cols) return;
  for (Wide j = blockIdx.x; j < r.k; j += gridDim.x) {
    double sum = r.sums[j * r.cols + t];
    for (Wide place = r.starts[j]; place < r.starts[j + 1]; ++place) {
      const Wide i = r.order[place];
      const double weight = r.weights == nullptr ? 1.0 : r.weights[i];
      sum += weight * (r.scale * r.X.data[i * r.X.stride + t]);
    }
    r.sums[j * r.cols + t] = sum;
  }
}

}  // namespace

Code centre_rows(Queue* queue, const CentreRows* r) {
  return for_rows(queue, r->rows, "centre_rows", CentreRowsBody{*r});
}
Code nearest_centers(Queue* queue, const NearestCenters* r) {
  return for_rows(queue, r->rows, "nearest_centers", NearestBody{*r});
}
Code point_distances(Queue* queue, const PointDistances* r) {
  return for_rows(queue, r->rows, "point_distances", PointDistancesBody{*r});
}
Code cluster_sums(Queue* queue, const ClusterSums* r) {
  if (r->k == 0 || r->cols == 0) return Code::ok;
  const dim3 grid(blocks_for(r->k, 1), blocks_for(r->cols, sum_threads, 65535));
  return launch(queue, grid, sum_threads, 0, "cluster_sums", sum_clusters, *r);
}

}  // namespace gemmine::cuda::device
