#include "postrider/drivers/curl/curl_loop.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "postrider/base/assert.hpp"
#include "postrider/base/log.hpp"

namespace postrider {
namespace {

constexpr std::chrono::minutes waiting_warned_every{1};
constexpr std::size_t ready_sockets_max = 256;
/// Handles beyond it cost less to make anew than to keep after a burst.
constexpr std::size_t idle_transfers_max = 256;

CURLM* make_multi() {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  POSTRIDER_ASSERT(initialised == CURLE_OK, "{}", curl_easy_strerror(initialised));
  return curl_multi_init();
}

std::unexpected<Error> stopping() {
  return fail(Code::stopping, "not sent or not answered: Postrider is stopping");
}

std::unexpected<Error> crowded(const CurlHttpClientSettings& settings) {
  return fail(
      Code::overloaded,
      "not sent: all connections to receivers are in use, {} at most and {} to one host; try"
      " again, or raise delivery.connections_max or delivery.connections_per_host_max",
      settings.connections_max, settings.connections_per_host_max);
}

std::uint32_t epoll_bits(int what) {
  std::uint32_t bits = 0;
  if ((what & CURL_POLL_IN) != 0) bits |= EPOLLIN;
  if ((what & CURL_POLL_OUT) != 0) bits |= EPOLLOUT;
  return bits;
}

int ready_bits(std::uint32_t bits) {
  int ready = 0;
  if ((bits & EPOLLIN) != 0) ready |= CURL_CSELECT_IN;
  if ((bits & EPOLLOUT) != 0) ready |= CURL_CSELECT_OUT;
  if ((bits & (EPOLLERR | EPOLLHUP)) != 0) ready |= CURL_CSELECT_ERR;
  return ready;
}

/// Signals belong to the process' other threads, and writing to a connection that the receiver
/// has closed must be an error, not a SIGPIPE.
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

CurlLoop::CurlLoop(CurlHttpClientSettings settings)
    : settings_(std::move(settings)),
      places_(settings_.connections_max, settings_.connections_per_host_max),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      multi_(make_multi()) {
  POSTRIDER_ASSERT(epoll_ >= 0 && wake_ >= 0 && multi_, "no HTTP client: {}", std::strerror(errno));
  CURLM* multi = multi_.get();
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &CurlLoop::on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &CurlLoop::on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, long{CURLPIPE_NOTHING});
  // Requests never exceed it, so that one that needs a new connection closes an idle one at most.
  const auto connections_max = static_cast<long>(settings_.connections_max);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, connections_max);
  curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections_max);
  watch(wake_, CURL_POLL_IN, false);
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "http-client");
}

CurlLoop::~CurlLoop() {
  stop();
  close(wake_);
  close(epoll_);
}

void CurlLoop::submit(HttpRequest request, Done done) {
  std::unique_lock lock(mutex_);
  if (stopping_) {
    lock.unlock();
    done(stopping());
    return;
  }
  submitted_.push_back({std::move(request), std::move(done)});
  if (submitted_.size() == 1) wake();
}

void CurlLoop::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake();
  }
  thread_.join();
}

void CurlLoop::wake() {
  // Fails only when the counter is full, and then the loop is awake.
  [[maybe_unused]] const int ignored = eventfd_write(wake_, 1);
}

void CurlLoop::run() {
  block_signals();
  while (begin_submitted()) {
    wait_for_sockets();
    fire_timer();
    finish_completed();
  }
  abandon_all();
}

bool CurlLoop::begin_submitted() {
  std::vector<Submission> submitted;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    submitted.swap(submitted_);
  }
  begin_waiting();
  for (Submission& submission : submitted) {
    if (!submission.request.may_wait && !places_.has_room(submission.request.url)) {
      submission.done(crowded(settings_));
      continue;
    }
    places_.add(std::move(submission));
    begin_waiting();
  }
  if (places_.waiting() > 0) warn_of_waiting();
  return true;
}

void CurlLoop::begin_waiting() {
  while (auto next = places_.take()) begin(*std::move(next));
}

void CurlLoop::warn_of_waiting() {
  if (warned_at_ != Clock::time_point{} && Clock::now() - warned_at_ < waiting_warned_every) return;
  warned_at_ = Clock::now();
  log_warn(
      "{} requests to receivers wait: all connections are in use, {} at most and {} to one host;"
      " raise delivery.connections_max or delivery.connections_per_host_max, or lower"
      " delivery.request_timeout so that receivers that hang hold theirs for less time",
      places_.waiting(), settings_.connections_max, settings_.connections_per_host_max);
}

void CurlLoop::begin(Submission submission) {
  std::unique_ptr<CurlTransfer> transfer;
  if (idle_.empty()) {
    transfer = std::make_unique<CurlTransfer>(settings_);
  } else {
    transfer = std::move(idle_.back());
    idle_.pop_back();
  }
  const Result<void> prepared = transfer->prepare(std::move(submission.request));
  if (!prepared) {
    places_.give_back(transfer->url());
    submission.done(std::unexpected(prepared.error()));
    return;
  }
  CURL* handle = transfer->handle();
  in_flight_.emplace(handle, InFlight{std::move(transfer), std::move(submission.done)});
  const CURLMcode added = curl_multi_add_handle(multi_.get(), handle);
  POSTRIDER_ASSERT(added == CURLM_OK, "{}", curl_multi_strerror(added));
}

