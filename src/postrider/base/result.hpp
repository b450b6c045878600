#pragma once

#include <expected>
#include <utility>

#include <fmt/format.h>

#include "postrider/base/error.hpp"

namespace postrider {

/// An expected failure is a value. A class, not an alias: dropping one then warns, also behind
/// `co_await`.
template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
};

/// `return fail(Code::not_found, "no stream named {}", name);`
template <class... Args>
std::unexpected<Error> fail(Code code, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

}  // namespace postrider

#define POSTRIDER_JOIN_(a, b) a##b
#define POSTRIDER_JOIN(a, b) POSTRIDER_JOIN_(a, b)

#define POSTRIDER_TRY_(tmp, leave, decl, ...)              \
  auto tmp = (__VA_ARGS__);                                \
  if (!tmp) leave std::unexpected(std::move(tmp).error()); \
  decl = *std::move(tmp)
#define POSTRIDER_TRY_VOID_(tmp, leave, ...) \
  if (auto tmp = (__VA_ARGS__); !tmp) leave std::unexpected(std::move(tmp).error())

/// `TRY(auto token, parse(text));` leaves the function with the error, or names the value.
#define TRY(decl, ...) POSTRIDER_TRY_(POSTRIDER_JOIN(try_, __LINE__), return, decl, __VA_ARGS__)
#define CO_TRY(decl, ...) \
  POSTRIDER_TRY_(POSTRIDER_JOIN(try_, __LINE__), co_return, decl, __VA_ARGS__)
/// The same for `Result<void>`.
#define TRY_VOID(...) POSTRIDER_TRY_VOID_(POSTRIDER_JOIN(try_, __LINE__), return, __VA_ARGS__)
#define CO_TRY_VOID(...) POSTRIDER_TRY_VOID_(POSTRIDER_JOIN(try_, __LINE__), co_return, __VA_ARGS__)
