// fit(X, options, W, H, control)
#include "factorization/fit.h"

#include <algorithm>
#include <utility>

#include "backend/registry.h"
#include "binding/entry_points.h"
#include "binding/job.h"
#include "binding/names.h"
#include "binding/read.h"
#include "binding/to_js.h"

namespace gemmine::binding {
namespace {

FitOptions read_options(const Napi::Object& from) {
  return {.model = read_choice(from, "model", models),
          .solver = read_choice(from, "solver", solvers),
          .start = read_choice(from, "init", starts),
          .tries_svd = read<bool>(from, "triesSvd"),
          .max_iterations = read<Index>(from, "maxIterations"),
          .tolerance = read<double>(from, "tolerance"),
          .inner_sweeps = read<Index>(from, "innerSweeps"),
          .extrapolated = false,
          .penalties = {.l1_w = read<double>(from, "l1W"),
                        .l2_w = read<double>(from, "l2W"),
                        .l1_h = read<double>(from, "l1H"),
                        .l2_h = read<double>(from, "l2H")},
          .seed = read<std::uint64_t>(from, "seed"),
          .loss = frobenius_loss,
          .mask = no_mask,
          .row_weights = {}};
}

std::string name_of(Start start) {
  return std::ranges::find(starts, start, &Named<Start>::second)->first;
}

struct Fitted {
  Convergence run;
  double seconds;
};

Napi::Value fitted_object(Napi::Env env, const Fitted& fitted) {
  Napi::Object object = Napi::Object::New(env);
  object["objective"] = array_of<double>(env, fitted.run.objective);
  object["iterations"] = number(env, fitted.run.iterations);
  object["converged"] = fitted.run.converged;
  object["relativeError"] = fitted.run.relative_error;
  object["init"] = name_of(fitted.run.start);
  object["warnings"] = strings(env, fitted.run.warnings);
  object["seconds"] = fitted.seconds;
  return object;
}

}  // namespace

Napi::Value Fit(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const auto X = read_source(info[0], borrowed);
  const Napi::Object given = read_object(info[1], "options");
  const HostView<float> W = read_matrix(info[2], "W", borrowed);
  const HostView<float> H = read_matrix(info[3], "H", borrowed);
  check_shape(info.Env(), "W", W, X->rows->rows(), W.cols);
  check_shape(info.Env(), "H", H, W.cols, X->rows->cols());
  return run_job(
      info.Env(), info[4], std::move(borrowed),
      [X, W, H, options = read_options(given),
       device = read<std::string>(given, "device")](const Job& job) {
        check_entries(*X);
        Fitted fitted{};
        fitted.seconds =
            seconds_of([&] { fitted.run = fit(passes_for(device), *X->rows, options, W, H, job); });
        return fitted;
      },
      fitted_object);
}

}  // namespace gemmine::binding
