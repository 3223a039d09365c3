#define GEMMINE_KERNELS avx512_kernels
#define GEMMINE_FEATURES "avx512f avx512bw avx512dq avx512vl fma"
#include "backend/cpu/kernels.inl"
