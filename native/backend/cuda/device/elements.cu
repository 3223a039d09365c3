#include "backend/cuda/device/over_entries.cuh"
#include "backend/cuda/device/pass_kernels.h"

namespace gemmine::cuda::device {
namespace {

__device__ float entry(const In& of, Wide i, Wide j) { return of.data[i * of.stride + j]; }
__device__ float& entry(const Out& of, Wide i, Wide j) { return of.data[i * of.stride + j]; }

struct AddToDoubleBody {
  AddToDouble r;
  __device__ void operator()(Wide i, Wide j) const {
    r.to[i * r.cols + j] += r.by * r.from[i * r.stride + j];
  }
};
struct ScaleDoubleBody {
  ScaleDouble r;
  __device__ void operator()(Wide, Wide j) const { r.to[j] = r.by == 0 ? 0 : r.by * r.to[j]; }
};
struct ScaledBody {
  Scaled r;
  __device__ void operator()(Wide i, Wide j) const {
    entry(r.to, i, j) = static_cast<float>(r.by * entry(r.from, i, j));
  }
};
struct WidenedBody {
  Widened r;
  __device__ void operator()(Wide i, Wide j) const {
    const double weight = r.weights == nullptr ? 1.0 : double{r.weights[i]};
    r.to[i * r.cols + j] = weight * entry(r.from, i, j);
  }
};
struct NarrowedBody {
  Narrowed r;
  __device__ void operator()(Wide i, Wide j) const {
    entry(r.to, i, j) = static_cast<float>(r.from[i * r.cols + j]);
  }
};
struct WeightedBody {
  Weighted r;
  __device__ void operator()(Wide i, Wide j) const {
    r.to[i * r.cols + j] = r.weights[i] * entry(r.from, i, j);
  }
};
struct PulledBody {
  Pulled r;
  __device__ void operator()(Wide i, Wide j) const {
    const Wide at = i * r.cols + j;
    r.to[at] = static_cast<float>(r.S[at] + r.pull[j] * entry(r.Ht, i, j));
  }
};
struct AddRowsBody {
  AddRows r;
  __device__ void operator()(Wide i, Wide j) const {
    entry(r.P, i, j) = static_cast<float>(entry(r.P, i, j) + r.weight * entry(r.numerators, i, j));
    if (j == 0) r.row_diagonal[i] = static_cast<float>(r.weight * entry(r.diagonal, i, 0));
  }
};
struct IndependentBody {
  Independent r;
  __device__ void operator()(Wide i, Wide t) const {
    const Wide j = r.independent[t];
    double value = entry(r.cross, i, j);
    for (Wide s = 0; s < r.k - r.m; ++s) {
      const Wide other = r.dependent[s];
      value -= double{entry(r.factor, i, other)} * r.gram[other * r.k + j];
    }
    r.to[i * r.m + t] = value;
  }
};
struct ScatterBody {
  Scatter r;
  __device__ void operator()(Wide i, Wide t) const {
    entry(r.factor, i, r.independent[t]) = static_cast<float>(r.from[i * r.m + t]);
  }
};

template <class Body, class Request>
Code entries(Queue* queue, const Request& request, const char* name) {
  return for_entries(queue, request.rows, request.cols, name, Body{request});
}

}  // namespace

Code add_to_double(Queue* queue, const AddToDouble* r) {
  return entries<AddToDoubleBody>(queue, *r, "add_to_double");
}
Code scale_double(Queue* queue, const ScaleDouble* r) {
  return for_entries(queue, 1, r->count, "scale_double", ScaleDoubleBody{*r});
}
Code scale(Queue* queue, const Scaled* r) { return entries<ScaledBody>(queue, *r, "scale"); }
Code widen(Queue* queue, const Widened* r) { return entries<WidenedBody>(queue, *r, "widen"); }
Code narrow(Queue* queue, const Narrowed* r) { return entries<NarrowedBody>(queue, *r, "narrow"); }
Code weigh(Queue* queue, const Weighted* r) { return entries<WeightedBody>(queue, *r, "weigh"); }
Code pull(Queue* queue, const Pulled* r) { return entries<PulledBody>(queue, *r, "pull"); }
Code add_rows(Queue* queue, const AddRows* r) {
  return entries<AddRowsBody>(queue, *r, "add_rows");
}
Code independent(Queue* queue, const Independent* r) {
  return for_entries(queue, r->rows, r->m, "independent", IndependentBody{*r});
}
Code scatter(Queue* queue, const Scatter* r) {
  return for_entries(queue, r->rows, r->m, "scatter", ScatterBody{*r});
}

}  // namespace gemmine::cuda::device
