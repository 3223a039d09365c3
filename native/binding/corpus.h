#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "backend/scans.h"
#include "binding/borrowed.h"
#include "binding/corpus_rows.h"
#include "binding/read.h"

namespace gemmine::binding {

// A corpus with what scans derive from it. Shared by the JavaScript handle and the jobs that use
// it, so that the memory goes when the last of them does.
struct PreparedCorpus {
  std::shared_ptr<const Source> source;
  std::unique_ptr<const CorpusHandle> handle;  // refers to source
  std::string device;
  std::optional<RowChecksums> checksums;

  Index bytes() const;  // held besides the caller's memory

  // On the job's thread, after the last look at the rows: throws ErrorCode::changed where they are
  // to be verified, and are not what they were.
  void verify(const Job& job) const;
};

// What a scan is asked about: a corpus prepared before, or a matrix to be prepared as the job goes.
class CorpusArgument {
 public:
  // Throws Napi::Error with code ERR_GEMMINE_DISPOSED for a handle that was disposed of.
  CorpusArgument(const Napi::Value& value, const Napi::Object& options, Borrowed& borrowed);

  Index rows() const { return source_->rows->rows(); }
  Index cols() const { return source_->rows->cols(); }
  Metric metric() const { return metric_; }

  // On the job's thread: has `look` scan the corpus, then verifies it where that was asked for.
  // Gives the seconds that this took.
  double scan(const Job& job,
              const std::function<void(Scans& scans, const CorpusHandle& corpus)>& look) const;
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
