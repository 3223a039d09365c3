#include "backend/scans.h"

#include "backend/parts.h"
#include "backend/reverse.h"

namespace gemmine {

std::unique_ptr<CorpusHandle> Scans::change_corpus(const RowSource& rows,
                                                   const CorpusChange& change, const Job& job) {
  return prepare_corpus(rows, change.before.metric(), true, job);
}

BothWays Scans::column_top(const ScanRequest& request, const ScanRequest& reverse, const Job& job) {
  const auto answers = [&](const ScanRequest& all, const Job& by) {
    return scan_in_parts(all, by, [&](const ScanRequest& part) { return scan(part, by); });
  };
  return {.queries = answers(request, job), .rows = answers(reverse, in_reverse(job))};
}

}  // namespace gemmine
