#include "backend/cuda/document_scan.h"

#include <algorithm>

#include "backend/cuda/document_batch.h"
#include "backend/cuda/document_scorer.h"
#include "backend/proof/ranking.h"

namespace gemmine::cuda {
namespace {

constexpr Index spare_capacity = 256;
constexpr int widening = 8;  // times the capacity in the next round
constexpr int rounds = 2;
constexpr Index ranked_at_once = 1 << 14;  // documents

class DocumentScan {
 public:
  DocumentScan(const SegmentMaxRequest& request, const Job& job)
      : request_(request),
        corpus_(dynamic_cast<const CudaQueries&>(request.queries).corpus()),
        job_(job),
        starts_(corpus_.device(), request.corpus_segments.count + 1),
        answers_(static_cast<std::size_t>(request.count)) {
    starts_.upload(request.corpus_segments.starts, request.corpus_segments.count + 1);
  }

  std::vector<BestSegments> run() {
    std::vector<Index> asked, undecided;
    const Index lanes_at_most = most_lanes_of(corpus_);
    for (Index i = request_.begin; i < request_.begin + request_.count; ++i) {
      const Index lanes = request_.query_segments.size(i);
      (lanes > 0 && lanes <= lanes_at_most ? asked : undecided).push_back(i);
    }
    for (int round = 0; round < rounds && !asked.empty(); ++round) {
      std::vector<Index> full;
      scan(asked, round, full, undecided);
      asked = std::move(full);
    }
    undecided.insert(undecided.end(), asked.begin(), asked.end());
    for (std::size_t i = 0; i < undecided.size(); ++i) {
      job_.progress("settle", static_cast<Index>(i), std::ssize(undecided));
      rank_all_documents(undecided[i]);
    }
    return std::move(answers_);
  }

 private:
  Index capacity(int round) const {
    const Index all = request_.corpus_segments.count;
    if (request_.depth >= all) return all;
    const Index most = 4 * request_.depth + spare_capacity;
    return std::min(round == 0 ? most : most * widening, all);
  }

  void scan(const std::vector<Index>& asked, int round, std::vector<Index>& full,
            std::vector<Index>& undecided) {
    const Index lanes_at_most = most_lanes_of(corpus_);
    const Index lists_at_most = std::max<Index>(std::min(corpus_.sizes().lists, job_.buffer_bytes) /
                                                    (capacity(round) * Index{sizeof(Found)}),
                                                1);
    for (std::size_t begin = 0, end = 0; begin < asked.size(); begin = end) {
      Index lanes = 0;
      for (; end < asked.size(); ++end) {
        lanes += request_.query_segments.size(asked[end]);
        const auto lists = static_cast<Index>(end - begin) + 1;
        if (end > begin && (lanes > lanes_at_most || lists > lists_at_most)) break;
      }
      DocumentBatch batch(request_, starts_, std::span(asked).subspan(begin, end - begin),
                          capacity(round), round > 0, job_);
      batch.run(round == 0 ? "scan" : "rescan");
      batch.rank(answers_, full, undecided);
    }
  }

  void rank_all_documents(Index segment) {
    const Segments& documents = request_.corpus_segments;
    BestRows best(request_.depth);
    std::vector<std::int32_t> listed;
    for (Index first = 0; first < documents.count; first += ranked_at_once) {
      job_.cancellation.check();
      listed.clear();
      for (Index at = first; at < std::min(first + ranked_at_once, documents.count); ++at)
        if (documents.size(at) > 0) listed.push_back(static_cast<std::int32_t>(at));
      const std::vector<double> scores = score_documents(request_, segment, listed, job_);
      for (std::size_t i = 0; i < listed.size(); ++i) best.push({scores[i], listed[i]});
    }
    answers_[segment - request_.begin] = {best.take(), true};
  }

  const SegmentMaxRequest& request_;
  const CudaCorpus& corpus_;
  const Job& job_;
  Array<std::int32_t> starts_;  // of the documents
  std::vector<BestSegments> answers_;
};

}  // namespace

std::vector<BestSegments> segment_max(const SegmentMaxRequest& request, const Job& job) {
  return DocumentScan(request, job).run();
}

}  // namespace gemmine::cuda
