#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backend/scans.h"
#include "binding/read.h"

// What keeps the rows of a prepared corpus as they were when it was prepared.
namespace gemmine::binding {

// The same rows in memory of their own, which are copied when a corpus is prepared of them.
std::shared_ptr<Source> owned(const Source& borrowed);

// Checksums of rows that somebody else may write to.
class RowChecksums {
 public:
  RowChecksums(const Source& source, Scans& scans, const Job& job);

  // Reads all rows again; throws ErrorCode::changed for the first that are not as they were.
  void check(const Source& source, Scans& scans, const Job& job) const;

 private:
  std::vector<std::uint64_t> sums_;
};

}  // namespace gemmine::binding
