#pragma once

#include "backend/cuda/device/platform.h"
#include "backend/cuda/epilogue_table.h"

// Launches of the kernels of epilogues. Each returns before its work is done.
namespace gemmine::cuda::device {

EpilogueTable epilogue_table();

Code multiply_rows(Queue* queue, const MultiplyRows* request);
Code sum_exponentials(Queue* queue, const SumExponentials* request);
Code raise_highest(Queue* queue, const RaiseHighest* request);
Code list_documents(Queue* queue, const ListDocuments* request);
Code select_columns(Queue* queue, const SelectColumns* request);

}  // namespace gemmine::cuda::device
