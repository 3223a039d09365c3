// minePart(), rankPart() and mergeParts(): mining of a corpus in parts
#include "mining/corpus_parts.h"

#include <cmath>
#include <utility>

#include "binding/corpus.h"
#include "binding/entry_points.h"
#include "binding/job.h"
#include "binding/mining_arguments.h"
#include "binding/to_js.h"
#include "core/error.h"

namespace gemmine::binding {
namespace {

// The arguments of a job on one part of a corpus.
struct PartArguments {
  PartArguments(const Napi::CallbackInfo& info, Borrowed& borrowed)
      : queries(read_dense_source(info[0], borrowed)),
        corpus(info[1], read_object(info[2], "options"), borrowed),
        sizes{.queries = queries->rows->rows(), .corpus = corpus.rows()},
        lists(read_object(info[2], "options"), sizes, borrowed),
        options(read_shared(read_object(info[2], "options"), sizes, borrowed)) {
    check_columns(info.Env(), *queries, corpus.cols());
    const Napi::Object part = read_object(info[3], "part");
    read_swept(part, options);
    const auto absent = read_span<std::int32_t>(part.Get("absent"), "absent", borrowed);
    const auto references = read_span<double>(part.Get("references"), "references", borrowed);
    const auto count = static_cast<Index>(references.size());
    options.part = {.lists = read_lists(part, count, borrowed),
                    .references = references.data(),
                    .row_numbers = read_array<std::int32_t>(part.Get("rowNumbers"), "rowNumbers",
                                                            sizes.corpus, 1, borrowed),
                    .absent = absent};
  }

  // Calls `look` with the options and the lists in canonical form. Returns the seconds taken.
  template <class Look>
  double scan(const Job& job, Look look) const {
    check_lists();
    check_absent();
    MineOptions complete = options;
    const CanonicalLists positives(lists.positives, sizes.corpus, job);
    complete.positives = positives.view();
    const CanonicalMiningLists canonical(lists, sizes, complete, job);
    if (complete.candidates) corpus.check_live("candidates", *complete.candidates, sizes.queries);
    return corpus.scan(job, [&](Scans& scans, const CorpusHandle& rows) {
      look(scans, *queries->rows, rows, complete);
    });
  }

  void check_lists() const {
    const QueryLists& of = options.part->lists;
    if (of.queries == nullptr && of.count != sizes.queries)
      throw InvalidElement("references.length", static_cast<double>(of.count),
                           std::to_string(sizes.queries) + ", one for each query");
    for (Index i = 0; of.queries != nullptr && i < of.count; ++i)
      if (of.queries[i] < (i == 0 ? 0 : of.queries[i - 1]) || of.queries[i] >= sizes.queries)
        throw InvalidElement("listQueries[" + std::to_string(i) + "]", of.queries[i],
                             "ascending queries");
  }

  void check_absent() const {
    std::int32_t next = 0;
    for (std::size_t i = 0; i < options.part->absent.size(); ++i) {
      const std::int32_t row = options.part->absent[i];
      if (row < next || row >= sizes.corpus)
        throw InvalidElement("absent[" + std::to_string(i) + "]", row,
                             "ascending rows of the part");
      next = row + 1;
    }
  }

