#include "postrider/drivers/bus/bus_socket.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/write.hpp>

#include "postrider/base/quantity.hpp"

namespace postrider {
namespace {

constexpr Duration connect_timeout = std::chrono::seconds{5};

using boost::system::error_code;

}  // namespace

BusSocket::BusSocket(boost::asio::io_context& io, BusTiming timing)
    : timing_(timing), resolver_(io), socket_(io), timer_(io) {}

void BusSocket::connect(const std::string& host, const std::string& port, Events events) {
  events_ = std::make_shared<const Events>(std::move(events));
  set_deadline(connect_timeout, "no connection in time");
  resolver_.async_resolve(
      host, port, [self = shared_from_this()](error_code error, const auto& found) {
        if (error) return self->close(error.message());
        boost::asio::async_connect(self->socket_, found, [self](error_code failed, const auto&) {
          if (failed) return self->close(failed.message());
          self->open();
        });
      });
}

void BusSocket::accept(Events events) {
  events_ = std::make_shared<const Events>(std::move(events));
  open();
}

void BusSocket::open() {
  if (is_closed_) return;
  is_open_ = true;
  error_code ignored;
  socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  timer_.cancel();
  tick();
  read();
  const auto events = events_;
  events->opened();
}

void BusSocket::set_deadline(Duration after, const std::string& reason) {
  timer_.expires_after(after);
  timer_.async_wait([self = shared_from_this(), reason](error_code error) {
    if (!error && !self->is_open_) self->close(reason);
  });
}

void BusSocket::tick() {
  timer_.expires_after(timing_.keep_alive_interval);
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (error || self->is_closed_) return;
    if (++self->ticks_without_bytes_ >
        self->timing_.receive_timeout / self->timing_.keep_alive_interval) {
      return self->close("no bytes were received for " +
                         format_duration(self->timing_.receive_timeout));
    }
    if (!std::exchange(self->has_sent_, false)) self->send(self->events_->keep_alive());
    self->tick();
  });
}

void BusSocket::read() {
  socket_.async_read_some(boost::asio::buffer(buffer_), [self = shared_from_this()](
                                                            error_code error, std::size_t size) {
    if (self->is_closed_) return;
    if (error) return self->close(error.message());
    self->ticks_without_bytes_ = 0;
    const auto events = self->events_;
    const bool goes_on = events->received(std::string_view(self->buffer_.data(), size));
    if (self->is_closed_ || self->closes_when_sent_) return;
    if (!goes_on) return self->close("the other side was refused");
    self->read();
  });
}

void BusSocket::send(std::string bytes) {
  if (!is_open_ || is_closed_) return;
  has_sent_ = true;
  queue_bytes_ += bytes.size();
  if (queue_bytes_ > queue_bytes_max) return close("the other side does not read fast enough");
  queue_.push_back(std::move(bytes));
  if (queue_.size() == 1) write();
}

void BusSocket::write() {
  boost::asio::async_write(socket_, boost::asio::buffer(queue_.front()),
                           [self = shared_from_this()](error_code error, std::size_t) {
                             if (self->is_closed_) return;
                             if (error) return self->close(error.message());
                             self->queue_bytes_ -= self->queue_.front().size();
                             self->queue_.pop_front();
                             if (!self->queue_.empty()) return self->write();
                             if (self->closes_when_sent_) self->close(*self->closes_when_sent_);
                           });
}

void BusSocket::close_when_sent(const std::string& reason) {
  if (queue_.empty()) return close(reason);
  closes_when_sent_ = reason;
}

void BusSocket::close(const std::string& reason) {
  if (std::exchange(is_closed_, true)) return;
  error_code ignored;
  resolver_.cancel();
  socket_.close(ignored);
  timer_.cancel();
  const auto events = std::exchange(events_, nullptr);
  events->closed(reason);
}

}  // namespace postrider
