// planSizes(), clusteringSizes(shape) and tileRows(shape): what plans of memory in lib/ need to
// know.
#include "backend/registry.h"
#include "binding/entry_points.h"
#include "binding/read.h"
#include "binding/to_js.h"
#include "factorization/sizes.h"

namespace gemmine::binding {

Napi::Value PlanSizes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const PassSizes pass = pass_sizes();
  Napi::Object object = Napi::Object::New(env);
  object["sumsAtOnce"] = number(env, pass.sums_at_once);
  object["nonzerosByColumn"] = number(env, pass.nonzeros_by_column);
  object["panelColumns"] = number(env, pass.panel_columns);
  object["startOversamples"] = number(env, start_oversamples);
  object["columnsAtOnce"] = number(env, columns_at_once);
  return object;
}

Napi::Value ClusteringSizes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object given = read_object(info[0], "shape");
  const auto rows = read<Index>(given, "rows");
  const auto clusters = read<Index>(given, "clusters");
  Napi::Object object = Napi::Object::New(env);
  object["sampleRows"] = number(env, clustering_sample(clusters));
  object["farRows"] = number(env, far_rows_drawn(clusters));
  object["sampleIsSmall"] = sample_is_small(rows, clusters);
  object["seedsFromAllRows"] = seeds_from_all_rows(rows, read<double>(given, "entries"), clusters);
  return object;
}

Napi::Value TileRows(const Napi::CallbackInfo& info) {
  const Napi::Object given = read_object(info[0], "shape");
  return number(info.Env(), tile_rows(read<Index>(given, "cols"), read<Index>(given, "rank")));
}

}  // namespace gemmine::binding