  std::shared_ptr<const Source> queries;
  CorpusArgument corpus;
  Sizes sizes;
  MiningLists lists;
  MineOptions options;
};

struct FoundPart {
  PartCandidates candidates;
  double seconds;
};

Napi::Value part_object(Napi::Env env, const std::shared_ptr<const FoundPart>& found,
                        const Napi::Object& control) {
  const PartCandidates& from = found->candidates;
  PendingCopies copies;
  Napi::Object candidates = Napi::Object::New(env);
  candidates["indptr"] = copies.array_for(env, from.indptr);
  candidates["rows"] = copies.array_for(env, from.rows);
  candidates["scores"] = copies.array_for(env, from.scores);
  candidates["rules"] = copies.array_for(env, from.rules);
  candidates["populations"] = copies.array_for(env, from.populations);
  Napi::Object object = Napi::Object::New(env);
  object["candidates"] = candidates;
  object["zeroQueries"] = number(env, from.zeros.queries);
  object["zeroRows"] = number(env, from.zeros.rows);
  object["seconds"] = found->seconds;
  return after_copies(env, control, object, found, std::move(copies));
}

AskedRows read_asked(const Napi::Object& from, Index lists, Borrowed& borrowed) {
  const auto count = read<Index>(from, "count");
  return {.count = count,
          .rows = read_array<std::int32_t>(from.Get("rows"), "rows", lists, count, borrowed),
          .scores = read_array<double>(from.Get("scores"), "scores", lists, count, borrowed)};
}

// The candidates of a part, as a caller gave them.
struct GivenPart {
  std::string name;  // for messages
  PartView view;
};

GivenPart read_part(const Napi::Object& from, Index lists, Borrowed& borrowed) {
  const PartView view{
      .indptr = read_span<double>(from.Get("indptr"), "indptr", borrowed),
      .rows = read_span<std::int32_t>(from.Get("rows"), "rows", borrowed),
      .scores = read_span<double>(from.Get("scores"), "scores", borrowed),
      .rules = read_span<std::uint8_t>(from.Get("rules"), "rules", borrowed),
      .populations = read_span<std::int32_t>(from.Get("populations"), "populations", borrowed)};
  const Napi::Env env = from.Env();
  check_length(env, "indptr", view.indptr.size(), lists + 1, 1);
  check_length(env, "scores", view.scores.size(), static_cast<Index>(view.rows.size()), 1);
  check_length(env, "rules", view.rules.size(), static_cast<Index>(view.rows.size()), 1);
  check_length(env, "populations", view.populations.size(), lists, population_size);
  return {.name = read<std::string>(from, "name"), .view = view};
}

// Elements that a merge may not meet: a start outside of the rows, a row that is none, a score that
// has no place in the order, an unknown rule, a negative count.
class PartCheck {
 public:
  PartCheck(const GivenPart& part, Index corpus)
      : name_(part.name), view_(part.view), corpus_(corpus) {}

  void check(Index query) const {
    const double begin = view_.indptr[query], end = view_.indptr[query + 1];
    const auto rows = static_cast<double>(view_.rows.size());
    if (query == 0 && begin != 0) refuse("indptr", 0, begin, "0");
    if (!(end >= begin && end <= rows && end == std::floor(end)))
      refuse("indptr", query + 1, end,
             "an integer in the order of the queries, at most the number of rows");
    for (auto i = static_cast<Index>(begin); i < static_cast<Index>(end); ++i) check_row(query, i);
    for (Index i = query * population_size; i < (query + 1) * population_size; ++i)
      if (view_.populations[i] < 0)
        refuse("populations", i, view_.populations[i], "a count, at least 0" + of(query));
  }

 private:
  void check_row(Index query, Index i) const {
    if (view_.rows[i] < 0 || view_.rows[i] >= corpus_)
      refuse("rows", i, view_.rows[i],
             "a corpus row in 0.." + std::to_string(corpus_ - 1) + of(query));
    if (!std::isfinite(view_.scores[i]))
      refuse("scores", i, view_.scores[i], "a finite score" + of(query));
    if (view_.rules[i] > rule_count)
      refuse("rules", i, view_.rules[i], "a rule in 0.." + std::to_string(rule_count) + of(query));
  }
  static std::string of(Index query) { return " of query " + std::to_string(query); }
  [[noreturn]] void refuse(const char* field, Index at, double value,
                           const std::string& expected) const {
    throw InvalidElement(name_ + "." + field + "[" + std::to_string(at) + "]", value, expected);
  }

