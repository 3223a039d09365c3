#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "backend/scans.h"

namespace gemmine::cuda {

// Filters of the questions of a batch, each once.
class BatchFilters {
 public:
  BatchFilters(const ScanRequest& request, Index rows);

  // The place of the question's filter in words(), or -1 for all rows.
  std::int64_t place_of(const ScanQuery& query);
  const std::vector<std::uint32_t>& words() const { return words_; }
  // The first stretch at or after row `first` with a row for any question; `rows` if there is none.
  Index next(Index first) const;

 private:
  const ScanRequest& request_;
  const Index rows_;
  std::map<std::pair<const std::uint32_t*, const RowBits*>, std::int64_t> places_;
  std::vector<std::uint32_t> words_;
  std::vector<std::uint32_t> any_;  // of all questions
};

}  // namespace gemmine::cuda
