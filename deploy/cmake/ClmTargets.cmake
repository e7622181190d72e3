# The helpers that declare this project's targets, so that each folder's CMakeLists.txt only says what is particular
# to it: sources and the layers below that it may use.

# clm_library(<folder> SOURCES ... DEPS ...)
#
# Declares clm_<folder> (alias clm::<folder>) from the sources of the current folder. A folder without sources is a
# header-only library. Installed as clm::core_<folder>. Includes are rooted at the checkout: #include "core/base/types.h".
function(clm_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  if(ARG_SOURCES)
    add_library(clm_${name} STATIC ${ARG_SOURCES})
    set(scope PUBLIC)
    target_link_libraries(clm_${name} PRIVATE $<BUILD_INTERFACE:clm_warnings>)
  else()
    add_library(clm_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(clm::${name} ALIAS clm_${name})
  target_include_directories(clm_${name} ${scope}
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/clm>)
  target_compile_features(clm_${name} ${scope} cxx_std_20)
  target_link_libraries(clm_${name} ${scope} ${ARG_DEPS})
  set_target_properties(clm_${name} PROPERTIES EXPORT_NAME core_${name})
endfunction()

# clm_use_torch(<target>)
#
# Links LibTorch and compiles the target's sources against one precompiled ATen/ATen.h, which costs 10 s when read as
# text (torch/torch.h costs 24 s; gradients are written by hand, so nothing needs it). For clm_model, clm_train and their
# tests only: a library links it privately, because its own headers hold no LibTorch type that others may see. Sources
# without LibTorch set SKIP_PRECOMPILE_HEADERS.
function(clm_use_torch target)
  if(NOT TARGET clm_torch_header)
    set(source ${PROJECT_BINARY_DIR}/torch_header.cc)
    file(CONFIGURE OUTPUT ${source} CONTENT "// Carries the precompiled header.\n")
    add_library(clm_torch_header OBJECT ${source})
    # The warnings too: -Wpedantic changes predefined macros, which have to agree.
    target_link_libraries(clm_torch_header PRIVATE clm_warnings LibTorch::cpu)
    target_precompile_headers(clm_torch_header PRIVATE <ATen/ATen.h> <ATen/Parallel.h> <c10/core/GradMode.h>)
    set_target_properties(clm_torch_header PROPERTIES CXX_CLANG_TIDY "")
  endif()
  target_link_libraries(${target} PRIVATE LibTorch::cpu)
  clm_reuse_header(${target} clm_torch_header)
endfunction()

# clm_reuse_header(<target> <owner>): compiles <target> against the precompiled header of <owner>, a library. A
# precompiled header fits one code model only, so programs take that of libraries.
function(clm_reuse_header target owner)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL EXECUTABLE)
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
  target_precompile_headers(${target} REUSE_FROM ${owner})
endfunction()

# clm_program(<name> SOURCES ... DEPS ...): an executable named <name>, in bin/ of the build folder like all others, since
# clm_server looks for clm_worker beside itself.
function(clm_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE clm_warnings ${ARG_DEPS})
  if(CLM_SANITIZE MATCHES thread)
    if(NOT TARGET clm_absl_tsan)
      add_library(clm_absl_tsan OBJECT ${PROJECT_SOURCE_DIR}/deploy/sanitizers/absl_tsan.cc)
      target_link_libraries(clm_absl_tsan PRIVATE clm_warnings absl::synchronization)
    endif()
    target_link_libraries(${name} PRIVATE clm_absl_tsan absl::synchronization)
  endif()
endfunction()

# clm_test(<name> SOURCES ... DEPS ... [LABELS ...] [TIMEOUT seconds] [SERIAL])
#
# One GoogleTest program, clm_<name>_test, and one ctest entry of the same name. Default label: unit.
function(clm_test name)
  cmake_parse_arguments(ARG "SERIAL" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  set(target clm_${name}_test)
  clm_program(${target} SOURCES ${ARG_SOURCES} DEPS ${ARG_DEPS} clm_testing GTest::gmock_main)
  add_test(NAME ${name} COMMAND ${target} WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(CLM_SANITIZE)
    math(EXPR ARG_TIMEOUT "5 * ${ARG_TIMEOUT}")
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT} SKIP_RETURN_CODE 77)
  if(ARG_SERIAL)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
  endif()
endfunction()
