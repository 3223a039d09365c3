# The sources of the sidecar against a GPU that test/native/cuda_emulation emulates. Never shipped.
# Under sanitizers scripts/cuda-kernels.mjs builds what it needs: here they would not know the fibers of the rest.
if(NOT ELF OR NOT X86_64 OR GEMMINE_SANITIZE)
  return()
endif()
file(GLOB emulated_sources CONFIGURE_DEPENDS native/backend/cuda/device/*.cu native/backend/cuda/device/*.cc)
list(FILTER emulated_sources EXCLUDE REGEX "cublas_library\\.cc$")
file(GLOB emulation_sources CONFIGURE_DEPENDS test/native/cuda_emulation/*.cc)
foreach(source IN LISTS emulated_sources)
  if(source MATCHES "\\.cu$")
    set_source_files_properties(${source} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-x;c++")
  endif()
endforeach()
add_library(gemmine_cuda_emulation STATIC ${emulated_sources} ${emulation_sources})
target_include_directories(gemmine_cuda_emulation PUBLIC native test/native/cuda_emulation)
target_compile_definitions(gemmine_cuda_emulation INTERFACE GEMMINE_CUDA_EMULATION)
target_compile_options(gemmine_cuda_emulation PRIVATE -Wall -Wextra ${GEMMINE_WERROR} -ffp-contract=off
  -Wno-unknown-pragmas -mf16c)
target_link_libraries(gemmine_cuda_emulation PUBLIC openblas)
# The same as a sidecar, for the tests of lib/, which open it by GEMMINE_CUDA_BACKEND.
add_library(gemmine_cuda_emulated MODULE $<TARGET_OBJECTS:gemmine_cuda_emulation>)
set_target_properties(gemmine_cuda_emulated PROPERTIES PREFIX "" SUFFIX ".so"
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/emulation)
target_link_libraries(gemmine_cuda_emulated PRIVATE gemmine_core)
target_link_options(gemmine_cuda_emulated PRIVATE LINKER:--exclude-libs,ALL LINKER:-Bsymbolic
  LINKER:--version-script=${CMAKE_CURRENT_SOURCE_DIR}/native/cuda.map)
