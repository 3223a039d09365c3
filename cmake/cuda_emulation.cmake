# The sources of the sidecar against a GPU that test/native/cuda_emulation emulates. Never shipped.
if(NOT ELF OR NOT X86_64)
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
  -Wno-unknown-pragmas -mf16c ${sanitizer})
target_link_libraries(gemmine_cuda_emulation PUBLIC openblas)
if(GEMMINE_SANITIZE STREQUAL "address")
  target_compile_definitions(gemmine_cuda_emulation PRIVATE EMULATION_ASAN)
elseif(GEMMINE_SANITIZE STREQUAL "thread")
  target_compile_definitions(gemmine_cuda_emulation PRIVATE EMULATION_TSAN)
  # They switch between the fibers, of which the sanitizer is told.
  set_source_files_properties(${CMAKE_CURRENT_SOURCE_DIR}/test/native/cuda_emulation/fibers.cc
    ${CMAKE_CURRENT_SOURCE_DIR}/test/native/cuda_emulation/operations.cc
    ${CMAKE_CURRENT_SOURCE_DIR}/test/native/cuda_emulation/memory.cc
    ${CMAKE_CURRENT_SOURCE_DIR}/test/native/cuda_emulation/runtime.cc
    PROPERTIES COMPILE_OPTIONS "-fno-sanitize=thread")
endif()
