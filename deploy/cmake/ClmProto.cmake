# C++ from .proto files.

# clm_proto_library(<name> PROTOS ... [GRPC] [DEPS ...])
#
# Declares the static library <name> (alias clm:: plus <name> without "clm_") from .proto files that are named relative
# to the current source folder, which is also the root of their imports.
#
#   without GRPC   the messages: <file>.pb.h. Links Protocol Buffers only, so a program without gRPC can use it.
#   with GRPC      the services: <file>.grpc.pb.h. Needs the library with their messages in DEPS.
#
# Generated code is not ours: it is compiled without our warnings and without clang-tidy, and whoever links the library
# sees its headers as system headers.
function(clm_proto_library name)
  cmake_parse_arguments(ARG "GRPC" "" "PROTOS;DEPS" ${ARGN})
  set(generated_root ${CMAKE_CURRENT_BINARY_DIR}/generated)
  file(MAKE_DIRECTORY ${generated_root})
  if(ARG_GRPC)
    set(extension .grpc.pb)
    set(plugin --grpc_out=${generated_root} --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>)
    set(tools protobuf::protoc gRPC::grpc_cpp_plugin)
    set(library gRPC::grpc++)
  else()
    set(extension .pb)
    set(plugin --cpp_out=${generated_root})
    set(tools protobuf::protoc)
    set(library protobuf::libprotobuf)
  endif()

  set(sources)
  list(TRANSFORM ARG_PROTOS PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE proto_files)
  foreach(proto IN LISTS ARG_PROTOS)
    string(REGEX REPLACE "\\.proto$" "${extension}" stem ${generated_root}/${proto})
    # A .proto may import any other of its library, so each depends on all of them.
    add_custom_command(
      OUTPUT ${stem}.cc ${stem}.h
      COMMAND protobuf::protoc -I ${CMAKE_CURRENT_SOURCE_DIR} ${plugin} ${proto}
      DEPENDS ${proto_files} ${tools}
      WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
      COMMENT "Generating C++ from ${proto}" VERBATIM)
    list(APPEND sources ${stem}.cc)
  endforeach()

  add_library(${name} STATIC ${sources})
  string(REGEX REPLACE "^clm_" "clm::" alias ${name})
  add_library(${alias} ALIAS ${name})
  target_include_directories(${name} SYSTEM PUBLIC ${generated_root})
  target_link_libraries(${name} PUBLIC ${library} ${ARG_DEPS})
  set_target_properties(${name} PROPERTIES CXX_CLANG_TIDY "")
endfunction()
