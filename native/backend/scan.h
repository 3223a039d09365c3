#pragma once

#include <memory>

#include "core/job.h"
#include "core/row_source.h"

namespace gemmine {

enum class Metric { cosine, dot, l2 };

// A corpus and what scans derive from it (norms, packed panels; later quantised panels). With
// `keep_panels` everything is prepared once and kept, for a service that asks often; without, panels
// are prepared as a call goes and only the norms are kept.
class CorpusHandle {
 public:
  virtual ~CorpusHandle() = default;
  virtual const RowSource& rows() const = 0;
  virtual Metric metric() const = 0;
  virtual Index bytes() const = 0;  // memory held besides the caller's
};

}  // namespace gemmine
