#include "mining/log_sum_exp.h"

#include <algorithm>

#include "mining/batches.h"

namespace gemmine {

ZeroVectors log_sum_exp(Scans& scans, const RowSource& queries, const CorpusHandle& bank,
                        double temperature, double* values, double* errors, const Job& job) {
  const auto handle = scans.prepare_queries(queries, bank, job);
  const Index at_once = std::max<Index>(job.buffer_bytes / (4 * queries.cols() + 1024), 1);
  for (Index begin = 0; begin < queries.rows(); begin += at_once) {
    const LogSumExpRequest request{.queries = *handle,
                                   .begin = begin,
                                   .count = std::min(at_once, queries.rows() - begin),
                                   .temperature = temperature,
                                   .more = begin + at_once < queries.rows()};
    for (const BoundedValue& each : scans.log_sum_exp(request, job)) {
      *values++ = each.value;
      *errors++ = each.error;
    }
  }
  return {.queries = handle->zero_rows(), .rows = bank.zero_rows()};
}

}  // namespace gemmine
