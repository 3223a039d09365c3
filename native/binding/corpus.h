#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <string>

#include "backend/scans.h"
#include "binding/borrowed.h"
#include "binding/corpus_rows.h"
#include "binding/read.h"

namespace gemmine::binding {

// A corpus with the data that scans derive from it. Shared by the JavaScript handle and the jobs
// that use it; the last of them frees it.
struct PreparedCorpus {
  std::shared_ptr<const Source> source;
  std::unique_ptr<const CorpusHandle> handle;  // refers to source
  std::string device;
  std::shared_ptr<const RowChecksums> checksums;  // of the rows before any change

  Index bytes() const;  // without the caller's memory

  // Called on the job's thread, after the last read of the rows. Throws ErrorCode::changed if rows
  // that are to be verified have changed.
  void verify(const Job& job) const;
};

// The corpus argument of a scan: a prepared corpus, or a matrix that the job prepares.
class CorpusArgument {
 public:
  // Throws Napi::Error with code ERR_GEMMINE_DISPOSED for a disposed handle.
  CorpusArgument(const Napi::Value& value, const Napi::Object& options, Borrowed& borrowed);

  Index rows() const { return source_->rows->rows(); }
  Index cols() const { return source_->rows->cols(); }
  Metric metric() const { return metric_; }
  // The rows that were not removed, if some were.
  RowFilter live() const;
  // Zero rows among them; of a matrix as many as were counted.
  Index zero_rows(Index counted) const;
  // Whether a scan needs no file, no device and no look at memory of the caller.
  bool is_ready_in_memory() const;

  // Called on the job's thread. Calls `look` with the corpus, then verifies the corpus if the
  // option is set. Returns the seconds taken.
  double scan(const Job& job,
              const std::function<void(Scans& scans, const CorpusHandle& corpus)>& look) const;
  // Throws InvalidElement if lists have removed rows. `name` is that of the lists.
  void check_live(const std::string& name, const RowLists& lists, Index queries) const;
  // The same for a look at its rows alone, for which nothing is prepared.
  double look_at_rows(const Job& job,
                      const std::function<void(Scans& scans, const RowSource& rows)>& look) const;

 private:
  std::shared_ptr<const PreparedCorpus> prepared(const Job& job) const;

  std::string device_;
  Metric metric_;
  std::shared_ptr<const PreparedCorpus> prepared_;  // null for a matrix
  std::shared_ptr<const Source> source_;
};

}  // namespace gemmine::binding
