#include <dlfcn.h>
#include <sys/stat.h>

#include <cstdlib>
#include <mutex>
#include <vector>

#include "backend/cuda/device/cublas.h"

// Where cuBLAS is looked for. It is never closed.
namespace gemmine::cuda::device {
namespace {

constexpr const char* versions[] = {"13", "12"};

bool is_folder(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

void add_folder(const std::string& folder, std::vector<std::string>& files) {
  for (const char* version : versions) files.push_back(folder + "/libcublas.so." + version);
}

// GEMMINE_CUBLAS holds files or folders, separated by colons: PyTorch's packages have
// site-packages/nvidia/cublas/lib (CUDA 12) or nvidia/cu13/lib.
std::vector<std::string> candidates() {
  std::vector<std::string> files;
  const char* chosen = std::getenv("GEMMINE_CUBLAS");
  std::string rest = chosen == nullptr ? "" : chosen;
  while (!rest.empty()) {
    const std::size_t end = rest.find(':');
    const std::string one = rest.substr(0, end);
    rest = end == std::string::npos ? "" : rest.substr(end + 1);
    if (one.empty()) continue;
    if (is_folder(one))
      add_folder(one, files);
    else
      files.push_back(one);
  }
  for (const char* version : versions) files.push_back(std::string("libcublas.so.") + version);
  for (const char* name : {"CUDA_HOME", "CUDA_PATH"})
    if (const char* prefix = std::getenv(name)) add_folder(std::string(prefix) + "/lib64", files);
  add_folder("/usr/local/cuda/lib64", files);
  return files;
}

// libcublas needs libcublasLt, which a folder outside the search path does not give it.
void open_beside(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  const std::size_t name = file.rfind("libcublas.so");
  if (slash == std::string::npos || name == std::string::npos) return;
  const std::string version = file.substr(name + std::string("libcublas.so").size());
  dlopen((file.substr(0, slash) + "/libcublasLt.so" + version).c_str(), RTLD_NOW | RTLD_LOCAL);
}

template <class F>
bool take(void* library, const char* name, F& function) {
  function = reinterpret_cast<F>(dlsym(library, name));
  return function != nullptr;
}

bool take_all(void* library, Cublas& blas) {
  return take(library, "cublasCreate_v2", blas.create) &&
         take(library, "cublasDestroy_v2", blas.destroy) &&
         take(library, "cublasSetStream_v2", blas.set_stream) &&
         take(library, "cublasSetMathMode", blas.set_math_mode) &&
         take(library, "cublasSgemm_v2", blas.sgemm) &&
         take(library, "cublasDgemm_v2", blas.dgemm) && take(library, "cublasGemmEx", blas.gemm_ex);
}

}  // namespace

const Cublas* find_cublas(std::string& text) {
  static std::mutex mutex;
  static Cublas found;
  static std::string file;
  const std::lock_guard lock(mutex);
  if (!file.empty()) return text = file, &found;
  text.clear();
  for (const std::string& candidate : candidates()) {
    open_beside(candidate);
    void* library = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr && take_all(library, found)) return text = file = candidate, &found;
    const char* reason = library != nullptr ? "a function is missing" : dlerror();
    const std::string said = reason == nullptr ? "?" : reason;
    text +=
        (text.empty() ? "" : "; ") + (said.starts_with(candidate) ? said : candidate + ": " + said);
  }
  return nullptr;
}

}  // namespace gemmine::cuda::device
