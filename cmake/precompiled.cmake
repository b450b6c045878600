# What nearly every file includes is parsed once for all of them, which halves a build. Not with g++,
# whose build finds an include that is missing.
set(postrider_precompiles FALSE)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  set(postrider_precompiles TRUE)
endif()

set(postrider_precompiled_headers
  <algorithm> <chrono> <functional> <map> <memory> <optional> <ostream> <span> <string>
  <string_view> <unordered_map> <vector> <fmt/format.h> <boost/asio/any_io_executor.hpp>
  <boost/asio/awaitable.hpp>)

if(postrider_precompiles)
  set(source ${CMAKE_BINARY_DIR}/precompiled.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "")
  add_library(postrider_precompiled OBJECT ${source})
  # As the modules are compiled, but for the libraries that only some of them see.
  target_link_libraries(postrider_precompiled PRIVATE postrider_common postrider_asio
    spdlog::spdlog)
  target_precompile_headers(postrider_precompiled PRIVATE ${postrider_precompiled_headers})
endif()

function(postrider_precompile target)
  if(postrider_precompiles)
    target_precompile_headers(${target} REUSE_FROM postrider_precompiled)
  endif()
endfunction()
