#include "postrider/app/config/listen_address.hpp"

#include <charconv>

#include <arpa/inet.h>

namespace postrider {
namespace {

bool is_address(int family, const std::string& text) {
  in6_addr parsed{};
  return ::inet_pton(family, text.c_str(), &parsed) == 1;
}

}  // namespace

Result<ListenAddress> parse_listen_address(const std::string& text) {
  const auto refused = [&text] {
    return fail(Code::invalid_argument,
                "\"{}\" is not an address to listen on; allowed: IP:PORT, [IPv6]:PORT, "
                "localhost:PORT",
                text);
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return refused();
  std::string address = text.substr(0, colon);
  if (address == "localhost") address = "127.0.0.1";
  const bool bracketed = address.size() > 2 && address.front() == '[' && address.back() == ']';
  if (bracketed) address = address.substr(1, address.size() - 2);
  if (!is_address(bracketed ? AF_INET6 : AF_INET, address)) return refused();

  ListenAddress result{std::move(address), 0};
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, result.port);
  if (error != std::errc{} || rest != end) return refused();
  return result;
}

std::string ListenAddress::local_url() const {
  if (address == "0.0.0.0") return fmt::format("http://127.0.0.1:{}", port);
  if (address == "::") return fmt::format("http://[::1]:{}", port);
  if (address.find(':') != std::string::npos) return fmt::format("http://[{}]:{}", address, port);
  return fmt::format("http://{}:{}", address, port);
}

}  // namespace postrider
