# Install rules: the programs, the libraries of core/ as the CMake package `clm` (targets clm::core_<folder>), the
# contract and the default configurations.
#
# Programs keep the folder of LibTorch that they were linked with as their rpath (CMAKE_INSTALL_RPATH_USE_LINK_PATH), so
# they run from any install prefix without environment variables.
include(CMakePackageConfigHelpers)

foreach(program clm_server clm_worker clm)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()

foreach(folder IN LISTS clm_core_folders)
  if(TARGET clm_${folder})
    install(TARGETS clm_${folder} EXPORT clmTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(DIRECTORY core/${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/clm/core FILES_MATCHING PATTERN "*.h")
  endif()
endforeach()

set(clm_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/clm)
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/clmConfig.cmake.in ${PROJECT_BINARY_DIR}/clmConfig.cmake
  INSTALL_DESTINATION ${clm_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/clmConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(EXPORT clmTargets NAMESPACE clm:: DESTINATION ${clm_package_dir})
install(
  FILES ${PROJECT_BINARY_DIR}/clmConfig.cmake ${PROJECT_BINARY_DIR}/clmConfigVersion.cmake
        ${CMAKE_CURRENT_LIST_DIR}/ClmDependencies.cmake ${CMAKE_CURRENT_LIST_DIR}/FindLibTorch.cmake
  DESTINATION ${clm_package_dir})

install(DIRECTORY proto/ DESTINATION ${CMAKE_INSTALL_DATADIR}/clm/proto FILES_MATCHING PATTERN "*.proto")
install(DIRECTORY configs/ DESTINATION ${CMAKE_INSTALL_DATADIR}/clm/configs OPTIONAL)
install(DIRECTORY deploy/prometheus DESTINATION ${CMAKE_INSTALL_DATADIR}/clm)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
