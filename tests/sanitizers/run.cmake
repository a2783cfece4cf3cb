# Whether every list of sanitizers that the presets give can be configured, and reaches the compiler:
# cmake -DCORTEX_MODULES=<folder> -DWORK=<folder> -DCXX=<compiler> -DGENERATOR=<generator> -P run.cmake
cmake_minimum_required(VERSION 3.25)
foreach(sanitizers "" "thread" "address,undefined")
  file(REMOVE_RECURSE ${WORK})
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${WORK} -G ${GENERATOR} -DCMAKE_BUILD_TYPE=RelWithDebInfo
                          -DCMAKE_CXX_COMPILER=${CXX} -DCORTEX_MODULES=${CORTEX_MODULES} -DCORTEX_SANITIZE=${sanitizers}
                  RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT code EQUAL 0)
    message(SEND_ERROR "CORTEX_SANITIZE=${sanitizers} cannot be configured: ${text}")
    continue()
  endif()
  file(READ ${WORK}/compile_commands.json commands)
  string(FIND "${commands}" "-fsanitize=${sanitizers} " at)
  string(FIND "${commands}" "-O1 " light)
  if(sanitizers AND (at EQUAL -1 OR light EQUAL -1))
    message(SEND_ERROR "CORTEX_SANITIZE=${sanitizers} does not reach the compiler with -O1: ${commands}")
  elseif(NOT sanitizers AND (NOT light EQUAL -1 OR commands MATCHES "-fsanitize"))
    message(SEND_ERROR "without CORTEX_SANITIZE: ${commands}")
  endif()
endforeach()
