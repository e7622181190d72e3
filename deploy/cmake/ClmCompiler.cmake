# Compiler, linker and warning settings that every target of the project shares.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug or RelWithDebInfo" FORCE)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)

# ccache and mold shorten builds; both are optional.
find_program(CLM_CCACHE ccache)
if(CLM_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # pch_defines: a precompiled header is a cacheable input; time_macros: we use none.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CLM_CCACHE})
endif()
find_program(CLM_MOLD mold)
if(CLM_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# The interface target that carries warnings; linked privately by every library, program and test of ours.
add_library(clm_warnings INTERFACE)
target_compile_options(clm_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast -Wcast-align
  -Woverloaded-virtual -Wdouble-promotion -Wformat=2 -Wimplicit-fallthrough -Wextra-semi -Wsuggest-override
  $<$<BOOL:${CLM_WERROR}>:-Werror>)

# Results must not depend on the compiler's freedom to reassociate or contract floating point.
add_compile_options(-ffp-contract=off)

if(CLM_SANITIZE)
  add_compile_options(-fsanitize=${CLM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CLM_SANITIZE})
endif()

# Coverage that guides libFuzzer, in everything that a fuzz target reaches.
if(CLM_BUILD_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
