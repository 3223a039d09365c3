// inverseTransform(W, H, options, X, control)
#include <utility>
#include <variant>

#include "backend/registry.h"
#include "binding/entry_points.h"
#include "binding/job.h"
#include "binding/read.h"
#include "factorization/fit.h"

namespace gemmine::binding {

Napi::Value InverseTransform(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const auto W = read_source(info[0], borrowed);
  const HostView<float> H = read_matrix(info[1], "H", borrowed);
  const Napi::Object given = read_object(info[2], "options");
  const HostView<float> X = read_matrix(info[3], "X", borrowed);
  check_columns(info.Env(), *W, H.rows);
  check_shape(info.Env(), "X", X, W->rows->rows(), H.cols);
  return run_job(
      info.Env(), info[4], std::move(borrowed),
      [W, H, X, device = read<std::string>(given, "device")](const Job& job) {
        check_entries(*W);
        inverse_transform(passes_for(device), *W->rows, H, X, job);
        return std::monostate();
      },
      [](Napi::Env env, std::monostate) { return env.Undefined(); });
}

}  // namespace gemmine::binding
