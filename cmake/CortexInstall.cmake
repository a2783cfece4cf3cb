# What `cmake --install` puts where. Component "library": what a program needs to build against cortex and
# run; component "tools": cortex-gen and the like.
include(CMakePackageConfigHelpers)
set(cortex_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/cortex)

install(TARGETS cortex_kernels cortex_kernels_static EXPORT cortex-targets COMPONENT library
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/cortex DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library
        FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp" PATTERN "*.inc")
# The vector vocabulary of generated cells.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/microkernels/vector COMPONENT library
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/cortex/internal/microkernels FILES_MATCHING PATTERN "*.h")
install(EXPORT cortex-targets NAMESPACE cortex:: DESTINATION ${cortex_package_dir} COMPONENT library)

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/cortexConfig.cmake.in
  ${PROJECT_BINARY_DIR}/cortexConfig.cmake INSTALL_DESTINATION ${cortex_package_dir}
  PATH_VARS CMAKE_INSTALL_BINDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cortexConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cortexConfig.cmake ${PROJECT_BINARY_DIR}/cortexConfigVersion.cmake
        DESTINATION ${cortex_package_dir} COMPONENT library)
if(EXISTS ${PROJECT_SOURCE_DIR}/cmake/CortexKernelLibrary.cmake)
  install(FILES ${PROJECT_SOURCE_DIR}/cmake/CortexKernelLibrary.cmake DESTINATION ${cortex_package_dir}
          COMPONENT library)
endif()
install(FILES ${PROJECT_SOURCE_DIR}/cmake/CortexCellLibrary.cmake
              ${PROJECT_SOURCE_DIR}/cmake/CortexGenerated.cmake
        DESTINATION ${cortex_package_dir} COMPONENT library)
if(TARGET cortex-gen)
  install(TARGETS cortex-gen RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools)
endif()

# The prefix as seen from the .pc file, so that the installed tree can move.
file(RELATIVE_PATH cortex_pc_to_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" cortex_pc_to_prefix "${cortex_pc_to_prefix}")
configure_file(${PROJECT_SOURCE_DIR}/cmake/cortex.pc.in ${PROJECT_BINARY_DIR}/cortex.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/cortex.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT library)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT library)
