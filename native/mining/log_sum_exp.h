#pragma once

#include "mining/mine.h"

namespace gemmine {

// log Σ exp(score / temperature) over the bank's rows that a query may get, for each query: values
// [queries]. errors [queries] bounds their distance from the values for canonical scores.
ZeroVectors log_sum_exp(Scans& scans, const RowSource& queries, const CorpusHandle& bank,
                        const RowChoice& choice, double temperature, double* values, double* errors,
                        const Job& job);

}  // namespace gemmine
