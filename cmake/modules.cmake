# One folder is one module is one target: postrider_module(name DEPS targets...).
# Files that end in _test.cpp go into the unit-test program, the rest into the library.
#
# A module sees its own headers and those of the targets that it depends on: for each there is a
# folder with a link to the module and nothing else. So a wrong include does not compile.
add_library(postrider_common INTERFACE)
target_link_libraries(postrider_common INTERFACE postrider_warnings fmt::fmt)
# For all or none: some libraries bring it along, and precompiled headers must agree.
target_compile_options(postrider_common INTERFACE -pthread)
target_compile_definitions(postrider_common INTERFACE POSTRIDER_VERSION="${PROJECT_VERSION}"
  FMT_ENFORCE_COMPILE_STRING=0)

set_property(GLOBAL PROPERTY postrider_test_sources "")
set_property(GLOBAL PROPERTY postrider_test_libraries "")

function(postrider_module name)
  cmake_parse_arguments(arg "" "" "DEPS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cpp$")
  file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR}/src ${CMAKE_CURRENT_SOURCE_DIR})
  set(visible ${CMAKE_BINARY_DIR}/visible/${name})
  if(folder MATCHES "^postrider/")
    get_filename_component(parent ${visible}/${folder} DIRECTORY)
    file(MAKE_DIRECTORY ${parent})
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${visible}/${folder} SYMBOLIC)
  endif()
  if(sources)
    add_library(postrider_${name} STATIC ${sources})
    target_link_libraries(postrider_${name} PUBLIC postrider_common ${arg_DEPS})
    target_include_directories(postrider_${name} PUBLIC ${visible})
    postrider_precompile(postrider_${name})
  else()
    add_library(postrider_${name} INTERFACE)
    target_link_libraries(postrider_${name} INTERFACE postrider_common ${arg_DEPS})
    target_include_directories(postrider_${name} INTERFACE ${visible})
  endif()
  if(tests)
    set_property(GLOBAL APPEND PROPERTY postrider_test_sources ${tests})
    set_property(GLOBAL APPEND PROPERTY postrider_test_libraries postrider_${name})
  endif()
endfunction()
