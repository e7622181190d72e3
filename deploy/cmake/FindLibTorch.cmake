# Finds LibTorch's CPU libraries without the packaged TorchConfig.cmake, which demands a CUDA toolkit.
#
# Looks at, in order: CLM_TORCH_ROOT (cache or environment), CMAKE_PREFIX_PATH, the folder that deploy/setup fills
# (${CLM_DEPS_DIR:-~/.cache/clm}/libtorch-2.11.0/torch). Defines the target LibTorch::cpu.
include(FindPackageHandleStandardArgs)

set(clm_deps_dir "$ENV{CLM_DEPS_DIR}")
if(NOT clm_deps_dir)
  set(clm_deps_dir "$ENV{HOME}/.cache/clm")
endif()
set(CLM_TORCH_ROOT "$ENV{CLM_TORCH_ROOT}" CACHE PATH "Root of a LibTorch 2.x (the folder that holds include/ and lib/)")
set(clm_torch_header torch/csrc/api/include/torch/torch.h)
find_path(LibTorch_INCLUDE_DIR ${clm_torch_header} PATHS ${CLM_TORCH_ROOT}/include NO_DEFAULT_PATH)
# Not the system's folders: Debian's own LibTorch is too old.
find_path(LibTorch_INCLUDE_DIR ${clm_torch_header} NO_CMAKE_SYSTEM_PATH NO_SYSTEM_ENVIRONMENT_PATH)
find_path(LibTorch_INCLUDE_DIR ${clm_torch_header} PATHS ${clm_deps_dir}/libtorch-2.11.0/torch/include NO_DEFAULT_PATH)
get_filename_component(LibTorch_ROOT "${LibTorch_INCLUDE_DIR}" DIRECTORY)
find_library(LibTorch_CPU_LIBRARY torch_cpu PATHS ${LibTorch_ROOT}/lib NO_DEFAULT_PATH)
find_library(LibTorch_C10_LIBRARY c10 PATHS ${LibTorch_ROOT}/lib NO_DEFAULT_PATH)
find_package_handle_standard_args(
  LibTorch REQUIRED_VARS LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "run deploy/setup, or name a LibTorch 2.x with -DCLM_TORCH_ROOT=, or build with -DCLM_WITH_TORCH=OFF")

# Releases moved the header that holds the version.
foreach(header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
  if(LibTorch_INCLUDE_DIR AND NOT LibTorch_VERSION AND EXISTS ${LibTorch_INCLUDE_DIR}/${header})
    file(STRINGS ${LibTorch_INCLUDE_DIR}/${header} clm_lines REGEX "#define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
    string(REGEX REPLACE "[^0-9;]" "" clm_numbers "${clm_lines}")
    list(JOIN clm_numbers "." LibTorch_VERSION)
  endif()
endforeach()

if(LibTorch_FOUND AND NOT TARGET LibTorch::cpu)
  add_library(LibTorch::cpu INTERFACE IMPORTED)
  # -idirafter: its include/google/protobuf must never shadow Debian's.
  target_compile_options(LibTorch::cpu INTERFACE
    "SHELL:-idirafter ${LibTorch_INCLUDE_DIR}/torch/csrc/api/include" "SHELL:-idirafter ${LibTorch_INCLUDE_DIR}")
  target_compile_definitions(LibTorch::cpu INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
  target_link_libraries(LibTorch::cpu INTERFACE ${LibTorch_CPU_LIBRARY} ${LibTorch_C10_LIBRARY})
  target_link_options(LibTorch::cpu INTERFACE -Wl,--allow-shlib-undefined -Wl,--no-as-needed)
endif()
