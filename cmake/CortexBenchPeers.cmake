# cortex_bench_add_peers(TARGET): adds the backends whose libraries are found; says which are not.

function(cortex_bench_peer target name)  # sources follow
  string(TOUPPER ${name} upper)
  target_sources(${target} PRIVATE ${ARGN})
  target_compile_definitions(${target} PRIVATE CORTEX_BENCH_HAS_${upper}=1)
endfunction()

function(cortex_bench_missing name what)
  message(STATUS "cortex-bench: no ${name} (${what}); its column will be missing")
endfunction()

function(cortex_bench_add_peers target)
  if(TARGET cortex_runtime)
    cortex_bench_peer(${target} cortex backends/cortex.cpp backends/cortex_library.cpp backends/cortex_recursive.cpp
                      commands/ablate.cpp commands/fuzz.cpp commands/rank.cpp
                      rank/fit.cpp rank/learn.cpp rank/measure.cpp rank/stage.cpp rank/tune.cpp rank/variants.cpp fuzz/layouts.cpp fuzz/random_case.cpp fuzz/run_case.cpp fuzz/shards.cpp)
    target_link_libraries(${target} PRIVATE cortex_runtime ${CMAKE_DL_LIBS})
  else()
    cortex_bench_missing(cortex "the runtime is not part of this build")
  endif()
  if(CORTEX_SANITIZE)
    message(STATUS "cortex-bench: no peers in a sanitizer build: their code is not instrumented")
    return()
  endif()

  # oneDNN: the one at -DDNNL_ROOT and no other, else the system's.
  if(NOT "${DNNL_ROOT}" STREQUAL "${CORTEX_DNNL_ROOT_BEFORE}")
    unset(dnnl_DIR CACHE)  # found in an earlier configure, for another root
  endif()
  set(CORTEX_DNNL_ROOT_BEFORE "${DNNL_ROOT}" CACHE INTERNAL "DNNL_ROOT of the last configure")
  if(DNNL_ROOT)
    find_package(dnnl CONFIG QUIET NO_DEFAULT_PATH PATHS ${DNNL_ROOT})
    if(NOT dnnl_FOUND)
      message(FATAL_ERROR "DNNL_ROOT: no dnnl-config.cmake under ${DNNL_ROOT}; name the folder oneDNN is installed in")
    endif()
  else()
    # Debian's package is built for OpenCL too: its config ends the configure where the headers are missing.
    find_package(OpenCL QUIET)
    if(OpenCL_FOUND)
      find_package(dnnl CONFIG QUIET)
    endif()
  endif()
  if(dnnl_FOUND)
    cortex_bench_peer(${target} onednn backends/onednn.cpp backends/onednn_conv.cpp backends/onednn_matmul.cpp
                      backends/onednn_primitive.cpp backends/onednn_rnn.cpp)
    target_link_libraries(${target} PRIVATE DNNL::dnnl OpenMP::OpenMP_CXX)
    message(STATUS "cortex-bench: oneDNN ${dnnl_VERSION} from ${dnnl_DIR}")
  else()
    cortex_bench_missing(oneDNN "libdnnl-dev with ocl-icd-opencl-dev, or -DDNNL_ROOT")
  endif()

  find_library(CORTEX_OPENBLAS_LIBRARY openblas)
  find_path(CORTEX_OPENBLAS_INCLUDE openblas_config.h PATH_SUFFIXES openblas openblas-pthread
            x86_64-linux-gnu/openblas-pthread)
  if(CORTEX_OPENBLAS_LIBRARY AND CORTEX_OPENBLAS_INCLUDE)
    cortex_bench_peer(${target} openblas backends/openblas.cpp backends/epilogue.cpp)
    set_source_files_properties(backends/openblas.cpp PROPERTIES INCLUDE_DIRECTORIES ${CORTEX_OPENBLAS_INCLUDE})
    target_link_libraries(${target} PRIVATE ${CORTEX_OPENBLAS_LIBRARY})
  else()
    cortex_bench_missing(OpenBLAS libopenblas-dev)
  endif()

  # Debian's libtorch-dev: a hundred libraries behind it, hence a module loaded on demand. Its CMake package asks for
  # more than its headers need; those and three libraries are enough.
  option(CORTEX_BENCH_TORCH "cortex-bench: the torch backends, where libtorch is found" ON)
  find_path(CORTEX_TORCH_INCLUDE ATen/ATen.h)
  find_path(CORTEX_TORCH_API_INCLUDE torch/version.h PATH_SUFFIXES torch/csrc/api/include)
  foreach(library torch torch_cpu c10)
    find_library(CORTEX_${library}_LIBRARY ${library})
  endforeach()
  if(CORTEX_BENCH_TORCH AND CORTEX_TORCH_INCLUDE AND CORTEX_TORCH_API_INCLUDE AND CORTEX_torch_LIBRARY
     AND CORTEX_torch_cpu_LIBRARY AND CORTEX_c10_LIBRARY)
    cortex_bench_peer(${target} torch backends/torch_module.cpp)
    target_link_libraries(${target} PRIVATE ${CMAKE_DL_LIBS})
    add_library(cortex_bench_torch MODULE backends/torch/backend.cpp backends/torch/levels.cpp backends/torch/model.cpp
                backends/torch/nodes.cpp backends/torch/product.cpp)
    target_include_directories(cortex_bench_torch SYSTEM PRIVATE ${CORTEX_TORCH_INCLUDE} ${CORTEX_TORCH_API_INCLUDE})
    target_link_libraries(cortex_bench_torch PRIVATE cortex_bench_core ${CORTEX_torch_cpu_LIBRARY}
                          ${CORTEX_torch_LIBRARY} ${CORTEX_c10_LIBRARY})
    target_compile_options(cortex_bench_torch PRIVATE -Wall -Wextra)
    add_dependencies(${target} cortex_bench_torch)
    install(TARGETS cortex_bench_torch LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/cortex COMPONENT tools)
  else()
    cortex_bench_missing(torch "libtorch-dev, which no other part needs")
  endif()

  find_library(CORTEX_XSMM_LIBRARY xsmm)
  find_library(CORTEX_XSMM_NOBLAS_LIBRARY xsmmnoblas)
  find_path(CORTEX_XSMM_INCLUDE libxsmm.h)
  if(CORTEX_XSMM_LIBRARY AND CORTEX_XSMM_INCLUDE)
    cortex_bench_peer(${target} xsmm backends/xsmm.cpp backends/xsmm_conv.cpp backends/xsmm_matmul.cpp
                      backends/xsmm_sparse.cpp backends/xsmm_sparse_kernels.cpp
                      backends/epilogue.cpp)
    # It wants some BLAS to be there: OpenBLAS when we have it, else its own stand-in.
    target_link_libraries(${target} PRIVATE ${CORTEX_XSMM_LIBRARY} OpenMP::OpenMP_CXX)
    if(NOT CORTEX_OPENBLAS_LIBRARY)
      target_link_libraries(${target} PRIVATE ${CORTEX_XSMM_NOBLAS_LIBRARY})
    endif()
    target_link_libraries(${target} PRIVATE Threads::Threads rt ${CMAKE_DL_LIBS} m)
  else()
    cortex_bench_missing(LIBXSMM libxsmm-dev)
  endif()
endfunction()
