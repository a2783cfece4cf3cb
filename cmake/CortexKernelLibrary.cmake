# cortex_add_kernel_library(NAME [STATIC | SHARED]
#     [PROBLEMS file...]      lists, one problem a line as benchdnn writes it
#     [INLINE "problem"...]   problems in place
#     [OP conv | matmul]      how to read them; told apart by syntax if left out
#     [ISA isa...]            avx512 avx2 if left out, as far as cortex was built with them (CORTEX_ISAS)
#     [THREADS n...]          1 if left out
#     [MACHINE file]          machine description; the building machine if left out
#     [PLAIN]                 matmul: also kernels that take B as it is
#     [RUNTIME target])       cortex::kernels if left out; cortex::kernels_static
#   A library of kernels made for exactly these problems. Its header NAME.h declares
#   `const cortex_kernel_library* NAME(void);`, to be given to cortex_context_add_library().
#
# cortex-gen runs when a list, the machine or cortex-gen itself changes; only sources whose text changed are
# compiled again. The number of sources follows from the number of problems at configure time, and the lists
# are configure dependencies.
include_guard(GLOBAL)
include(${CMAKE_CURRENT_LIST_DIR}/CortexGenerated.cmake)

function(cortex_add_kernel_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "STATIC;SHARED;PLAIN" "OP;MACHINE;RUNTIME" "PROBLEMS;INLINE;ISA;THREADS")
  cortex_generated_library(cortex_add_kernel_library ${name})
  if(NOT arg_ISA)
    set(arg_ISA baseline)
  endif()
  if(NOT arg_PROBLEMS AND NOT arg_INLINE)
    message(FATAL_ERROR "cortex_add_kernel_library(${name}): name files with PROBLEMS or problems with INLINE")
  endif()
  if(NOT DEFINED arg_THREADS)  # "0" is a value, and refused by cortex-gen
    set(arg_THREADS 1)
  endif()

  set(lists)
  foreach(file IN LISTS arg_PROBLEMS)
    cortex_generated_input(cortex_add_kernel_library ${name} file)
    list(APPEND lists ${file})
  endforeach()
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${name})
  if(arg_INLINE)
    # One problem's options must not reach the next.
    list(JOIN arg_INLINE "\n--reset\n" text)
    file(CONFIGURE OUTPUT ${out}.inline.txt CONTENT "${text}\n" @ONLY)
    list(APPEND lists ${out}.inline.txt)
  endif()

  # About 25 kernels a source: few enough to compile side by side, enough to share the compiler's start.
  set(problems 0)
  foreach(file IN LISTS lists)
    file(READ ${file} text)
    string(REGEX MATCHALL "\n[ \t]*[^# \t\r\n]" lines "\n${text}")
    list(LENGTH lines count)
    math(EXPR problems "${problems} + ${count}")
  endforeach()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${lists})
  list(LENGTH arg_ISA isas)
  list(LENGTH arg_THREADS threads)
  math(EXPR parts "(${problems} * ${isas} * ${threads} + 24) / 25")
  if(parts LESS 1)
    set(parts 1)
  endif()

  list(JOIN arg_ISA "," isa)
  list(JOIN arg_THREADS "," thread_counts)
  set(command ${generator} generate --isa ${isa} --threads ${thread_counts} --out ${out} --name ${name}
              --parts ${parts})
  foreach(file IN LISTS lists)
    list(APPEND command --batch ${file})
  endforeach()
  if(arg_OP)
    list(APPEND command --op ${arg_OP})
  endif()
  if(arg_PLAIN)
    list(APPEND command --plain)
  endif()
  set(depends ${lists} ${generator})
  if(arg_MACHINE)
    cortex_generated_input(cortex_add_kernel_library ${name} arg_MACHINE)
    list(APPEND command --machine ${arg_MACHINE})
    list(APPEND depends ${arg_MACHINE})
  endif()

  set(sources ${out}/${name}.cpp)
  math(EXPR last "${parts} - 1")
  foreach(part RANGE ${last})
    list(APPEND sources ${out}/${name}_part${part}.cpp)
  endforeach()
  # The stamp is what the rule makes: sources that did not change keep their time stamps, and stay compiled.
  add_custom_command(
    OUTPUT ${out}.stamp
    BYPRODUCTS ${sources} ${out}/${name}.h ${out}/${name}.json
    COMMAND ${command}
    COMMAND ${CMAKE_COMMAND} -E touch ${out}.stamp
    DEPENDS ${depends}
    COMMENT "Generating kernel library ${name}"
    VERBATIM)
  cortex_generated_target(${name} cxx_std_11)
endfunction()
