#pragma once

#include "binding/read.h"
#include "factorization/fit.h"

namespace gemmine::binding {

// Reads NativeFitOptions of lib/ for an X [rows×cols]. `adjacency`, which the options only point
// to, may be null.
FitOptions read_fit_options(const Napi::Object& from, Index rows, Index rank, Index cols,
                            const std::shared_ptr<const Source>& adjacency, Borrowed& borrowed);

// Whether `rowSums` says that the rows of W may sum to less than 1.
bool read_at_most_one(const Napi::Object& from);

// Reads an upper bound, as a float32; `unbounded` for undefined.
double read_bound(const Napi::Object& from, const char* name);

}  // namespace gemmine::binding
