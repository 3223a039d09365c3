#pragma once

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <memory>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "backend/scans.h"
#include "core/checksum.h"
#include "core/row_block.h"
#include "mining_oracle.h"

// Every scan the slow way: all scores in float64, and nothing but the definitions.
namespace test {

using gemmine::Ranking;
using gemmine::RowSource;
using gemmine::ScanQuery;
using gemmine::ScanRequest;
using gemmine::Scored;

// Rows in memory of the device that prepared them.
struct PreparedRows {
  PreparedRows(const RowSource& source, std::shared_ptr<float[]> memory)
      : rows(source.rows()), d(source.cols()), values(std::move(memory)) {
    gemmine::RowScratch scratch;
    for (Index i = 0; i < rows; ++i)
      std::copy_n(source.block(i, 1, scratch).dense.data, d, &values[i * d]);
  }
  const float* row(Index i) const { return &values[i * d]; }

  Index rows;
  Index d;
  std::shared_ptr<float[]> values;
};

struct NaiveCorpus : gemmine::CorpusHandle {
  NaiveCorpus(const RowSource& source, Metric asked, std::shared_ptr<float[]> memory)
      : held(&source), asked_metric(asked), values(source, std::move(memory)) {}
  const RowSource& rows() const override { return *held; }
  Metric metric() const override { return asked_metric; }
  Index bytes() const override { return 0; }
  Index zero_rows() const override { return 0; }

  const RowSource* held;
  Metric asked_metric;
  PreparedRows values;
};

struct NaiveQueries : gemmine::QueryHandle {
  NaiveQueries(const RowSource& source, const NaiveCorpus& asked, std::shared_ptr<float[]> memory)
      : held(&source), asked_corpus(&asked), values(source, std::move(memory)) {}
  const RowSource& rows() const override { return *held; }
  const gemmine::CorpusHandle& corpus() const override { return *asked_corpus; }
  Index zero_rows() const override { return 0; }
  double score(Index query, Index row) const {
    return plain_score(asked_corpus->asked_metric, values.row(query), asked_corpus->values.row(row),
                       values.d);
  }

