// logSumExp(queries, bank, options, values, errorBounds, control)
#include "mining/log_sum_exp.h"

#include "binding/corpus.h"
#include "binding/entry_points.h"
#include "binding/job.h"
#include "binding/read.h"
#include "binding/row_choice.h"
#include "binding/row_lists.h"
#include "binding/to_js.h"

namespace gemmine::binding {
namespace {

struct Summed {
  ZeroVectors zeros;
  double seconds;
};

Napi::Object summed_object(Napi::Env env, const Summed& summed) {
  Napi::Object object = Napi::Object::New(env);
  object["zeroQueries"] = number(env, summed.zeros.queries);
  object["zeroRows"] = number(env, summed.zeros.rows);
  object["seconds"] = summed.seconds;
  return object;
}

}  // namespace

Napi::Value LogSumExp(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const auto queries = read_dense_source(info[0], borrowed);
  const Napi::Object given = read_object(info[2], "options");
  const CorpusArgument bank(info[1], given, borrowed);
  check_columns(info.Env(), *queries, bank.cols());
  const Index count = queries->rows->rows();
  const auto choice =
      std::make_shared<const GivenChoice>(read_choice_of_rows(given, count, bank.rows(), borrowed));
  const auto exclude = std::make_shared<const GivenLists>(
      read_row_lists(given.Get("exclude"), "exclude", count, borrowed));
  const auto temperature = read<double>(given, "temperature");
  auto* const values = read_array<double>(info[3], "values", count, 1, borrowed);
  auto* const errors = read_array<double>(info[4], "errorBounds", count, 1, borrowed);
  return run_job(
      info.Env(), info[5], std::move(borrowed),
      [=](const Job& job) {
        const CanonicalLists excluded(*exclude, bank.rows(), job);
        const CheckedChoice checked(*choice, excluded.view(), count, bank.rows(), job);
        Summed summed{};
        summed.seconds = bank.scan(job, [&](Scans& scans, const CorpusHandle& rows) {
          summed.zeros = log_sum_exp(scans, *queries->rows, rows, checked.view(), temperature,
                                     values, errors, job);
        });
        return summed;
      },
      summed_object);
}

}  // namespace gemmine::binding
