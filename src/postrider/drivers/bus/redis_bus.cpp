#include "postrider/drivers/bus/redis_bus.hpp"

#include <span>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <hiredis/hiredis.h>

#include "postrider/base/log.hpp"
#include "postrider/drivers/bus/bus_socket.hpp"
#include "postrider/drivers/bus/bus_thread.hpp"
#include "postrider/drivers/bus/reconnect_pause.hpp"

namespace postrider {
namespace {

struct FreeReader {
  void operator()(redisReader* reader) const { redisReaderFree(reader); }
};
struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using ReplyPointer = std::unique_ptr<redisReply, FreeReply>;

std::string format(std::initializer_list<std::string_view> words) {
  std::vector<const char*> pointers;
  std::vector<std::size_t> lengths;
  for (const std::string_view word : words) {
    pointers.push_back(word.data());
    lengths.push_back(word.size());
  }
  char* text = nullptr;
  const long long size = redisFormatCommandArgv(&text, static_cast<int>(words.size()),
                                                pointers.data(), lengths.data());
  std::string command(text, static_cast<std::size_t>(size));
  redisFreeCommand(text);
  return command;
}

std::string_view text_of(const redisReply* reply) {
  return {reply->str, reply->len};
}

/// Takes replies out of the bytes that arrive.
class Replies {
 public:
  void feed(std::string_view bytes) { redisReaderFeed(reader_.get(), bytes.data(), bytes.size()); }
  /// Null when there is none yet; `is_broken` when there never will be.
  ReplyPointer next() {
    void* reply = nullptr;
    if (redisReaderGetReply(reader_.get(), &reply) != REDIS_OK) is_broken_ = true;
    return ReplyPointer(static_cast<redisReply*>(reply));
  }
  [[nodiscard]] bool is_broken() const { return is_broken_; }

 private:
  std::unique_ptr<redisReader, FreeReader> reader_{redisReaderCreate()};
  bool is_broken_ = false;
};

}  // namespace

Result<RedisAddress> parse_redis_url(const std::string& url) {
  const auto wrong = [] {
    return fail(Code::invalid_argument,
                "the URL of Redis cannot be read; write redis://USER:PASSWORD@HOST:PORT/NUMBER,"
                " of which all but HOST may be left out");
  };
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed || parsed->scheme() != "redis" || parsed->host().empty()) return wrong();
  if (parsed->has_query() || parsed->has_fragment()) return wrong();
  RedisAddress address;
  address.host = parsed->host_address();
  if (parsed->has_port()) address.port = std::string(parsed->port());
  address.user = parsed->user();
  address.password = parsed->password();
  const std::string path = parsed->path();
  if (path.size() > 1) {
    const std::string number = path.substr(1);
    if (number.size() > 4 || number.find_first_not_of("0123456789") != std::string::npos) {
      return wrong();
    }
    address.database = std::stoi(number);
  }
  return address;
}

/// On the bus thread, unless a member says otherwise.
struct RedisBus::State {
  State(boost::asio::any_io_executor engine, RedisAddress to, BusTiming times)
      : thread(std::move(engine)), address(std::move(to)), timing(times), timer(thread.io()) {}

  void connect();
  std::shared_ptr<BusSocket> open(std::string greeting, std::function<bool(redisReply&)> handle);
  [[nodiscard]] std::string login() const;
  bool subscribed_to(const redisReply& reply);
  bool handle_message(const redisReply& reply);
  void lose(const std::string& reason);

  BusThread thread;
  RedisAddress address;
  BusTiming timing;
  std::string channel;
  boost::asio::steady_timer timer;
  std::shared_ptr<BusSocket> subscriber;
  std::shared_ptr<BusSocket> publisher;
  ReconnectPause pause;
  bool is_connected = false;
  bool is_publisher_open = false;
  bool is_subscribed = false;
  std::string last_reason;
};

std::string RedisBus::State::login() const {
  std::string commands;
  if (!address.user.empty()) {
    commands += format({"AUTH", address.user, address.password});
  } else if (!address.password.empty()) {
    commands += format({"AUTH", address.password});
  }
  if (address.database != 0) commands += format({"SELECT", std::to_string(address.database)});
  return commands;
}

