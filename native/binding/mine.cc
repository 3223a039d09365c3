// mine(queries, corpus, shared, positives, sweep, control)
#include "mining/mine.h"

#include <utility>

#include "binding/corpus.h"
#include "binding/entry_points.h"
#include "binding/job.h"
#include "binding/mining_arguments.h"

namespace gemmine::binding {
namespace {

// Output arrays of the canonical positives.
struct PositiveArrays {
  std::int32_t* starts;  // [queries + 1]
  std::int32_t* rows;    // as long as the given list
  double* scores;        // parallel to them
};

PositiveArrays read_positive_arrays(const Napi::Object& from, Index queries, std::size_t pairs,
                                    Borrowed& borrowed) {
  return {.starts = read_array<std::int32_t>(from.Get("positiveStarts"), "positiveStarts",
                                             queries + 1, 1, borrowed),
          .rows = read_array<std::int32_t>(from.Get("positiveRows"), "positiveRows",
                                           static_cast<Index>(pairs), 1, borrowed),
          .scores = read_array<double>(from.Get("positiveScores"), "positiveScores",
                                       static_cast<Index>(pairs), 1, borrowed)};
}

// Each of several options, with the arrays for its answer.
struct Sweep {
  std::vector<MineOptions> options;
  std::vector<MinedArrays> out;
};

Sweep read_sweep(const Napi::Value& value, const MineOptions& shared, Borrowed& borrowed) {
  if (!value.IsArray() || value.As<Napi::Array>().Length() == 0)
    refuse(value.Env(), "options and arrays, at least once", "sweep");
  const auto list = value.As<Napi::Array>();
  Sweep sweep;
  for (std::uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Object each = read_object(list.Get(i), "sweep");
    sweep.options.push_back(shared);
    read_swept(read_object(each.Get("options"), "options"), sweep.options.back());
    sweep.out.push_back(read_arrays(read_object(each.Get("out"), "out"),
                                    sweep.options.back().num_negatives, borrowed));
  }
  return sweep;
}

struct Mined {
  std::vector<MinedCounts> counts;  // one for each of the options
  double seconds;
};

Napi::Value with_rejected(Napi::Env env, const std::shared_ptr<const Mined>& mined,
                          const Napi::Object& control) {
  PendingCopies copies;
  Napi::Array answers = Napi::Array::New(env, mined->counts.size());
  for (std::size_t i = 0; i < mined->counts.size(); ++i) {
    answers[static_cast<std::uint32_t>(i)] =
        mined_object(env, mined->counts[i], mined->seconds, copies);
  }
  return after_copies(env, control, answers, mined, std::move(copies));
}

}  // namespace

Napi::Value Mine(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const auto queries = read_dense_source(info[0], borrowed);
  const Napi::Object given = read_object(info[2], "options");
  const CorpusArgument corpus(info[1], given, borrowed);
  check_columns(info.Env(), *queries, corpus.cols());
  const Sizes sizes{.queries = queries->rows->rows(), .corpus = corpus.rows()};
  const MiningLists lists(given, sizes, borrowed);
  const std::size_t pairs = lists.positives.rows.size();
  const RowRange range = read_range(given, sizes.queries);
  const PositiveArrays listed =
      read_positive_arrays(read_object(info[3], "positives"), sizes.queries, pairs, borrowed);
  const auto sweep =
      std::make_shared<Sweep>(read_sweep(info[4], read_shared(given, sizes, borrowed), borrowed));
  const double* const given_scores =
      read_optional_rows<double>(given, "positiveScores", static_cast<Index>(pairs), 1, borrowed);
  const Napi::Object control = read_object(info[5], "control");
  const auto kept_control =
      std::make_shared<const Napi::ObjectReference>(Napi::Persistent(control));
  return run_job(
      info.Env(), control, std::move(borrowed),
      [=](const Job& job) {
        MineOptions& shared = sweep->options.front();
        shared.positives =
            write_canonical(lists.positives, sizes.corpus, job, listed.starts, listed.rows);
        corpus.check_live("positives", shared.positives, sizes.queries);
        if (given_scores != nullptr)
          take_first_numbers(lists.positives, given_scores, shared.positives, listed.scores);
        shared.positives_scored = given_scores != nullptr;
        const CanonicalMiningLists canonical(lists, sizes, shared, job);
        if (shared.candidates) corpus.check_live("candidates", *shared.candidates, sizes.queries);
        sweep->out.front().positive_scores = listed.scores;
        const auto mined = std::make_shared<Mined>();
        const auto asked = rows_within(*queries->rows, range);
        mined->seconds = corpus.scan(job, [&](Scans& scans, const CorpusHandle& rows) {
          mined->counts = mine(scans, *asked, rows, sweep->options, sweep->out, job);
        });
        return std::shared_ptr<const Mined>(mined);
      },
      [kept_control](Napi::Env env, const std::shared_ptr<const Mined>& mined) {
        return with_rejected(env, mined, kept_control->Value());
      });
}

}  // namespace gemmine::binding
