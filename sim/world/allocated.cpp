#include "sim/world/allocated.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

#include <malloc.h>

#if defined(__SANITIZE_ADDRESS__)
#define POSTRIDER_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define POSTRIDER_SANITIZED
#endif
#endif

// Sanitizers bring their own allocator, and it knows.
#ifdef POSTRIDER_SANITIZED
#include <sqlite3.h>

/// As in <sanitizer/allocator_interface.h>, which g++ 12 lacks.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();

namespace postrider::sim {

std::int64_t allocated_bytes() {
  return static_cast<std::int64_t>(__sanitizer_get_current_allocated_bytes()) -
         sqlite3_memory_used();
}

}  // namespace postrider::sim

#else

namespace {

std::atomic<std::int64_t> allocated = 0;

void* counted(void* memory) {
  if (memory == nullptr) std::abort();
  allocated.fetch_add(static_cast<std::int64_t>(malloc_usable_size(memory)),
                      std::memory_order_relaxed);
  return memory;
}

void release(void* memory) {
  allocated.fetch_sub(static_cast<std::int64_t>(malloc_usable_size(memory)),
                      std::memory_order_relaxed);
  std::free(memory);
}

}  // namespace

// The system's own figures count what its caches hold for the next allocation.
void* operator new(std::size_t size) {
  return counted(std::malloc(size));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto step = static_cast<std::size_t>(alignment);
  return counted(std::aligned_alloc(step, (size + step - 1) / step * step));
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
  release(memory);
}
void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
  release(memory);
}

namespace postrider::sim {

std::int64_t allocated_bytes() {
  return allocated;
}

}  // namespace postrider::sim

#endif
