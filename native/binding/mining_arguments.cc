#include "binding/mining_arguments.h"

#include "binding/to_js.h"

namespace gemmine::binding {
namespace {

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

SamplingNumbers read_sampling_numbers(const Napi::Object& from) {
  const SamplingNumbers numbers{.temperature = read<double>(from, "temperature"),
                                .simans_a = read<double>(from, "simansA"),
                                .simans_b = read<double>(from, "simansB"),
                                .stride = read<Index>(from, "stride"),
                                .bins = read<Index>(from, "bins"),
                                .mmr_lambda = read<double>(from, "mmrLambda"),
                                .distance_cutoff = read<double>(from, "distanceCutoff"),
                                .distance_limit = read<double>(from, "distanceLimit"),
                                .dimensions = read<Index>(from, "dimensions")};
  if (numbers.stride < 1) refuse(from.Env(), "a positive integer", "stride");
  if (numbers.bins < 1) refuse(from.Env(), "a positive integer", "bins");
  return numbers;
}

Napi::Object rejected_object(Napi::Env env, const Rejected& from, PendingCopies& copies) {
  Napi::Object rejected = Napi::Object::New(env);
  rejected["queries"] = copies.array_for(env, from.queries);
  rejected["positives"] = copies.array_for(env, from.positives);
  rejected["indptr"] = copies.array_for(env, from.indptr);
  rejected["rows"] = copies.array_for(env, from.rows);
  rejected["scores"] = copies.array_for(env, from.scores);
  rejected["rules"] = copies.array_for(env, from.rules);
  return rejected;
}

}  // namespace

RowRange read_range(const Napi::Object& from, Index queries) {
  const RowRange range{.begin = read<Index>(from, "firstQuery"),
                       .count = read<Index>(from, "queryCount")};
  if (range.begin < 0 || range.begin > queries)
    refuse(from.Env(), "a row of the queries", "firstQuery");
  if (range.count < 0 || range.count > queries - range.begin)
    refuse(from.Env(), "rows of the queries", "queryCount");
  return range;
}

void read_swept(const Napi::Object& from, MineOptions& options) {
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
  options.numbers = read_sampling_numbers(from);
  options.caps = {.near_duplicate_score = read_optional<double>(from, "nearDuplicateScore"),
                  .hub_cap = read_optional<Index>(from, "hubCap")};
  options.seed = read<std::uint64_t>(from, "seed");
  options.explain = read<Index>(from, "explain");
  if (options.caps.hub_cap && *options.caps.hub_cap < 1)
    refuse(from.Env(), "a positive integer", "hubCap");
  if (options.num_negatives < 1) refuse(from.Env(), "a positive integer", "numNegatives");
}

MineOptions read_shared(const Napi::Object& from, const Sizes& sizes, Borrowed& borrowed) {
  MineOptions options{};
  options.all_queries = sizes.queries;
  options.first_query = read_range(from, sizes.queries).begin;
  options.self = read_self_rows(from, sizes.queries, sizes.corpus, borrowed);
  options.near_positive_score = read_optional<double>(from, "nearPositiveScore");
  options.beside = read<bool>(from, "beside");
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

MinedArrays read_arrays(const Napi::Object& from, Index num_negatives, Borrowed& borrowed) {
  const auto counts = read_span<std::int32_t>(from.Get("counts"), "counts", borrowed);
  const auto lists = static_cast<Index>(counts.size());
  const auto rows_of = [&]<class T>(T, const char* name) {
    return read_array<T>(from.Get(name), name, lists, num_negatives, borrowed);
  };
  return {
      .indices = rows_of(std::int32_t{}, "indices"),
      .scores = rows_of(float{}, "scores"),
      .counts = counts.data(),
      .ranks = rows_of(std::int32_t{}, "ranks"),
      .positive_scores = nullptr,
      .exact_scores =
          read_optional_rows<double>(from, "exactScores", lists, num_negatives, borrowed),
      .sources = read_optional_rows<std::uint8_t>(from, "sources", lists, num_negatives, borrowed),
      .lists = lists};
}

QueryLists read_lists(const Napi::Object& from, Index lists, Borrowed& borrowed) {
  return {.count = lists,
          .queries = read_optional_rows<std::int32_t>(from, "listQueries", lists, 1, borrowed),
          .positives = read_optional_rows<std::int32_t>(from, "listPositives", lists, 1, borrowed)};
}

MiningLists::MiningLists(const Napi::Object& given, const Sizes& sizes, Borrowed& borrowed)
    : positives(read_row_lists(given.Get("positives"), "positives", sizes.queries, borrowed)),
      exclude(read_row_lists(given.Get("exclude"), "exclude", sizes.queries, borrowed)),
      candidates(read_row_lists(given.Get("candidates"), "candidates", sizes.queries, borrowed)),
      choice(read_choice_of_rows(given, sizes.queries, sizes.corpus, borrowed)) {
  if (choice.allow.of != nullptr || choice.exclude.of != nullptr || !choice.listed.starts.empty())
    refuse(given.Env(), "sets for all queries", "allow");
  if (positives.starts.empty()) refuse(given.Env(), "lists of rows", "positives");
}

CanonicalMiningLists::CanonicalMiningLists(const MiningLists& given, const Sizes& sizes,
                                           MineOptions& options, const Job& job)
    : exclude_(given.exclude, sizes.corpus, job), candidates_(given.candidates, sizes.corpus, job) {
  const RowChoice choice{.allow = given.choice.allow, .exclude = given.choice.exclude};
  if (choice.is_set()) {
    RowFilters allowed(choice, sizes.corpus);
    filter_ = rows_of_both(allowed.of(0), {}, sizes.corpus);
    options.filter = {.words = filter_.data()};
  }
  options.exclude = exclude_.view();
  if (!given.candidates.starts.empty()) options.candidates = candidates_.view();
  options.beside = options.beside && options.candidates;
  check_self_rows(options.self, sizes.queries, sizes.corpus);
}

Napi::Object mined_object(Napi::Env env, const MinedCounts& counts, double seconds,
                          PendingCopies& copies) {
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
  object["rejected"] = rejected_object(env, counts.rejected, copies);
  return object;
}

}  // namespace gemmine::binding
