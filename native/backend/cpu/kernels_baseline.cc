#define GEMMINE_KERNELS baseline_kernels
#define GEMMINE_FEATURES ""
#include "backend/cpu/kernels.inl"
