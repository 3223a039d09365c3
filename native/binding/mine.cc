// mine(queries, corpus, shared, positives, sweep, control)
#include "mining/mine.h"

#include <utility>

#include "binding/corpus.h"
#include "binding/entry_points.h"
#include "binding/job.h"
#include "binding/pending_copies.h"
#include "binding/read.h"
#include "binding/row_lists.h"
#include "binding/to_js.h"

namespace gemmine::binding {
namespace {

struct Sizes {
  Index queries;
  Index corpus;
};

// The range of queries to mine.
RowRange read_range(const Napi::Object& from, Index queries) {
  const RowRange range{.begin = read<Index>(from, "firstQuery"),
                       .count = read<Index>(from, "queryCount")};
  if (range.begin < 0 || range.begin > queries)
    refuse(from.Env(), "a row of the queries", "firstQuery");
  if (range.count < 0 || range.count > queries - range.begin)
    refuse(from.Env(), "rows of the queries", "queryCount");
  return range;
}

// Requires both or neither, because one is compared with the other.
void check_pair(Napi::Env env, const void* first, const void* second, bool needed,
                const char* name) {
  if ((first == nullptr) != (second == nullptr) || (needed && first == nullptr))
    refuse(env, "arrays for queries and corpus", name);
}

MiningRules read_rules(const Napi::Object& from) {
  MiningRules rules{};
  for (const auto& [name, ceiling] : ceilings) rules.*ceiling = read_optional<double>(from, name);
  return rules;
}

// Some numbers for each row; null for undefined.
template <class T>
T* read_optional_rows(const Napi::Object& from, const char* name, Index rows, Index cols,
                      Borrowed& borrowed) {
  const Napi::Value value = from.Get(name);
  return value.IsUndefined() ? nullptr : read_array<T>(value, name, rows, cols, borrowed);
}

// Reads the options that a sweep may change.
void read_swept(const Napi::Object& from, MineOptions& options, Borrowed& borrowed) {
  options.num_negatives = read<Index>(from, "numNegatives");
  options.rules = read_rules(from);
  options.min_score = read_optional<double>(from, "minScore");
  options.reference = read_choice(from, "reference", reference_names);
  options.skip_ranks = read<Index>(from, "skipRanks");
  options.max_rank = read_optional<Index>(from, "maxRank");
  options.max_positive_rank = read_optional<Index>(from, "maxPositiveRank");
  options.skip_survivors = read<Index>(from, "skipSurvivors");
  options.sampling = read_choice(from, "sampling", samplings).sampling;
  options.pool = read<Index>(from, "pool");
  options.seed = read<std::uint64_t>(from, "seed");
  options.explain = read<Index>(from, "explain");
  options.references =
      read_optional_rows<double>(from, "references", options.all_queries, 1, borrowed);
  if (options.num_negatives < 1) refuse(from.Env(), "a positive integer", "numNegatives");
}

// Reads all other options except the lists, which are made on the job's thread.
MineOptions read_shared(const Napi::Object& from, const Sizes& sizes, Borrowed& borrowed) {
  MineOptions options{};
  options.all_queries = sizes.queries;
  options.first_query = read_range(from, sizes.queries).begin;
  options.self = read_self_rows(from, sizes.queries, sizes.corpus, borrowed);
  options.groups = read_choice(from, "groups", group_names);
  options.query_groups =
      read_optional_rows<std::int32_t>(from, "queryGroups", sizes.queries, 1, borrowed);
  options.corpus_groups =
      read_optional_rows<std::int32_t>(from, "corpusGroups", sizes.corpus, 1, borrowed);
  options.texts = {
      .queries = read_optional_rows<std::int32_t>(from, "queryTexts", sizes.queries, 1, borrowed),
      .corpus = read_optional_rows<std::int32_t>(from, "corpusTexts", sizes.corpus, 1, borrowed)};
  const Napi::Env env = from.Env();
  check_pair(env, options.query_groups, options.corpus_groups, options.groups != Groups::off,
             "groups");
  check_pair(env, options.texts.queries, options.texts.corpus, false, "texts");
  return options;
}

MinedArrays read_arrays(const Napi::Object& from, Index queries, Index num_negatives,
                        Borrowed& borrowed) {
  const auto rows_of = [&]<class T>(T, const char* name) {
    return read_array<T>(from.Get(name), name, queries, num_negatives, borrowed);
  };
  return {.indices = rows_of(std::int32_t{}, "indices"),
          .scores = rows_of(float{}, "scores"),
          .counts = read_array<std::int32_t>(from.Get("counts"), "counts", queries, 1, borrowed),
          .ranks = rows_of(std::int32_t{}, "ranks"),
          .positive_scores = nullptr,
          .exact_scores =
              read_optional_rows<double>(from, "exactScores", queries, num_negatives, borrowed),
          .populations = read_optional_rows<std::int32_t>(from, "populations", queries,
                                                          population_size, borrowed)};
}

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

Sweep read_sweep(const Napi::Value& value, const MineOptions& shared, Index queries,
                 Borrowed& borrowed) {
  if (!value.IsArray() || value.As<Napi::Array>().Length() == 0)
    refuse(value.Env(), "options and arrays, at least once", "sweep");
  const auto list = value.As<Napi::Array>();
  Sweep sweep;
  for (std::uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Object each = read_object(list.Get(i), "sweep");
    sweep.options.push_back(shared);
    read_swept(read_object(each.Get("options"), "options"), sweep.options.back(), borrowed);
    sweep.out.push_back(read_arrays(read_object(each.Get("out"), "out"), queries,
                                    sweep.options.back().num_negatives, borrowed));
  }
  return sweep;
}

struct Mined {
  std::vector<MinedCounts> counts;  // one for each of the options
  double seconds;
};

Napi::Object mined_object(Napi::Env env, const MinedCounts& counts, double seconds) {
  Napi::Object object = Napi::Object::New(env);
  object["dropped"] =
      array_of<double>(env, std::vector<double>(counts.dropped, counts.dropped + rule_count));
  object["queriesWithoutPositives"] = number(env, counts.queries_without_positives);
  object["inconsistent"] = number(env, counts.inconsistent);
  object["candidatePairs"] = number(env, counts.candidate_pairs);
  object["certified"] = number(env, counts.proof.certified);
  object["fallback"] = number(env, counts.proof.fallback);
  object["zeroQueries"] = number(env, counts.proof.zero_queries);
  object["zeroRows"] = number(env, counts.proof.zero_rows);
  object["seconds"] = seconds;
  return object;
}

Napi::Object rejected_object(Napi::Env env, const Rejected& from, PendingCopies& copies) {
  Napi::Object rejected = Napi::Object::New(env);
  rejected["queries"] = copies.array_for(env, from.queries);
  rejected["indptr"] = copies.array_for(env, from.indptr);
  rejected["rows"] = copies.array_for(env, from.rows);
  rejected["scores"] = copies.array_for(env, from.scores);
  rejected["rules"] = copies.array_for(env, from.rules);
  return rejected;
}

Napi::Value with_rejected(Napi::Env env, const std::shared_ptr<const Mined>& mined,
                          const Napi::Object& control) {
  PendingCopies copies;
  Napi::Array answers = Napi::Array::New(env, mined->counts.size());
  for (std::size_t i = 0; i < mined->counts.size(); ++i) {
    Napi::Object object = mined_object(env, mined->counts[i], mined->seconds);
    object["rejected"] = rejected_object(env, mined->counts[i].rejected, copies);
    answers[static_cast<std::uint32_t>(i)] = object;
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
  const auto positives =
      read_row_lists(given.Get("positives"), "positives", sizes.queries, borrowed);
  if (positives.starts.empty()) refuse(info.Env(), "lists of rows", "positives");
  const auto exclude = read_row_lists(given.Get("exclude"), "exclude", sizes.queries, borrowed);
  const auto candidates =
      read_row_lists(given.Get("candidates"), "candidates", sizes.queries, borrowed);
  const std::size_t pairs = positives.rows.size();
  const RowRange range = read_range(given, sizes.queries);
  const PositiveArrays listed =
      read_positive_arrays(read_object(info[3], "positives"), sizes.queries, pairs, borrowed);
  const auto sweep = std::make_shared<Sweep>(
      read_sweep(info[4], read_shared(given, sizes, borrowed), range.count, borrowed));
  const Napi::Object control = read_object(info[5], "control");
  const auto kept_control =
      std::make_shared<const Napi::ObjectReference>(Napi::Persistent(control));
  return run_job(
      info.Env(), control, std::move(borrowed),
      [=](const Job& job) {
        MineOptions& shared = sweep->options.front();
        shared.positives =
            write_canonical(positives, sizes.corpus, job, listed.starts, listed.rows);
        const CanonicalLists excluded(exclude, sizes.corpus, job);
        shared.exclude = excluded.view();
        const CanonicalLists only(candidates, sizes.corpus, job);
        if (!candidates.starts.empty()) shared.candidates = only.view();
        check_self_rows(shared.self, sizes.queries, sizes.corpus);
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
