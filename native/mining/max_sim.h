#pragma once

#include "mining/mine.h"

namespace gemmine {

struct MaxSimOptions {
  Index k;
  Segments queries;       // segments of the query rows
  Segments documents;     // segments of the corpus rows
  RowChoice choice = {};  // of documents
};

// As top_k, for segments of queries and corpus: indices [queries.count × k] are documents. The
// proof counts the zero rows of the tokens.
Proof max_sim(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
              const MaxSimOptions& options, std::int32_t* indices, float* scores, const Job& job);

}  // namespace gemmine
