add_library(postrider_warnings INTERFACE)
target_compile_options(postrider_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Wold-style-cast -Woverloaded-virtual -Wimplicit-fallthrough -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(postrider_warnings INTERFACE -Wthread-safety)
else()
  # g++ 12 reports these inside libstdc++ and Boost coroutine frames under sanitizers.
  target_compile_options(postrider_warnings INTERFACE
    -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds
    -Wno-dangling-pointer -Wno-mismatched-new-delete)
endif()