  const RowSource* held;
  const NaiveCorpus* asked_corpus;
  PreparedRows values;
};

class NaiveScans : public gemmine::Scans {
 public:
  std::unique_ptr<gemmine::CorpusHandle> prepare_corpus(const RowSource& rows, Metric metric, bool,
                                                        const gemmine::Job&) override {
    return std::make_unique<NaiveCorpus>(rows, metric, allocate(rows.rows() * rows.cols()));
  }
  std::unique_ptr<gemmine::QueryHandle> prepare_queries(const RowSource& rows,
                                                        const gemmine::CorpusHandle& corpus,
                                                        const gemmine::Job&) override {
    return std::make_unique<NaiveQueries>(rows, dynamic_cast<const NaiveCorpus&>(corpus),
                                          allocate(rows.rows() * rows.cols()));
  }
  std::vector<std::uint64_t> checksums(const gemmine::RowSource& rows,
                                       const gemmine::Job&) override {
    std::vector<std::uint64_t> sums;
    gemmine::RowScratch scratch;
    for (Index begin = 0; begin < rows.rows(); begin += gemmine::checksum_rows) {
      const Index count = std::min(gemmine::checksum_rows, rows.rows() - begin);
      sums.push_back(gemmine::checksum(rows.block(begin, count, scratch).dense));
    }
    return sums;
  }
  void score_pairs(const gemmine::QueryHandle& handle, const gemmine::RowLists& lists,
                   double* scores, const gemmine::Job&) override {
    for (Index query = 0; query < handle.rows().rows(); ++query)
      for (const std::int32_t row : list_of(lists, query))
        *scores++ = naive(handle).score(query, row);
  }
  void score_rows(const gemmine::CorpusHandle& corpus, std::span<const std::int32_t> asked,
                  const gemmine::RowLists& lists, double* scores, const gemmine::Job&) override {
    const auto& all = dynamic_cast<const NaiveCorpus&>(corpus);
    for (std::size_t i = 0; i < asked.size(); ++i)
      for (const std::int32_t row : list_of(lists, static_cast<Index>(i)))
        *scores++ = plain_score(all.asked_metric, all.values.row(asked[i]), all.values.row(row),
                                all.values.d);
  }
  std::vector<Ranking> scan(const ScanRequest& request, const gemmine::Job&) override {
    std::vector<Ranking> rankings;
    for (const ScanQuery& query : request.asked) rankings.push_back(ranked(request, query));
    return rankings;
  }
  std::vector<gemmine::BestSegments> segment_max(const gemmine::SegmentMaxRequest& request,
                                                 const gemmine::Job&) override {
    std::vector<gemmine::BestSegments> answers;
    for (Index i = 0; i < request.count; ++i) {
      std::vector<Scored> best;
      for (std::int32_t document = 0; document < request.corpus_segments.count; ++document)
        if (request.allows(request.begin + i, document) &&
            gemmine::holds_any(request.rows, request.corpus_segments.starts[document],
                               request.corpus_segments.starts[document + 1]))
          best.push_back({late_interaction(request, request.begin + i, document), document});
      keep_best(best, request.depth);
      answers.push_back({std::move(best), false});
    }
    return answers;
  }
  std::vector<gemmine::BoundedValue> log_sum_exp(const gemmine::LogSumExpRequest& request,
                                                 const gemmine::Job&) override {
    std::vector<gemmine::BoundedValue> values;
    for (Index i = 0; i < request.count; ++i) {
      std::vector<long double> scores;
      for (Index row = 0; row < request.queries.corpus().rows().rows(); ++row)
        if (request.filter.holds(row) && request.filter_of(request.begin + i).holds(row))
          scores.push_back(naive(request.queries).score(request.begin + i, row));
      if (scores.empty()) {
        values.push_back({.value = -std::numeric_limits<double>::infinity(), .error = 0});
        continue;
      }
      const long double largest = *std::max_element(scores.begin(), scores.end());
      long double sum = 0;
      for (const long double score : scores)
        sum += std::exp((score - largest) / request.temperature);
      const long double value = largest / request.temperature + std::log(sum);
      values.push_back({.value = static_cast<double>(value), .error = 0});
    }
    return values;
  }

 protected:
  virtual std::shared_ptr<float[]> allocate(Index count) {
    return std::shared_ptr<float[]>(new float[static_cast<std::size_t>(count)]);
  }
  static const NaiveQueries& naive(const gemmine::QueryHandle& handle) {
    return dynamic_cast<const NaiveQueries&>(handle);
  }

 private:
  static Ranking ranked(const ScanRequest& request, const ScanQuery& query) {
    const NaiveQueries& queries = naive(request.queries);
    Ranking ranking{};
    for (std::int32_t row = 0; row < queries.asked_corpus->values.rows; ++row) {
      if (!request.filter.holds(row) || !query.filter.holds(row)) continue;
      if (std::find(query.barred.begin(), query.barred.end(), row) != query.barred.end()) continue;
      const Scored scored{queries.score(query.query, row), row};
      const bool forbidden = is_forbidden(request, query, row);
      if (!forbidden) {
        ranking.above[gemmine::ceiling_level] += scored.score > query.ceiling;
        ranking.above[gemmine::floor_level] += scored.score >= query.floor;
        ranking.above[gemmine::reference_level] +=
            scored.score > query.reference ||
            (scored.score == query.reference && row < query.reference_row);
      }
      const bool inside = scored.score <= query.ceiling && scored.score >= query.floor;
      (!forbidden && inside ? ranking.admissible : ranking.rejected).push_back(scored);
    }
    const std::set<std::int32_t> repeated = set_repeats_aside(request, query, ranking);
    ranking.drawn = drawn(ranking.admissible, query.draw);
    keep_best(ranking.admissible, query.depth);
    keep_best(ranking.rejected, query.rejected_depth);
    keep_repeats(query, ranking, repeated);
    return ranking;
  }

