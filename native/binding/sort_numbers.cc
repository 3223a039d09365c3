// sortNumbers(values, control): sorts them in place and returns the sum in the given order
#include "binding/entry_points.h"
#include "binding/job.h"
#include "binding/read.h"
#include "core/ascending.h"

namespace gemmine::binding {

Napi::Value SortNumbers(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const auto values = read_span<double>(info[0], "values", borrowed);
  return run_job(
      info.Env(), info[1], std::move(borrowed), [=](const Job&) { return sum_and_sort(values); },
      [](Napi::Env env, double sum) { return Napi::Number::New(env, sum); });
}

}  // namespace gemmine::binding
