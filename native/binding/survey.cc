// survey(X, [{ fit, heldOut, consensus, components }], { restarts, perturbation, copies, atOnce },
// control)
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
  std::vector<Survey> ranks;
  double seconds;
};

// Each rank has an equal share of the time.
Napi::Value surveyed_object(Napi::Env env, const Surveyed& surveyed) {
  Napi::Array ranks = Napi::Array::New(env, surveyed.ranks.size());
  const double share = surveyed.seconds / static_cast<double>(surveyed.ranks.size());
  for (std::uint32_t i = 0; i < surveyed.ranks.size(); ++i) {
    const Survey& result = surveyed.ranks[i];
    Napi::Object object = Napi::Object::New(env);
    object["silhouettes"] = array_of<double>(env, result.silhouettes);
    object["relativeErrors"] = array_of<double>(env, result.relative_errors);
    object["heldOutErrors"] = array_of<double>(env, result.held_out_errors);
    object["iterations"] = number(env, result.iterations);
    object["entries"] = result.entries;
    object["logMeanSquare"] = result.log_mean_square;
    object["seconds"] = share;
    ranks.Set(i, object);
  }
  return ranks;
}

AskedRank read_rank(const Napi::Object& from, const RowSource& X, Index restarts,
                    Borrowed& borrowed) {
  const HostView<float> consensus = read_matrix(from["consensus"], "consensus", borrowed);
  check_shape(from.Env(), "consensus", consensus, consensus.rows, X.cols());
  const HostView<float> components = read_matrix(from["components"], "components", borrowed);
  check_shape(from.Env(), "components", components, restarts * consensus.rows, X.cols());
  const auto options = [&](const Napi::Object& given) {
    return read_fit_options(given, X.rows(), consensus.rows, X.cols(), nullptr, borrowed);
  };
  AskedRank rank{.fit = options(read_object(from["fit"], "fit")),
                 .held_out = std::nullopt,
                 .consensus = consensus,
                 .components = components};
  const Napi::Value held_out = from["heldOut"];
  if (held_out.IsUndefined()) return rank;
  const Napi::Object others = read_object(held_out, "heldOut");
  rank.held_out = options(others);
  rank.held_out->mask.held_out = read<double>(others, "share");
  return rank;
}

}  // namespace

Napi::Value SurveyRanks(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const auto X = read_source(info[0], borrowed);
  const Napi::Object asked = read_object(info[2], "survey");
  const SurveyOptions options = {.restarts = read<Index>(asked, "restarts"),
                                 .amplitude = read<double>(asked, "perturbation"),
                                 .copies = read<bool>(asked, "copies"),
                                 .at_once = read<Index>(asked, "atOnce")};
  if (options.restarts < 2) refuse(info.Env(), "at least 2", "restarts");
  if (options.at_once < 1) refuse(info.Env(), "at least 1", "atOnce");
  const auto given = info[1].As<Napi::Array>();
  std::vector<AskedRank> ranks;
  for (std::uint32_t i = 0; i < given.Length(); ++i)
    ranks.push_back(read_rank(read_object(given[i], "rank"), *X->rows, options.restarts, borrowed));
  if (ranks.empty()) refuse(info.Env(), "at least one", "ranks");
  return run_job(
      info.Env(), info[3], std::move(borrowed),
      [X, ranks, options, device = read<std::string>(asked, "device")](const Job& job) {
        check_entries(*X);
        Surveyed surveyed{};
        surveyed.seconds = seconds_of(
            [&] { surveyed.ranks = survey(passes_for(device), *X->rows, ranks, options, job); });
        return surveyed;
      },
      surveyed_object);
}

}  // namespace gemmine::binding