  static bool is_forbidden(const ScanRequest& request, const ScanQuery& query, std::int32_t row) {
    return request.groups != gemmine::Groups::off &&
           group_forbids(request.groups, query.group, request.corpus_groups[row]);
  }

  // Of each class the best row alone may be admissible. Returns the others.
  static std::set<std::int32_t> set_repeats_aside(const ScanRequest& request,
                                                  const ScanQuery& query, Ranking& ranking) {
    std::vector<Scored> classed;
    for (const auto* rows : {&ranking.admissible, &ranking.rejected})
      for (const Scored& each : *rows)
        if (request.classes.class_of(each.row) >= 0 && !is_forbidden(request, query, each.row))
          classed.push_back(each);
    std::sort(classed.begin(), classed.end(), gemmine::better);
    std::set<std::int32_t> met, repeated;
    for (const Scored& each : classed) {
      if (met.insert(request.classes.class_of(each.row)).second) continue;
      repeated.insert(each.row);
      ranking.repeated[gemmine::ceiling_level] += each.score > query.ceiling;
      ranking.repeated[gemmine::floor_level] += each.score >= query.floor;
      if (each.score <= query.ceiling) ranking.repeats.push_back(each);
    }
    const auto is_repeated = [&](const Scored& each) { return repeated.contains(each.row); };
    std::ranges::copy_if(ranking.admissible, std::back_inserter(ranking.rejected), is_repeated);
    std::erase_if(ranking.admissible, is_repeated);
    return repeated;
  }

  // Of the repeated rows those better than the last admissible one, or those that are not below the
  // floor if not all the wanted rows are admissible; and those among the rejected.
  static void keep_repeats(const ScanQuery& query, Ranking& ranking,
                           const std::set<std::int32_t>& repeated) {
    const bool is_short = static_cast<Index>(ranking.admissible.size()) < query.depth;
    std::erase_if(ranking.repeats, [&](const Scored& each) {
      if (query.depth == 0) return true;
      return is_short ? each.score < query.floor : !better(each, ranking.admissible.back());
    });
    for (const Scored& each : ranking.rejected)
      if (repeated.contains(each.row)) ranking.rejected_repeats.push_back(each.row);
    std::ranges::sort(ranking.rejected_repeats);
  }

  static std::vector<Scored> drawn(std::vector<Scored> rows, const gemmine::Draw& draw) {
    std::sort(rows.begin(), rows.end(), [&](const Scored& a, const Scored& b) {
      return gemmine::RowKey{draw.key(a.row), a.row} < gemmine::RowKey{draw.key(b.row), b.row};
    });
    rows.resize(std::min(draw.count, static_cast<Index>(rows.size())));
    std::sort(rows.begin(), rows.end(), gemmine::better);
    return rows;
  }

  // Σ over the query's rows of the highest score with a row of the document.
  static double late_interaction(const gemmine::SegmentMaxRequest& request, Index query,
                                 Index document) {
    const auto& [queries, documents] = std::tie(request.query_segments, request.corpus_segments);
    double sum = 0;
    for (Index token = queries.starts[query]; token < queries.starts[query + 1]; ++token) {
      double highest = -std::numeric_limits<double>::infinity();
      for (Index row = documents.starts[document]; row < documents.starts[document + 1]; ++row)
        if (request.rows.holds(row))
          highest = std::max(highest, naive(request.queries).score(token, row));
      sum += highest;
    }
    return sum;
  }

  static void keep_best(std::vector<Scored>& rows, Index depth) {
    std::sort(rows.begin(), rows.end(), gemmine::better);
    rows.resize(std::min(depth, static_cast<Index>(rows.size())));
  }
};

}  // namespace test
