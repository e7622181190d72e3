# clm_proto_library(<target> [GRPC] PROTOS ... DEPS ...)
#
# Generates C++ from .proto files (paths relative to proto/) into the build tree and declares a library of it. With GRPC
# the services are generated as well and gRPC is linked. Generated headers are system headers, generated sources are built
# without our warnings. The programs' include path is "clm/v1/<name>.pb.h".
function(clm_proto_library target)
  cmake_parse_arguments(ARG "GRPC" "" "PROTOS;DEPS" ${ARGN})
  set(proto_root ${PROJECT_SOURCE_DIR}/proto)
  set(output_root ${PROJECT_BINARY_DIR}/generated)
  set(sources)
  foreach(proto IN LISTS ARG_PROTOS)
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    if(ARG_GRPC)
      set(outputs ${output_root}/${stem}.grpc.pb.cc ${output_root}/${stem}.grpc.pb.h)
      set(arguments --grpc_out ${output_root} --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>)
    else()
      set(outputs ${output_root}/${stem}.pb.cc ${output_root}/${stem}.pb.h)
      set(arguments --cpp_out ${output_root})
    endif()
    add_custom_command(
      OUTPUT ${outputs}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${output_root}
      COMMAND protobuf::protoc -I ${proto_root} ${arguments} ${proto}
      DEPENDS ${proto_root}/${proto}
      WORKING_DIRECTORY ${proto_root}
      COMMENT "Generating ${stem}" VERBATIM)
    list(APPEND sources ${outputs})
  endforeach()
  add_library(${target} STATIC ${sources})
  string(REGEX REPLACE "^clm_" "clm::" alias ${target})
  add_library(${alias} ALIAS ${target})
  target_include_directories(${target} SYSTEM PUBLIC $<BUILD_INTERFACE:${output_root}>)
  target_link_libraries(${target} PUBLIC protobuf::libprotobuf ${ARG_DEPS})
  if(ARG_GRPC)
    target_link_libraries(${target} PUBLIC gRPC::grpc++)
  endif()
endfunction()
