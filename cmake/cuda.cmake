# The sidecar gemmine_cuda.so, which the addon opens on first use of a GPU. Built where nvcc is present; cuBLAS
# is needed neither here nor by its linker. The environment variable GEMMINE_CUDA is the value of the option in a
# fresh build folder, for tools that configure without options, such as cmake-js by way of npx.
set(cuda_default AUTO)
if(DEFINED ENV{GEMMINE_CUDA})
  set(cuda_default $ENV{GEMMINE_CUDA})
endif()
set(GEMMINE_CUDA ${cuda_default} CACHE STRING "build gemmine_cuda.so: AUTO (where nvcc is), ON or OFF")
set(GEMMINE_CUDA_ARCHITECTURES "80;90;100;120" CACHE STRING "compute capabilities that the sidecar has code for")
# The addon lists as available only GPUs that there is code for.
string(REGEX REPLACE "[a-z]" "" capabilities "${GEMMINE_CUDA_ARCHITECTURES}")
list(JOIN capabilities "," capabilities)
set_source_files_properties(native/backend/cuda/library.cc PROPERTIES
  COMPILE_DEFINITIONS "GEMMINE_CUDA_CAPABILITIES=${capabilities}")
if(NOT GEMMINE_CUDA OR NOT ELF OR GEMMINE_SANITIZE)
  return()
endif()
find_program(GEMMINE_NVCC nvcc HINTS /usr/local/cuda/bin)
if(NOT GEMMINE_NVCC)
  if(NOT GEMMINE_CUDA STREQUAL AUTO)
    message(FATAL_ERROR "GEMMINE_CUDA is ${GEMMINE_CUDA}, but nvcc is neither on PATH nor in /usr/local/cuda/bin.")
  endif()
  message(STATUS "CUDA: nvcc was not found, so gemmine_cuda.so is not built")
  return()
endif()

set(cuda_flags -std=c++20 -O3 -I${CMAKE_CURRENT_SOURCE_DIR}/native -DGEMMINE_CUDA_DEVICE --fmad=false
  -Xcompiler -fPIC,-fvisibility=hidden,-ffp-contract=off,-Wall,-Wextra
  --threads 2)
if(GEMMINE_WERROR)
  list(APPEND cuda_flags -Werror all-warnings -Xptxas -warn-spills,-warn-lmem-usage)
endif()
foreach(architecture IN LISTS GEMMINE_CUDA_ARCHITECTURES)
  list(APPEND cuda_flags -gencode arch=compute_${architecture},code=sm_${architecture})
endforeach()
file(GLOB cuda_sources CONFIGURE_DEPENDS native/backend/cuda/device/*.cu native/backend/cuda/device/*.cc)
file(GLOB cuda_headers CONFIGURE_DEPENDS native/backend/cuda/device/*.h native/backend/cuda/device/*.cuh native/backend/cuda/*.h
  native/core/random.h)
set(cuda_objects)
foreach(source IN LISTS cuda_sources)
  get_filename_component(name ${source} NAME)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/cuda/${name}.o)
  add_custom_command(OUTPUT ${object}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/cuda
    COMMAND ${CMAKE_CXX_COMPILER_LAUNCHER} ${GEMMINE_NVCC} ${cuda_flags} -c ${source} -o ${object}
    DEPENDS ${source} ${cuda_headers} VERBATIM COMMENT "nvcc ${name}")
  list(APPEND cuda_objects ${object})
endforeach()
add_library(gemmine_cuda SHARED ${cuda_objects})
execute_process(COMMAND ${GEMMINE_NVCC} -dryrun -c x.cu OUTPUT_QUIET ERROR_VARIABLE dryrun)
string(REGEX MATCH "_HERE_=([^\n]+)" _ "${dryrun}")
find_library(GEMMINE_CUDART NAMES libcudart_static.a NO_DEFAULT_PATH
  HINTS ${CMAKE_MATCH_1}/.. PATH_SUFFIXES lib64 lib targets/x86_64-linux/lib targets/sbsa-linux/lib REQUIRED)
set_target_properties(gemmine_cuda PROPERTIES PREFIX "" LINKER_LANGUAGE CXX)
target_link_libraries(gemmine_cuda PRIVATE ${GEMMINE_CUDART} Threads::Threads ${CMAKE_DL_LIBS} rt)
target_link_options(gemmine_cuda PRIVATE -static-libstdc++ -shared-libgcc LINKER:--gc-sections
  LINKER:--exclude-libs,ALL LINKER:-Bsymbolic LINKER:--as-needed LINKER:-z,nodelete
  LINKER:--version-script=${CMAKE_CURRENT_SOURCE_DIR}/native/cuda.map)
if(CMAKE_JS_INC)
  add_dependencies(gemmine gemmine_cuda)
endif()

include(CheckSymbolExists)
check_symbol_exists(__GLIBC__ features.h GLIBC)
if(GEMMINE_OLD_GLIBC AND X86_64 AND GLIBC)
  set(compat ${CMAKE_CURRENT_SOURCE_DIR}/native/glibc_compat_cuda.c)
  target_sources(gemmine_cuda PRIVATE ${compat})
  file(READ ${compat} text)
  string(REGEX MATCHALL "(dl|pthread_|__pthread_|sem_|shm_)[a-z_]+" symbols "${text}")
  list(REMOVE_DUPLICATES symbols)
  foreach(symbol IN LISTS symbols ITEMS stat)
    target_link_options(gemmine_cuda PRIVATE LINKER:--wrap=${symbol})
  endforeach()
  # An old glibc has these functions in libraries of their own.
  target_link_options(gemmine_cuda PRIVATE LINKER:--no-as-needed -l:librt.so.1 -l:libpthread.so.0 -l:libdl.so.2)
endif()
