#include <cfloat>

#include "backend/cuda/device/over_entries.cuh"
#include "backend/cuda/device/pass_kernels.h"
#include "backend/cuda/device/random.cuh"

namespace gemmine::cuda::device {
namespace {

struct ExtrapolateBody {
  Extrapolate r;
  __device__ void operator()(Wide i, Wide j) const {
    float& value = r.factor.data[i * r.factor.stride + j];
    float& before = r.previous.data[i * r.previous.stride + j];
    const float now = value;
    const float change = r.share * (now - before);
    constexpr int nonnegative = 1, growth = 2;
    float moved = now + (r.kind == growth ? (change > 0 ? change : 0.0f) : change);
    if (r.kind == nonnegative && !(moved > 0)) moved = 0;
    value = r.upper < moved ? static_cast<float>(r.upper) : moved;
    before = now;
  }
};
struct ScaleColumnsBody {
  ByColumn r;
  __device__ void operator()(Wide i, Wide j) const {
    float& value = r.factor.data[i * r.factor.stride + j];
    value = static_cast<float>(value * r.by[j]);
  }
};
struct ClampBody {
  Clamp r;
  __device__ void operator()(Wide i, Wide j) const {
    float& value = r.factor.data[i * r.factor.stride + j];
    value = value < r.least ? r.least : r.most < value ? r.most : value;
  }
};
struct ShiftBody {
  Shift r;
  __device__ void operator()(Wide i, Wide j) const {
    r.factor.data[i * r.factor.stride + j] += static_cast<float>(r.value);
  }
};
struct FillBody {
  Fill r;
  __device__ void operator()(Wide i, Wide j) const {
    float& value = r.factor.data[i * r.factor.stride + j];
    if (r.only_small != 0 && !(value <= r.smallest)) return;
    const auto row = static_cast<std::uint64_t>(r.first_row + i);
    const auto item = static_cast<std::uint32_t>(j);
    const double draw = r.uniform != 0 ? counter_uniform(r.seed, r.stream, row, item) : 1.0;
    value = static_cast<float>(r.scale * draw);
  }
};
struct PerturbBody {
  Perturb r;
  __device__ void operator()(Wide i, Wide j) const {
    const float x = r.from.data[i * r.from.stride + j];
    float& to = r.to.data[i * r.to.stride + j];
    to = x;
    if (!(x - x == 0)) return;  // not finite
    const double u =
        counter_uniform(r.seed, static_cast<std::uint32_t>(r.stream),
                        static_cast<std::uint64_t>(r.first_row + i), static_cast<std::uint32_t>(j));
    const double noisy = x * (1 + r.amplitude * (2 * u - 1));
    constexpr double largest = FLT_MAX;
    to = static_cast<float>(noisy < -largest ? -largest : noisy > largest ? largest : noisy);
  }
};
struct GatherBody {
  Gather r;
  __device__ void operator()(Wide i, Wide j) const {
    r.to.data[i * r.to.stride + j] = r.from.data[r.rows_of[i] * r.from.stride + j];
  }
};
struct IndicateBody {
  Indicate r;
  __device__ void operator()(Wide i, Wide j) const {
    r.factor.data[i * r.factor.stride + j] =
        r.labels[i] == j ? static_cast<float>(r.rest) + 1 : static_cast<float>(r.rest);
  }
};

// One thread a row, because the entries of a row depend on its first, or on its least.
struct AddFirstBody {
  ByColumn r;
  __device__ void operator()(Wide i, Wide) const {
    float* row = r.factor.data + i * r.factor.stride;
    const double first = row[0];
    for (Wide j = 0; j < r.cols; ++j)
      row[j] = static_cast<float>(r.scale * (row[j] + r.by[j] * first));
  }
};
struct LiftRowsBody {
  LiftRows r;
  __device__ void operator()(Wide i, Wide) const {
    float* row = r.factor.data + i * r.factor.stride;
    const Wide last = r.cols - 1;
    float least = row[0];
    for (Wide j = 1; j < last; ++j) least = row[j] < least ? row[j] : least;
    const double lowest = r.scale * least;
    const double shift = r.least - (lowest < 0 ? lowest : 0.0);
    for (Wide j = 0; j < last; ++j) row[j] = static_cast<float>(r.scale * row[j] + shift);
    row[last] = static_cast<float>(shift);
  }
};

template <class Body, class Request>
Code entries(Queue* queue, const Request& request, const char* name) {
  return for_entries(queue, request.rows, request.cols, name, Body{request});
}
template <class Body, class Request>
Code rows(Queue* queue, const Request& request, const char* name) {
  return for_entries(queue, request.rows, 1, name, Body{request});
}

}  // namespace

Code extrapolate(Queue* queue, const Extrapolate* r) {
  return entries<ExtrapolateBody>(queue, *r, "extrapolate");
}
Code scale_columns(Queue* queue, const ByColumn* r) {
  return entries<ScaleColumnsBody>(queue, *r, "scale_columns");
}
Code add_first(Queue* queue, const ByColumn* r) {
  return rows<AddFirstBody>(queue, *r, "add_first");
}
Code lift_rows(Queue* queue, const LiftRows* r) {
  return rows<LiftRowsBody>(queue, *r, "lift_rows");
}
Code clamp(Queue* queue, const Clamp* r) { return entries<ClampBody>(queue, *r, "clamp"); }
Code shift(Queue* queue, const Shift* r) { return entries<ShiftBody>(queue, *r, "shift"); }
Code fill_entries(Queue* queue, const Fill* r) { return entries<FillBody>(queue, *r, "fill"); }
Code perturb(Queue* queue, const Perturb* r) { return entries<PerturbBody>(queue, *r, "perturb"); }
Code gather(Queue* queue, const Gather* r) { return entries<GatherBody>(queue, *r, "gather"); }
Code indicate(Queue* queue, const Indicate* r) {
  return entries<IndicateBody>(queue, *r, "indicate");
}

}  // namespace gemmine::cuda::device
