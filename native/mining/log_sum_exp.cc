#include "mining/log_sum_exp.h"

#include <algorithm>

#include "mining/batches.h"

namespace gemmine {

ZeroVectors log_sum_exp(Scans& scans, const RowSource& queries, const CorpusHandle& bank,
                        const RowChoice& choice, double temperature, double* values, double* errors,
                        const Job& job) {
  const auto handle = scans.prepare_queries(queries, bank, job);
  const Index rows = bank.rows().rows();
  RowFilters filters(choice, rows);
  std::vector<std::uint32_t> common;
  RowFilter filter = bank.live();
  if (choice.is_set() && choice.is_common() && queries.rows() > 0) {
    common = rows_of_both(filter, filters.of(0), rows);
    filter = {.words = common.data()};
  }
  const Index bytes = 4 * queries.cols() + 1024 + filters.bytes();
  const Index at_once = std::max<Index>(job.buffer_bytes / bytes, 1);
  for (Index begin = 0; begin < queries.rows(); begin += at_once) {
    const Index count = std::min(at_once, queries.rows() - begin);
    std::vector<RowFilter> of_query;
    for (Index i = 0; i < count && !choice.is_common(); ++i)
      of_query.push_back(filters.of(begin + i));
    const LogSumExpRequest request{.queries = *handle,
                                   .begin = begin,
                                   .count = count,
                                   .temperature = temperature,
                                   .more = begin + count < queries.rows(),
                                   .filter = filter,
                                   .of_query = of_query};
    for (const BoundedValue& each : scans.log_sum_exp(request, job)) {
      *values++ = each.value;
      *errors++ = each.error;
    }
    if (!choice.is_common()) filters.clear();
  }
  return {.queries = handle->zero_rows(), .rows = bank.zero_rows()};
}

}  // namespace gemmine
