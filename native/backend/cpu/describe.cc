#include "backend/cpu/describe.h"

#ifdef __APPLE__
#include <sys/sysctl.h>
#endif

#include <fstream>
#include <sstream>

#include "backend/cpu/kernels.h"
#include "backend/cpu/ordered_blocks.h"
#include "backend/cpu/row_blocks.h"
#include "backend/cpu/scan_format.h"
#include "core/linear_algebra.h"
#include "core/pool.h"

namespace gemmine::cpu {
namespace {

std::string cpu_model() {
#ifdef __APPLE__
  char text[128] = "";
  std::size_t size = sizeof text;
  sysctlbyname("machdep.cpu.brand_string", text, &size, nullptr, 0);
  return text;
#else
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "";
#endif
}

}  // namespace

HostDescription describe() {
  // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ..."
  std::istringstream configuration(products_configuration());
  const ScanFormat& format = first_format();
  HostDescription out{.cpu_model = cpu_model(),
                      .cpu_features = std::string(kernels().features) + " " + format.features,
                      .cpu_scan = format.name,
                      .blas_name = "",
                      .blas_version = "",
                      .blas_core = products_core(),
                      .threads = pool_threads(),
                      .threads_reason = pool_threads_reason()};
  configuration >> out.blas_name >> out.blas_version;
  return out;
}

PassSizes pass_sizes() {
  return {.sums_at_once = sums_at_once(pool_threads()),
          .nonzeros_by_column = nonzeros_by_column,
          .panel_columns = widest_panel};
}

}  // namespace gemmine::cpu
