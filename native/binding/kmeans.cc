// kmeans(X, options, labels, centers, control)
#include <utility>

#include "backend/registry.h"
#include "binding/entry_points.h"
#include "binding/job.h"
#include "binding/read.h"
#include "binding/to_js.h"
#include "factorization/fit.h"

namespace gemmine::binding {
namespace {

KmeansOptions read_options(const Napi::Object& from) {
  return {.clusters = read<Index>(from, "clusters"),
          .max_iterations = read<Index>(from, "maxIterations"),
          .tolerance = read<double>(from, "tolerance"),
          .seed = read<std::uint64_t>(from, "seed")};
}

struct Clustered {
  KmeansResult result;
  double seconds;
};

Napi::Value clustered_object(Napi::Env env, const Clustered& clustered) {
  Napi::Object object = Napi::Object::New(env);
  object["inertia"] = clustered.result.inertia;
  object["iterations"] = number(env, clustered.result.iterations);
  object["converged"] = clustered.result.converged;
  object["emptyClusters"] = number(env, clustered.result.empty_clusters);
  object["seconds"] = clustered.seconds;
  return object;
}

}  // namespace

Napi::Value Kmeans(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const auto X = read_source(info[0], borrowed);
  const Napi::Object given = read_object(info[1], "options");
  const KmeansOptions options = read_options(given);
  const Index rows = X->rows->rows();
  auto* const labels = read_array<std::int32_t>(info[2], "labels", rows, 1, borrowed);
  const HostView<float> centers = read_matrix(info[3], "centers", borrowed);
  check_shape(info.Env(), "centers", centers, options.clusters, X->rows->cols());
  if (options.clusters > rows) refuse(info.Env(), "at most as many as rows", "clusters");
  return run_job(
      info.Env(), info[4], std::move(borrowed),
      [X, labels, centers, options, device = read<std::string>(given, "device")](const Job& job) {
        check_entries(*X);
        Clustered clustered{};
        clustered.seconds = seconds_of([&] {
          clustered.result = kmeans(passes_for(device), *X->rows, options, labels, centers, job);
        });
        return clustered;
      },
      clustered_object);
}

}  // namespace gemmine::binding
