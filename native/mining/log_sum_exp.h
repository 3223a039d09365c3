#pragma once

#include "backend/scans.h"

namespace gemmine {

// log Σ exp(score / temperature) over the bank's rows, for each query: values [queries], and how
// far they can be from those of canonical scores: errors [queries].
void log_sum_exp(Scans& scans, const RowSource& queries, const CorpusHandle& bank,
                 double temperature, double* values, double* errors, const Job& job);

}  // namespace gemmine
