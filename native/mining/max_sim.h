#pragma once

#include "mining/mine.h"

namespace gemmine {

struct MaxSimOptions {
  Index k;
  Segments queries;    // of the rows of the queries
  Segments documents;  // of the rows of the corpus
};

// As top_k, for segments of both: indices [queries.count × k] are documents. Zero rows of the proof
// are those of the tokens.
Proof max_sim(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
              const MaxSimOptions& options, std::int32_t* indices, float* scores, const Job& job);

}  // namespace gemmine
