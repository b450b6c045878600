#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "postrider/delivery/transaction_controller.hpp"
#include "sim/history/registrations.hpp"

namespace postrider::sim {

/// What every receiver got, byte for byte, and whether it may be so.
class Judge {
 public:
  Judge(Referee& referee, Ledger& ledger, Registrations& registrations, DeliveryPolicy settings)
      : referee_(referee),
        ledger_(ledger),
        registrations_(registrations),
        limits_(settings.limits),
        backoff_(settings.backoff),
        behind_(static_cast<std::int64_t>(settings.acknowledge_behind)) {}

  /// A transaction's address: in the URL of a Matrix service, in a header of a webhook.
  struct Address {
    std::string prefix;
    std::int64_t number = 0;
    bool webhook = false;
  };
  std::optional<Address> address_of(const HttpRequest& request);

  /// Processes are numbered as they begin. From now on this one delivers: what others still have
  /// under way is theirs alone.
  void hand_over(std::int64_t process);

  /// The process begins to send.
  void begins(const Address& address, MonoTime now, std::int64_t process);
  /// The first byte of it leaves, perhaps later.
  void leaves(const Address& address, std::int64_t process);
  /// The receiver takes no request for its own that is not signed.
  void check_webhook(const Address& address, const HttpRequest& request, WallTime now);
  /// The process learned how it went, or gave up because it stops.
  struct Outcome {
    bool success = false;
    std::optional<Duration> retry_after = {};
    bool split = false;    ///< the receiver wants a smaller one
    bool stop = false;     ///< the receiver wants nothing more
    bool untried = false;  ///< it tells nothing of the receiver
  };
  void ends(const Address& address, MonoTime now, const Outcome& outcome, std::int64_t process);
  void given_up(const Address& address, std::int64_t process);
  /// The process that was sending is no more.
  void process_ended();
  /// The whole request has reached the receiver, which took it in or did not.
  void arrived(const Address& address, const std::string& body, bool processed, MonoTime now,
               std::int64_t process);

  /// The receiver found the transaction that has arrived too large.
  void refused(const Address& address);

  /// What the disk says of a service that is down when a process begins.
  void restore_backoff(const std::string& prefix, Duration interval, MonoTime not_before);
  /// Between the two, and for one failure after, the service may be sent to at any time.
  void operator_begins(const std::string& prefix);
  void operator_ends(const std::string& prefix, bool forgets_failures);
  /// From now on the service gets nothing, or may get something again.
  void set_paused(const std::string& prefix, bool paused);
  /// Times that were told by the wall clock hold no more.
  void clock_jumped();

  /// A transaction as it came first.
  struct Sent {
    std::string body;
    std::size_t begin = 0;  ///< of its facts in `Record::facts`
  };
  /// How many facts the service has processed, in the order in which it did.
  struct Record {
    std::vector<Sent> transactions;   ///< number n stands at n-1; empty when it was given up
    std::vector<std::int64_t> facts;  ///< their numbers, in order
    std::vector<MonoTime> arrivals;   ///< of each fact, the first
    std::size_t processed_facts = 0;  ///< how many of them were taken in
    std::int64_t processed = 0;       ///< the last transaction that was
    std::int64_t refused = 0;         ///< the last transaction that was too large
    std::int64_t sent = 0;            ///< the last one that the process has sent that delivers
    bool changed_since = false;       ///< by an operator or a restart, since that
    bool in_flight = false;
    Duration interval{};  ///< of its backoff; 0: it has not failed
    std::optional<MonoTime> not_before;
    int operators = 0;    ///< who are changing it now
    bool kicked = false;  ///< one did since the last answer
    bool paused = false;
    bool stopped = false;   ///< the receiver wants nothing more
    bool resuming = false;  ///< by an operator, who may overtake what the receiver wants
  };
  [[nodiscard]] const Record& record(const std::string& prefix) const;
  [[nodiscard]] std::int64_t transactions() const { return transactions_; }
  [[nodiscard]] std::int64_t retries() const { return retries_; }

 private:
  void forget_sent();
  void check_receiver(const Address& address, const Record& record);
  void check_again(const Address& address, const Record& record, const std::string& body);
  [[nodiscard]] bool gives_up_frozen(const Address& address, const Record& record) const;
  [[nodiscard]] bool gives_up_damaged(const Address& address, const Record& record) const;
  static std::span<const std::int64_t> facts_of_sent(const Record& record, std::size_t index);
  [[nodiscard]] bool is_damaged(std::span<const std::int64_t> facts) const;
  void leave_out_repeated(const Record& record, std::vector<std::int64_t>& facts) const;
  void take_new(const Address& address, Record& record, const std::string& body);
  void check_split(const Address& address, const Record& record,
                   const std::vector<std::int64_t>& facts);
  std::vector<std::int64_t> facts_of(const Address& address, const std::string& body);

  std::string webhook_begin(const Address& address, std::string_view body,
                            const std::vector<std::int64_t>& facts);
  void check_place(const Address& address, std::int64_t fact, StreamId place);
  void broken(Check check, const Address& address, std::string_view what);

  Referee& referee_;
  Ledger& ledger_;
  Registrations& registrations_;
  TransactionLimits limits_;
  Backoff backoff_;
  std::int64_t behind_;  ///< so many IDs besides the last one every receiver remembers
  std::map<std::string, Record> records_;
  std::int64_t delivering_ = 0;
  std::int64_t transactions_ = 0;
  std::int64_t retries_ = 0;
};

}  // namespace postrider::sim
