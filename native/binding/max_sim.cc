// maxSim(queries, documents, options, indices, scores, control)
#include "mining/max_sim.h"

#include <algorithm>

#include "binding/corpus.h"
#include "binding/entry_points.h"
#include "binding/job.h"
#include "binding/proven.h"
#include "binding/read.h"
#include "binding/row_choice.h"
#include "binding/row_lists.h"

namespace gemmine::binding {
namespace {

// Starts of the segments of a matrix's rows; at least one segment. lib/ passes a private copy.
Segments read_segments(const Napi::Object& from, const char* name, Index rows, Borrowed& borrowed) {
  const auto starts = read_span<std::int32_t>(from.Get(name), name, borrowed);
  const bool right = starts.size() >= 2 && starts.front() == 0 && starts.back() == rows &&
                     std::ranges::is_sorted(starts);
  if (!right) refuse(from.Env(), "ascending starts from 0 to the number of rows", name);
  return {.starts = starts.data(), .count = static_cast<Index>(starts.size()) - 1};
}

}  // namespace

Napi::Value MaxSim(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const auto queries = read_dense_source(info[0], borrowed);
  const Napi::Object given = read_object(info[2], "options");
  const CorpusArgument corpus(info[1], given, borrowed);
  check_columns(info.Env(), *queries, corpus.cols());
  const auto k = read<Index>(given, "k");
  if (k < 1) refuse(info.Env(), "a positive integer", "k");
  const MaxSimOptions options{
      .k = k,
      .queries = read_segments(given, "queryStarts", queries->rows->rows(), borrowed),
      .documents = read_segments(given, "documentStarts", corpus.rows(), borrowed)};
  const Index count = options.queries.count, documents = options.documents.count;
  const auto choice =
      std::make_shared<const GivenChoice>(read_choice_of_rows(given, count, documents, borrowed));
  const auto exclude = std::make_shared<const GivenLists>(
      read_row_lists(given.Get("exclude"), "exclude", count, borrowed));
  auto* const indices = read_array<std::int32_t>(info[3], "indices", count, k, borrowed);
  auto* const scores = read_array<float>(info[4], "scores", count, k, borrowed);
  return run_job(
      info.Env(), info[5], std::move(borrowed),
      [=](const Job& job) {
        const CanonicalLists excluded(*exclude, documents, job);
        const CheckedChoice checked(*choice, excluded.view(), count, documents, job);
        MaxSimOptions chosen = options;
        chosen.choice = checked.view();
        Proven answered{};
        answered.seconds = corpus.scan(job, [&](Scans& scans, const CorpusHandle& rows) {
          answered.proof = max_sim(scans, *queries->rows, rows, chosen, indices, scores, job);
        });
        return answered;
      },
      proven_object);
}

}  // namespace gemmine::binding
