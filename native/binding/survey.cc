// survey(X, options, { restarts, perturbation, copies }, consensus, control)
#include "factorization/survey/survey.h"

#include <utility>

#include "backend/registry.h"
#include "binding/entry_points.h"
#include "binding/fit_options.h"
#include "binding/job.h"
#include "binding/read.h"
#include "binding/to_js.h"

namespace gemmine::binding {
namespace {

struct Surveyed {
  Survey result;
  double seconds;
};

Napi::Value surveyed_object(Napi::Env env, const Surveyed& surveyed) {
  const Survey& result = surveyed.result;
  Napi::Object object = Napi::Object::New(env);
  object["silhouettes"] = array_of<double>(env, result.silhouettes);
  object["relativeErrors"] = array_of<double>(env, result.relative_errors);
  object["iterations"] = number(env, result.iterations);
  object["entries"] = result.entries;
  object["logMeanSquare"] = result.log_mean_square;
  object["seconds"] = surveyed.seconds;
  return object;
}

}  // namespace

Napi::Value SurveyRank(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const auto X = read_source(info[0], borrowed);
  const Napi::Object given = read_object(info[1], "options");
  const Napi::Object asked = read_object(info[2], "survey");
  const HostView<float> consensus = read_matrix(info[3], "consensus", borrowed);
  const Index cols = X->rows->cols();
  check_shape(info.Env(), "consensus", consensus, consensus.rows, cols);
  const FitOptions options =
      read_fit_options(given, X->rows->rows(), consensus.rows, cols, nullptr, borrowed);
  const SurveyOptions survey_options = {.restarts = read<Index>(asked, "restarts"),
                                        .amplitude = read<double>(asked, "perturbation"),
                                        .copies = read<bool>(asked, "copies")};
  if (survey_options.restarts < 2) refuse(info.Env(), "at least 2", "restarts");
  return run_job(
      info.Env(), info[4], std::move(borrowed),
      [X, consensus, options, survey_options,
       device = read<std::string>(given, "device")](const Job& job) {
        check_entries(*X);
        Surveyed surveyed{};
        surveyed.seconds = seconds_of([&] {
          surveyed.result =
              survey(passes_for(device), *X->rows, options, survey_options, consensus, job);
        });
        return surveyed;
      },
      surveyed_object);
}

}  // namespace gemmine::binding
