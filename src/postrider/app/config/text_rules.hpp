#pragma once

#include <optional>
#include <string>
#include <utility>

namespace postrider {

/// Rules for texts of the configuration. Each says what is wrong and what is allowed, or returns
/// an empty text when nothing is. None of the token rules ever repeats the token.

/// `sqlite:PATH` or a URL of PostgreSQL, which is never repeated: it may hold a password.
std::string database_fault(const std::string& text);
/// Empty, or a URL of PostgreSQL, which is never repeated.
std::string outbox_fault(const std::string& text);
/// The name of a schema of PostgreSQL: 1 to 63 of `[a-z0-9_]`, not a digit first.
std::string schema_fault(const std::string& text);
/// The name of a process among others: 1 to 63 of `[a-z0-9_.-]`.
std::string instance_name_fault(const std::string& text);
/// Empty, or a URL of Redis, which is never repeated: it may hold a password.
std::string redis_fault(const std::string& text);
/// Empty, or as `listen_fault` has it.
std::string optional_listen_fault(const std::string& text);
/// Of `HOST:PORT` or `[IPv6]:PORT`; empty when it is neither.
std::optional<std::pair<std::string, std::string>> split_host_and_port(const std::string& text);
/// Empty, or `HOST:PORT`.
std::string connect_fault(const std::string& text);
/// `IP:PORT`, `[IPv6]:PORT` or `localhost:PORT`; port 0 takes a free one.
std::string listen_fault(const std::string& text);
/// 8 to 512 printable ASCII characters without spaces.
std::string token_fault(const std::string& text);
/// Starts with a lower-case letter or a digit; 1 to 63 of `[a-z0-9_.-]`.
std::string stream_name_fault(const std::string& text);
std::string format_fault(const std::string& text);
/// Empty, or a Matrix server name.
std::string server_name_fault(const std::string& text);
/// An IPv4 or IPv6 range such as `10.0.0.0/8`.
std::string address_range_fault(const std::string& text);
/// Anything but an empty text.
std::string path_fault(const std::string& text);
std::string no_fault(const std::string& text);

}  // namespace postrider
