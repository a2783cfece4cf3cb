# cortex_add_module(NAME [RUNTIME] SOURCES ... [DEPS ...])
#   A folder's code as a static library NAME. RUNTIME: its objects also go into libcortex_kernels, so
#   it may depend on nothing that the library must not link (isl, PPL, GMP, protobuf).
# cortex_add_test(NAME SOURCES ... [DEPS ...] [TIMEOUT seconds])
#   A GoogleTest binary, one CTest test per binary.

# g++ 12 reports overlaps (-Wrestrict) inside its own std::string operator+ that cannot happen.
set(CORTEX_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wno-restrict)

if(CORTEX_SANITIZE)
  add_compile_options(-fsanitize=${CORTEX_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${CORTEX_SANITIZE})
endif()

function(cortex_add_module name)
  cmake_parse_arguments(arg "RUNTIME" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name}_objects OBJECT ${arg_SOURCES})
  target_include_directories(${name}_objects PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
  target_compile_options(${name}_objects PRIVATE ${CORTEX_WARNINGS})
  target_link_libraries(${name}_objects PUBLIC ${arg_DEPS})
  add_library(${name} STATIC $<TARGET_OBJECTS:${name}_objects>)
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX)
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(${name} PUBLIC ${arg_DEPS})
  if(arg_RUNTIME)
    set_property(GLOBAL APPEND PROPERTY CORTEX_RUNTIME_OBJECTS ${name}_objects)
  endif()
endfunction()

function(cortex_add_test name)
  if(NOT CORTEX_BUILD_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;DEPS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  if(CORTEX_SANITIZE)  # instrumented code takes up to ten times as long
    math(EXPR arg_TIMEOUT "10 * ${arg_TIMEOUT}")
  endif()
  add_executable(${name} ${arg_SOURCES})
  # What tests measure is in libraries: their own code had better compile fast. (A list of sanitizers has a comma, which
  # would end the argument of a generator expression.)
  if(CORTEX_SANITIZE)
    set(optimisation -O1)
  else()
    set(optimisation $<$<CONFIG:Release>:-O1>)
  endif()
  target_compile_options(${name} PRIVATE ${CORTEX_WARNINGS} ${optimisation})
  target_link_libraries(${name} PRIVATE ${arg_DEPS} GTest::gtest GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT})
endfunction()
