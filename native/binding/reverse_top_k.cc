// reverseTopK(queries, corpus, options, indices, scores, control)
#include "mining/reverse_top_k.h"

#include <limits>
#include <span>
#include <utility>

#include "binding/entry_points.h"
#include "binding/job.h"
#include "binding/proven.h"
#include "binding/search.h"

namespace gemmine::binding {
namespace {

// Moves the answers of rows to the places of their numbers, which are ascending; removed rows have
// none.
void spread(std::span<const std::int32_t> numbers, Index rows, Index k, std::int32_t* indices,
            float* scores) {
  auto place = static_cast<Index>(numbers.size());
  for (Index row = rows - 1; row >= 0; --row) {
    const bool is_live = place > 0 && numbers[place - 1] == row;
    if (is_live) --place;
    if (is_live && place == row) return;
    for (Index i = 0; i < k; ++i) {
      indices[row * k + i] = is_live ? indices[place * k + i] : -1;
      scores[row * k + i] =
          is_live ? scores[place * k + i] : std::numeric_limits<float>::quiet_NaN();
    }
  }
}

}  // namespace

Napi::Value ReverseTopK(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const Search search = read_search(info, borrowed);
  const Index k = read_k(read_object(info[2], "options"));
  const Index answers = search.corpus.rows();
  auto* const indices = read_array<std::int32_t>(info[3], "indices", answers, k, borrowed);
  auto* const scores = read_array<float>(info[4], "scores", answers, k, borrowed);
  return run_job(
      info.Env(), info[5], std::move(borrowed),
      [=](const Job& job) {
        const CanonicalLists excluded = checked_exclusions(search, job);
        const TopKOptions options{.k = k, .self = search.self, .exclude = excluded.view()};
        Proven answered{};
        const auto look = [&](Scans& scans, const RowSource& rows) {
          LiveView view(rows);
          const bool changed = view.is_changed();
          answered.proof = reverse_top_k(
              scans, *search.queries->rows, view.rows(), search.corpus.metric(),
              changed ? view.placed(options, search.count()) : options, indices, scores, job);
          if (changed) spread(view.numbers(), search.corpus.rows(), k, indices, scores);
        };
        answered.seconds = search.corpus.look_at_rows(job, look);
        return answered;
      },
      proven_object);
}

}  // namespace gemmine::binding
