#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backend/scans.h"
#include "binding/read.h"

// Protection of a prepared corpus against changes of its rows: copies or checksums.
namespace gemmine::binding {

// A source of the same rows in separate memory. The rows are copied when a corpus is prepared from
// it.
std::shared_ptr<Source> owned(const Source& borrowed);

// Checksums of rows in memory that the caller may write to.
class RowChecksums {
 public:
  RowChecksums(const Source& source, Scans& scans, const Job& job);

  // Reads all rows again; throws ErrorCode::changed for the first rows that differ.
  void check(const Source& source, Scans& scans, const Job& job) const;

 private:
  std::vector<std::uint64_t> sums_;
};

}  // namespace gemmine::binding
