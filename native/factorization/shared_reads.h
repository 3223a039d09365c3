#pragma once

#include "backend/passes.h"

namespace gemmine {

// Carries out the passes of one of several factorizations that read X together.
class SharedReads {
 public:
  virtual ~SharedReads() = default;
  // As Passes::pass(), with the same bits.
  virtual void pass(const Pass& pass, const Job& job) = 0;
};

}  // namespace gemmine
