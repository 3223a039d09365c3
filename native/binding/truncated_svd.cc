// truncatedSvd(X, options, U, s, V, control)
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "backend/registry.h"
#include "binding/entry_points.h"
#include "binding/job.h"
#include "binding/read.h"
#include "binding/to_js.h"
#include "factorization/fit.h"

namespace gemmine::binding {
namespace {

SvdOptions read_options(const Napi::Object& from) {
  return {.rank = read<Index>(from, "rank"),
          .oversamples = read<Index>(from, "oversamples"),
          .power_iterations = read<Index>(from, "powerIterations"),
          .seed = read<std::uint64_t>(from, "seed")};
}

struct Decomposed {
  SvdResult result;
  double seconds;
};

Napi::Value decomposed_object(Napi::Env env, const Decomposed& decomposed) {
  Napi::Object object = Napi::Object::New(env);
  object["relativeError"] = decomposed.result.relative_error;
  object["warnings"] = strings(env, decomposed.result.warnings);
  object["seconds"] = decomposed.seconds;
  return object;
}

}  // namespace

Napi::Value TruncatedSvd(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const auto X = read_source(info[0], borrowed);
  const Napi::Object given = read_object(info[1], "options");
  const SvdOptions options = read_options(given);
  const HostView<float> U = read_matrix(info[2], "U", borrowed);
  double* const s = read_array<double>(info[3], "s", options.rank, 1, borrowed);
  const HostView<float> V = read_matrix(info[4], "V", borrowed);
  check_shape(info.Env(), "U", U, X->rows->rows(), options.rank);
  check_shape(info.Env(), "V", V, options.rank, X->rows->cols());
  return run_job(
      info.Env(), info[5], std::move(borrowed),
      [X, U, s, V, options, device = read<std::string>(given, "device")](const Job& job) {
        check_entries(*X);
        Decomposed decomposed{};
        decomposed.seconds = seconds_of([&] {
          decomposed.result = truncated_svd(passes_for(device), *X->rows, options, U, V, job);
          const std::vector<double>& values = decomposed.result.s;
          expect(std::ssize(values) == options.rank, "as many singular values as asked for");
          std::ranges::copy(values, s);
        });
        return decomposed;
      },
      decomposed_object);
}

}  // namespace gemmine::binding
