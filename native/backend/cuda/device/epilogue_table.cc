#include "backend/cuda/device/epilogue_kernels.h"

namespace gemmine::cuda::device {

EpilogueTable epilogue_table() {
  return {.multiply_rows = multiply_rows,
          .sum_exponentials = sum_exponentials,
          .raise_highest = raise_highest,
          .list_documents = list_documents,
          .select_columns = select_columns};
}

}  // namespace gemmine::cuda::device
