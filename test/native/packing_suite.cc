// A corpus that is not prepared is packed once for each call, not once for each of its requests.
#include <algorithm>
#include <atomic>

#include "backend/parts.h"
#include "check.h"
#include "core/pool.h"
#include "core/row_block.h"
#include "mining/range_search.h"
#include "mining_runs.h"
#include "scan_scenes.h"

using namespace test;

namespace {

constexpr Index rows = 512, d = 4;
constexpr Index panel = gemmine::cpu::panel_rows;
static_assert(rows % panel == 0);

// Counts reads of whole panels: nothing else reads as many rows at once after the preparation.
class CountedRows : public gemmine::RowSource {
 public:
  explicit CountedRows(const Rows& values) : source_(source_of(values)) {}
  Index rows() const override { return source_->rows(); }
  Index cols() const override { return source_->cols(); }
  double entry(Index row, Index column) const override { return source_->entry(row, column); }
  gemmine::RowBlock block(Index begin, Index count, gemmine::RowScratch& scratch) const override {
    if (count == panel) ++reads;
    return source_->block(begin, count, scratch);
  }

  mutable std::atomic<Index> reads = 0;

 private:
  std::unique_ptr<gemmine::RowSource> source_;
};

// Queries whose lists of all rows need more than two requests.
Index many_queries() {
  const Index each = gemmine::scan_bytes({.query = 0, .depth = rows}, d, {});
  return 2 * gemmine::most_buffer_bytes / each + 20;
}

// Runs a search of a corpus that is prepared and of one that is not. Returns the number of times
// that the latter is packed.
template <class Search>
double packings(TrialScans& scans, const Rows& corpus, const Search& search) {
  const CountedRows counted(corpus);
  const auto prepared = scans.prepare_corpus(counted, Metric::cosine, true, job_of(2));
  const auto expected = search(*prepared);
  const auto one_off = scans.prepare_corpus(counted, Metric::cosine, false, job_of(2));
  counted.reads = 0;
  check(search(*one_off) == expected, "the answers of a prepared corpus");
  return static_cast<double>(counted.reads) / (rows / panel);
}

template <class T>
std::vector<std::uint32_t> bits_of(const std::vector<T>& values) {
  std::vector<std::uint32_t> bits(values.size() * sizeof(T) / sizeof(std::uint32_t));
  std::memcpy(bits.data(), values.data(), values.size() * sizeof(T));
  return bits;
}

// In the finest format the corpus is packed once more at most, for queries that need a proof.
double most(const TrialScans& scans) {
  return scans.format == &gemmine::cpu::finest_format() ? 1 : 2;
}

void once_for_all_batches_of_top_k(TrialScans& scans, const Rows& corpus, const Rows& queries) {
  const auto source = source_of(queries);
  const double found = packings(scans, corpus, [&](const gemmine::CorpusHandle& handle) {
    std::vector<std::int32_t> indices(queries.rows * rows);
    std::vector<float> scores(indices.size());
    const gemmine::TopKOptions options{rows, {false, nullptr}, {nullptr, nullptr}};
    top_k(scans, *source, handle, options, indices.data(), scores.data(), job_of(2));
    return std::pair(indices, bits_of(scores));
  });
  check(found >= 1 && found <= most(scans), "top k packs a corpus once: " + std::to_string(found));
}

void once_for_all_batches_of_a_range(TrialScans& scans, const Rows& corpus, const Rows& queries) {
  const auto source = source_of(queries);
  const double found = packings(scans, corpus, [&](const gemmine::CorpusHandle& handle) {
    const auto rows_found = gemmine::range_search(scans, *source, handle,
                                                  {.threshold = 0.9,
                                                   .limit = rows - 1,
                                                   .self = {false, nullptr},
                                                   .exclude = {nullptr, nullptr}},
                                                  job_of(2));
    return std::pair(rows_found.rows, bits_of(rows_found.scores));
  });
  check(found >= 1 && found <= most(scans), "a range packs once: " + std::to_string(found));
}

// Drawn rows are ranked by a second scan of each batch.
void once_for_all_batches_of_draws(TrialScans& scans, const Rows& corpus, const Rows& queries) {
  std::vector<std::vector<std::int32_t>> positives(queries.rows);
  for (auto& each : positives) each = {0};
  Dice dice(3);
  MineScene scene{.metric = Metric::cosine,
                  .queries = queries,
                  .corpus = corpus,
                  .positives = Lists(positives),
                  .excluded = Lists(std::vector<std::vector<std::int32_t>>(queries.rows)),
                  .candidates = std::nullopt,
                  .query_groups = {},
                  .corpus_groups = {},
                  .query_texts = {},
                  .corpus_texts = {},
                  .options = random_options(Metric::cosine, queries, corpus, false, false, dice)};
  scene.options.num_negatives = 2;
  scene.options.explain = rows;
  scene.options.sampling = gemmine::Sampling::band;
  scene.options.max_rank = std::nullopt;
  const auto source = source_of(queries);
  const double found = packings(scans, corpus, [&](const gemmine::CorpusHandle& handle) {
    const MineOptions options = options_of(scene);
    Mined mined = arrays_for(scene, options);
    const gemmine::MinedArrays out{mined.indices.data(), mined.scores.data(), mined.counts.data(),
                                   mined.ranks.data(), mined.positive_scores.data()};
    mine(scans, *source, handle, {&options, 1}, {&out, 1}, job_of(2));
    return std::pair(mined.indices, bits_of(mined.scores));
  });
  check(found >= 1 && found <= most(scans), "draws pack a corpus once: " + std::to_string(found));
}

// Sums are in the finest format, and maxima in the first one.
void once_for_all_requests_of_sums_and_maxima(TrialScans& scans, const Rows& corpus) {
  const auto source = source_of(corpus);
  const double sums = packings(scans, corpus, [&](const gemmine::CorpusHandle& handle) {
    const auto asking = scans.prepare_queries(*source, handle, job_of(2));
    std::vector<double> values;
    for (Index begin = 0; begin < rows; begin += rows / 4)
      for (const auto& each :
           scans.log_sum_exp({*asking, begin, rows / 4, 0.5, begin < rows / 4 * 3}, job_of(2)))
        values.push_back(each.value);
    return bits_of(values);
  });
  check(sums == 1, "sums pack a corpus once: " + std::to_string(sums));
  std::vector<std::int32_t> starts;
  for (Index i = 0; i <= rows / 4; ++i) starts.push_back(static_cast<std::int32_t>(4 * i));
  const gemmine::Segments segments{starts.data(), rows / 4};
  const double maxima = packings(scans, corpus, [&](const gemmine::CorpusHandle& handle) {
    const auto asking = scans.prepare_queries(*source, handle, job_of(2));
    std::vector<std::int32_t> best;
    for (Index begin = 0; begin < segments.count; begin += 32)
      for (const auto& each : scans.segment_max(
               {*asking, segments, segments, begin, 32, 3, 1.0, begin + 32 < segments.count},
               job_of(2)))
        for (const Scored& scored : each.best) best.push_back(scored.row);
    return best;
  });
  check(maxima >= 1 && maxima <= most(scans), "maxima pack once: " + std::to_string(maxima));
}

// Panels beyond the memory of a call are packed again for each request, those within it are not.
void panels_beyond_the_memory_are_packed_again() {
  Dice dice(5);
  const Rows values = random_rows(0, rows, d, dice);
  const CountedRows counted(values);
  const gemmine::cpu::CentredRows centred(counted, Metric::dot, job_of(1));
  gemmine::cpu::ScanPanels panels(centred, gemmine::cpu::finest_format(), nullptr);
  const Index bytes = panels.size() * Index{sizeof(float)};
  const auto space = gemmine::cpu::allocate_aligned(4 * panels.size());
  const auto read_all = [&] {
    const Index before = counted.reads;
    for (Index begin = 0; begin < panels.count(); begin += 4)
      panels.get(begin, 4, space.get(), job_of(1));
    return counted.reads - before;
  };
  check(read_all() == 16 && read_all() == 16, "nothing is kept unasked");
  panels.keep(10 * bytes + 1);
  check(read_all() == 16 && read_all() == 8 && read_all() == 8, "two of four groups are kept");
  const float* again = panels.get(2, 3, space.get(), job_of(1))[0];
  check(again != space.get(), "panels from the middle of those that are kept");
}

void packed_once(TrialScans& scans) {
  Dice dice(1);
  const Rows corpus = random_rows(0, rows, d, dice);
  const Rows queries = random_rows(0, many_queries(), d, dice);
  once_for_all_batches_of_top_k(scans, corpus, queries);
  once_for_all_batches_of_a_range(scans, corpus, queries);
  once_for_all_batches_of_draws(scans, corpus, queries);
  once_for_all_requests_of_sums_and_maxima(scans, corpus);
}

}  // namespace

int main() {
  gemmine::set_pool_threads(2);
  panels_beyond_the_memory_are_packed_again();
  for (const auto* format : {&gemmine::cpu::first_format(), &gemmine::cpu::finest_format()}) {
    TrialScans scans;
    scans.format = format;
    if (!thread_sanitizer) packed_once(scans);
  }
  const int status = report("packing");
  gemmine::stop_pool();
  return status;
}