  const std::string& name_;
  const PartView& view_;
  const Index corpus_;
};

std::vector<PartView> checked(const std::vector<GivenPart>& parts, Index lists, Index corpus,
                              const Job& job) {
  std::vector<PartView> views;
  for (const GivenPart& part : parts) {
    const PartCheck check(part, corpus);
    for (Index list = 0; list < lists; ++list) {
      job.cancellation.check();
      check.check(list);
    }
    views.push_back(part.view);
  }
  return views;
}

struct Merge {
  std::vector<GivenPart> parts;
  MineOptions options;
  MinedArrays out;
  MinedCounts counts;
};

}  // namespace

// minePart(queries, corpus, options, part, control)
Napi::Value MinePart(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const auto given = std::make_shared<const PartArguments>(info, borrowed);
  const Napi::Object control = read_object(info[4], "control");
  const auto kept = std::make_shared<const Napi::ObjectReference>(Napi::Persistent(control));
  return run_job(
      info.Env(), control, std::move(borrowed),
      [given](const Job& job) {
        const auto found = std::make_shared<FoundPart>();
        found->seconds =
            given->scan(job, [&](Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
                                 const MineOptions& options) {
              found->candidates = part_candidates(scans, queries, corpus, options, job);
            });
        return std::shared_ptr<const FoundPart>(found);
      },
      [kept](Napi::Env env, const std::shared_ptr<const FoundPart>& found) {
        return part_object(env, found, kept->Value());
      });
}

// rankPart(queries, corpus, options, part, asked, ranks, control)
Napi::Value RankPart(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const auto given = std::make_shared<const PartArguments>(info, borrowed);
  const Index lists = given->options.part->lists.count;
  const AskedRows asked = read_asked(read_object(info[4], "asked"), lists, borrowed);
  std::int32_t* const ranks =
      read_array<std::int32_t>(info[5], "ranks", lists, asked.count, borrowed);
  return run_job(
      info.Env(), info[6], std::move(borrowed),
      [given, asked, ranks](const Job& job) {
        return given->scan(job, [&](Scans& scans, const RowSource& queries,
                                    const CorpusHandle& corpus, const MineOptions& options) {
          part_ranks(scans, queries, corpus, options, asked, ranks, job);
        });
      },
      [](Napi::Env env, double seconds) { return Napi::Number::New(env, seconds); });
}

// mergeParts(parts, options, out, control)
Napi::Value MergeParts(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const Napi::Object given = read_object(info[1], "options");
  const auto merge = std::make_shared<Merge>();
  MineOptions& options = merge->options;
  options.all_queries = read<Index>(given, "queries");
  read_swept(given, options);
  const auto references = read_span<double>(given.Get("references"), "references", borrowed);
  const auto lists = static_cast<Index>(references.size());
  options.part = {.lists = read_lists(given, lists, borrowed),
                  .references = references.data(),
                  .row_numbers = nullptr,
                  .absent = {}};
  if (!info[0].IsArray()) refuse(info.Env(), "candidates of parts", "parts");
  const auto list = info[0].As<Napi::Array>();
  for (std::uint32_t i = 0; i < list.Length(); ++i)
    merge->parts.push_back(read_part(read_object(list.Get(i), "parts"), lists, borrowed));
  merge->out = read_arrays(read_object(info[2], "out"), options.num_negatives, borrowed);
  if (merge->out.lists != lists) refuse(info.Env(), "arrays for all lists", "out");
  const Napi::Object control = read_object(info[3], "control");
  const auto kept = std::make_shared<const Napi::ObjectReference>(Napi::Persistent(control));
  return run_job(
      info.Env(), control, std::move(borrowed),
      [merge, corpus = read<Index>(given, "corpusRows")](const Job& job) {
        const auto views = checked(merge->parts, merge->options.part->lists.count, corpus, job);
        merge->counts = merge_parts(views, merge->options, merge->out, job);
        return std::shared_ptr<const Merge>(merge);
      },
      [kept](Napi::Env env, const std::shared_ptr<const Merge>& merged) {
        PendingCopies copies;
        const Napi::Object object = mined_object(env, merged->counts, 0, copies);
        return after_copies(env, kept->Value(), object, merged, std::move(copies));
      });
}

}  // namespace gemmine::binding
