// What is the cost of a search of a corpus among its own rows, compared with a search against a
// copy of it? Synthetic: 20 000 × 384, k = 10, cosine, without the row itself; arguments change
// rows, columns and k. Both run in turn in every format of the CPU. Times are CPU times, because
// wall time is noise on a shared machine. The target is .65.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <vector>

#include "backend/cpu/scan_corpus.h"
#include "backend/registry.h"
#include "core/pool.h"
#include "core/random.h"
#include "mining/mine.h"

namespace {

using gemmine::Index;

constexpr int rounds = 7;

double process_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::unique_ptr<gemmine::RowSource> source_of(const std::vector<float>& values, Index d) {
  return gemmine::dense_source(values.data(), gemmine::ElementType::float32,
                               static_cast<Index>(values.size()) / d, d, d);
}

struct Answer {
  std::vector<std::int32_t> indices;
  std::vector<float> scores;
  gemmine::Proof proof;
};

// CPU seconds for preparing and searching.
double search(const gemmine::RowSource& rows, const gemmine::RowSource& corpus,
              const gemmine::cpu::ScanFormat& format, Index k, Answer& answer) {
  const gemmine::Job job{.cancellation = {}, .report = {}, .threads = gemmine::pool_threads()};
  const gemmine::TopKOptions options{.k = k,
                                     .self = {.same = true, .rows = nullptr},
                                     .exclude = {.indptr = nullptr, .indices = nullptr}};
  answer.indices.resize(rows.rows() * k);
  answer.scores.resize(rows.rows() * k);
  const double start = process_seconds();
  const gemmine::cpu::CpuCorpus handle(corpus, gemmine::Metric::cosine, format, false, job);
  answer.proof = top_k(gemmine::scans_for("cpu"), rows, handle, options, answer.indices.data(),
                       answer.scores.data(), job);
  return process_seconds() - start;
}

void compare(const gemmine::cpu::ScanFormat& format, Index n, Index d, Index k) {
  const gemmine::CounterRandom random(1, 1);
  std::vector<float> values(n * d);
  for (Index i = 0; i < n * d; ++i) values[i] = static_cast<float>(random.normal(i, 0));
  const std::vector<float> copied = values;
  const auto rows = source_of(values, d), copy = source_of(copied, d);
  std::vector<double> own, other, ratios;
  Answer of_itself, of_copy;
  for (int round = 0; round < rounds; ++round) {
    own.push_back(search(*rows, *rows, format, k, of_itself));
    other.push_back(search(*rows, *copy, format, k, of_copy));
    ratios.push_back(own.back() / other.back());
  }
  const bool same = of_itself.indices == of_copy.indices && of_itself.scores == of_copy.scores;
  std::printf("%-10s %8.3f %8.3f %8.3f   %s, %ld and %ld scanned again\n", format.name, median(own),
              median(other), median(ratios), same ? "same bits" : "DIFFERENT",
              static_cast<long>(of_itself.proof.fallback),
              static_cast<long>(of_copy.proof.fallback));
}

}  // namespace

int main(int argc, char** argv) {
  const Index n = argc > 1 ? std::atol(argv[1]) : 20000;
  const Index d = argc > 2 ? std::atol(argv[2]) : 384;
  const Index k = argc > 3 ? std::atol(argv[3]) : 10;
  std::printf("self-join %ld x %ld, k %ld, %ld threads, seconds of CPU time\n", n, d, k,
              gemmine::pool_threads());
  std::printf("%-10s %8s %8s %8s\n", "", "itself", "a copy", "ratio");
  compare(gemmine::cpu::finest_format(), n, d, k);
  if (&gemmine::cpu::first_format() != &gemmine::cpu::finest_format())
    compare(gemmine::cpu::first_format(), n, d, k);
  gemmine::stop_pool();
}