void RedisBus::State::connect() {
  is_subscribed = false;
  subscriber = open(format({"SUBSCRIBE", channel}),
                    [this](const redisReply& reply) { return handle_message(reply); });
  publisher = open(format({"PING"}), [this](const redisReply& reply) {
    // An integer: how many have got what was published.
    if (reply.type == REDIS_REPLY_INTEGER || is_publisher_open) return true;
    if (text_of(&reply) != "PONG") return true;
    is_publisher_open = true;
    return subscribed_to(reply);
  });
}

std::shared_ptr<BusSocket> RedisBus::State::open(std::string greeting,
                                                 std::function<bool(redisReply&)> handle) {
  auto socket = std::make_shared<BusSocket>(thread.io(), timing);
  auto replies = std::make_shared<Replies>();
  const std::weak_ptr<BusSocket> weak = socket;
  BusSocket::Events events;
  events.opened = [this, weak, greeting = std::move(greeting)] {
    if (const auto open = weak.lock()) open->send(login() + greeting);
  };
  events.received = [this, replies, handle = std::move(handle)](std::string_view bytes) {
    replies->feed(bytes);
    while (ReplyPointer reply = replies->next()) {
      const bool is_error = reply->type == REDIS_REPLY_ERROR;
      if (is_error) lose(std::string(text_of(reply.get())));
      if (is_error || !handle(*reply)) return false;
    }
    if (replies->is_broken()) lose("what answers there does not speak the protocol of Redis");
    return !replies->is_broken();
  };
  events.closed = [this](const std::string& reason) { lose(reason); };
  events.keep_alive = [] { return format({"PING"}); };
  socket->connect(address.host, address.port, std::move(events));
  return socket;
}

/// Gives true. Reports the connection once both of them stand.
bool RedisBus::State::subscribed_to(const redisReply&) {
  if (is_connected || !is_subscribed || !is_publisher_open) return true;
  is_connected = true;
  last_reason.clear();
  log_info("replication: connected to Redis at {}:{}", address.host, address.port);
  thread.tell_connected();
  return true;
}

bool RedisBus::State::handle_message(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ARRAY || reply.elements < 1) return true;
  const std::span parts(reply.element, reply.elements);
  const std::string_view kind = text_of(parts[0]);
  if (kind == "subscribe") {
    is_subscribed = true;
    return subscribed_to(reply);
  }
  if (kind == "message" && parts.size() == 3) {
    thread.tell_received(std::string(text_of(parts[2])));
  }
  return true;
}

/// Both connections go together: without one of them the other is of no use.
void RedisBus::State::lose(const std::string& reason) {
  if (!subscriber) return;
  const auto both = {std::exchange(subscriber, nullptr), std::exchange(publisher, nullptr)};
  for (const auto& socket : both) {
    if (socket) socket->close(reason);
  }
  is_publisher_open = false;
  if (std::exchange(last_reason, reason) != reason) {
    log_warn("replication: no connection to Redis at {}:{}, which is tried again: {}", address.host,
             address.port, reason);
  }
  if (std::exchange(is_connected, false)) thread.tell_disconnected();
  timer.expires_after(pause.next());
  timer.async_wait([this](boost::system::error_code error) {
    if (!error) connect();
  });
}

RedisBus::RedisBus(boost::asio::any_io_executor engine, RedisAddress address, BusTiming timing)
    : state_(std::make_unique<State>(std::move(engine), std::move(address), timing)) {}

RedisBus::~RedisBus() {
  stop();
}

void RedisBus::start(Listener& listener, std::string fleet) {
  state_->channel = "postrider:" + fleet;
  boost::asio::post(state_->thread.io(), [state = state_.get()] { state->connect(); });
  state_->thread.start(listener);
}

void RedisBus::stop() {
  state_->thread.stop(
      [state = state_.get()] { return !state->publisher || state->publisher->is_drained(); });
}

void RedisBus::publish(std::string line) {
  boost::asio::post(state_->thread.io(), [state = state_.get(), line = std::move(line)] {
    if (state->is_connected) state->publisher->send(format({"PUBLISH", state->channel, line}));
  });
}

void RedisBus::caught_up() {
  boost::asio::post(state_->thread.io(), [state = state_.get()] { state->pause.reset(); });
}

}  // namespace postrider
