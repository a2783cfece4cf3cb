# cortex_add_cell_library(NAME [STATIC | SHARED]
#     [MODELS file.cxr...]    models as text
#     [READY name...]         ready models: treelstm, ...
#     [HIDDEN n...]           hidden sizes; what the text says if left out
#     [INPUT n] [MAX_CHILDREN n]
#     [ISA isa...]            avx512 avx2 if left out, as far as cortex was built with them (CORTEX_ISAS)
#     [RUNTIME target])       cortex::kernels if left out; cortex::kernels_static
#   The element-wise steps of recursive cells, made for exactly these models. Its header NAME.h declares
#   `const cortex_cell_library* NAME(void);`, to be given to cortex_context_add_cells().
include_guard(GLOBAL)
include(${CMAKE_CURRENT_LIST_DIR}/CortexGenerated.cmake)

# Where the vector vocabulary is that generated cells are written in.
if(EXISTS ${CMAKE_CURRENT_LIST_DIR}/../microkernels/vector/cell_rows.h)
  set(CORTEX_CELL_INCLUDE ${CMAKE_CURRENT_LIST_DIR}/.. CACHE INTERNAL "")
endif()

function(cortex_add_cell_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "STATIC;SHARED" "INPUT;MAX_CHILDREN;RUNTIME" "MODELS;READY;HIDDEN;ISA")
  cortex_generated_library(cortex_add_cell_library ${name})
  if(NOT arg_ISA)
    message(FATAL_ERROR "cortex_add_cell_library(${name}): cells are generated for avx512 and avx2, and cortex was built "
                        "with neither: configure it with -DCORTEX_ISAS=avx2 or all")
  endif()
  if(NOT arg_MODELS AND NOT arg_READY)
    message(FATAL_ERROR "cortex_add_cell_library(${name}): name files with MODELS or ready models with READY")
  endif()
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${name})
  list(JOIN arg_ISA "," isa)
  set(command ${generator} recursive --isa ${isa} --out ${out} --name ${name})
  foreach(option READY HIDDEN)
    if(arg_${option})
      list(JOIN arg_${option} "," values)
      string(REPLACE "READY" "model" flag ${option})
      string(TOLOWER ${flag} flag)
      list(APPEND command --${flag} ${values})
    endif()
  endforeach()
  if(arg_INPUT)
    list(APPEND command --input ${arg_INPUT})
  endif()
  if(arg_MAX_CHILDREN)
    list(APPEND command --max-children ${arg_MAX_CHILDREN})
  endif()
  set(models)
  foreach(file IN LISTS arg_MODELS)
    cortex_generated_input(cortex_add_cell_library ${name} file)
    list(APPEND models ${file})
  endforeach()
  set(sources ${out}/${name}.cpp)
  foreach(one IN LISTS arg_ISA)
    list(APPEND sources ${out}/${name}_${one}.cpp)
  endforeach()
  add_custom_command(
    OUTPUT ${out}.stamp
    BYPRODUCTS ${sources} ${out}/${name}.h
    COMMAND ${command} ${models}
    COMMAND ${CMAKE_COMMAND} -E touch ${out}.stamp
    DEPENDS ${models} ${generator}
    COMMENT "Generating cells ${name}"
    VERBATIM)
  cortex_generated_target(${name} cxx_std_20)
  target_include_directories(${name} PRIVATE ${CORTEX_CELL_INCLUDE})
endfunction()
