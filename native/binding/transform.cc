// transform(X, H, options, W, control)
#include <utility>

#include "backend/registry.h"
#include "binding/entry_points.h"
#include "binding/fit_options.h"
#include "binding/job.h"
#include "binding/read.h"
#include "factorization/fit.h"

namespace gemmine::binding {
namespace {

TransformOptions read_options(const Napi::Object& from) {
  return {.model = read_choice(from, "model", model_names),
          .loss = read_loss(from),
          .l1_w = read<double>(from, "l1W"),
          .l2_w = read<double>(from, "l2W"),
          .upper_w = read_bound(from, "upperW"),
          .at_most_one = read_at_most_one(from)};
}

struct Transformed {
  TransformResult result;
  double seconds;
};

Napi::Value transformed_object(Napi::Env env, const Transformed& transformed) {
  Napi::Object object = Napi::Object::New(env);
  object["relativeError"] = transformed.result.relative_error;
  object["seconds"] = transformed.seconds;
  return object;
}

}  // namespace

Napi::Value Transform(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const auto X = read_source(info[0], borrowed);
  const HostView<float> H = read_matrix(info[1], "H", borrowed);
  const Napi::Object given = read_object(info[2], "options");
  const HostView<float> W = read_matrix(info[3], "W", borrowed);
  check_shape(info.Env(), "H", H, H.rows, X->rows->cols());
  check_shape(info.Env(), "W", W, X->rows->rows(), H.rows);
  return run_job(
      info.Env(), info[4], std::move(borrowed),
      [X, H, W, options = read_options(given),
       device = read<std::string>(given, "device")](const Job& job) {
        check_entries(*X);
        Transformed transformed{};
        transformed.seconds = seconds_of([&] {
          transformed.result = transform(passes_for(device), *X->rows, H, options, W, job);
        });
        return transformed;
      },
      transformed_object);
}

}  // namespace gemmine::binding