int CurlLoop::wait_milliseconds() const {
  if (!timer_) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*timer_ - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
}

void CurlLoop::wait_for_sockets() {
  std::array<epoll_event, ready_sockets_max> ready;  // 3 KiB, which the kernel fills
  const int count =
      epoll_wait(epoll_, ready.data(), static_cast<int>(ready.size()), wait_milliseconds());
  POSTRIDER_ASSERT(count >= 0 || errno == EINTR, "epoll_wait: {}", std::strerror(errno));
  for (int i = 0; i < count; ++i) {
    const epoll_event& socket = ready[static_cast<std::size_t>(i)];
    if (socket.data.fd == wake_) {
      eventfd_t woken = 0;
      eventfd_read(wake_, &woken);
      continue;
    }
    if ((socket.events & EPOLLIN) != 0 && !may_read(socket.data.fd)) continue;
    int running = 0;
    curl_multi_socket_action(multi_.get(), socket.data.fd, ready_bits(socket.events), &running);
  }
}

bool CurlLoop::may_read(int socket) {
  const auto reader = readers_.find(socket);
  if (reader == readers_.end()) return true;
  const auto found = in_flight_.find(reader->second);
  if (found == in_flight_.end()) return true;
  int waiting = 0;
  if (ioctl(socket, FIONREAD, &waiting) != 0) return true;
  if (found->second.transfer->may_read(static_cast<std::size_t>(waiting))) return true;
  finish(found->first, CURLE_ABORTED_BY_CALLBACK);
  return false;
}

void CurlLoop::fire_timer() {
  if (!timer_ || *timer_ > Clock::now()) return;
  // First, because libcurl sets the next one in the call.
  timer_.reset();
  int running = 0;
  curl_multi_socket_action(multi_.get(), CURL_SOCKET_TIMEOUT, 0, &running);
}

void CurlLoop::finish_completed() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    // The message is gone once its handle is removed.
    CURL* handle = message->easy_handle;
    const CURLcode code = message->data.result;
    finish(handle, code);
  }
}

void CurlLoop::finish(CURL* handle, CURLcode code) {
  auto finished = in_flight_.extract(handle);
  POSTRIDER_ASSERT(!finished.empty(), "libcurl finished a transfer that was not started");
  curl_multi_remove_handle(multi_.get(), handle);
  InFlight& in_flight = finished.mapped();
  places_.give_back(in_flight.transfer->url());
  in_flight.done(in_flight.transfer->finish(code));
  keep_for_reuse(std::move(in_flight.transfer));
}

void CurlLoop::keep_for_reuse(std::unique_ptr<CurlTransfer> transfer) {
  if (idle_.size() < idle_transfers_max) idle_.push_back(std::move(transfer));
}

void CurlLoop::abandon_all() {
  for (auto& [handle, in_flight] : in_flight_) {
    curl_multi_remove_handle(multi_.get(), handle);
    in_flight.done(stopping());
  }
  in_flight_.clear();
  idle_.clear();
  multi_.reset();
  for (Submission& each : places_.drop_waiting()) each.done(stopping());
  std::vector<Submission> submitted;
  {
    const std::lock_guard lock(mutex_);
    submitted.swap(submitted_);
  }
  for (Submission& each : submitted) each.done(stopping());
}

void CurlLoop::watch(curl_socket_t socket, int what, bool watched) {
  epoll_event interest{};
  interest.events = epoll_bits(what);
  interest.data.fd = socket;
  const int first = watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  const int second = watched ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (epoll_ctl(epoll_, first, socket, &interest) == 0) return;
  // A closed socket leaves epoll by itself, and its number may be somebody else's by now.
  const int rc = epoll_ctl(epoll_, second, socket, &interest);
  POSTRIDER_ASSERT(rc == 0, "epoll_ctl: {}", std::strerror(errno));
}

int CurlLoop::on_socket(CURL* easy, curl_socket_t socket, int what, void* self, void* watched) {
  auto* loop = static_cast<CurlLoop*>(self);
  if (what == CURL_POLL_REMOVE) {
    loop->readers_.erase(socket);
    epoll_ctl(loop->epoll_, EPOLL_CTL_DEL, socket, nullptr);
    return 0;
  }
  loop->readers_[socket] = easy;
  loop->watch(socket, what, watched != nullptr);
  curl_multi_assign(loop->multi_.get(), socket, loop);
  return 0;
}

int CurlLoop::on_timer(CURLM*, long timeout_ms, void* self) {
  auto* loop = static_cast<CurlLoop*>(self);
  loop->timer_.reset();
  if (timeout_ms >= 0) loop->timer_ = Clock::now() + std::chrono::milliseconds{timeout_ms};
  return 0;
}

}  // namespace postrider
