# ninja headers_alone: every header compiles without another one before it.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/src
  ${CMAKE_SOURCE_DIR}/src/*.hpp)
list(FILTER headers EXCLUDE REGEX "/testing/")
set(header_sources "")
foreach(header ${headers})
  string(REPLACE ".hpp" ".cpp" source ${CMAKE_BINARY_DIR}/headers_alone/${header})
  file(CONFIGURE OUTPUT ${source} CONTENT "#include \"@header@\"\n" @ONLY)
  list(APPEND header_sources ${source})
endforeach()
add_library(headers_alone OBJECT EXCLUDE_FROM_ALL ${header_sources})
target_link_libraries(headers_alone PRIVATE postrider_app postrider_sort postrider_drivers_curl
  postrider_drivers_sqlite)
