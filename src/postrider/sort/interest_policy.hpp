#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "postrider/base/result.hpp"
#include "postrider/sort/interest.hpp"
#include "postrider/store/sql.hpp"
#include "postrider/stream/fact_batch.hpp"

namespace postrider {

/// The interests of all services, compiled for the streams of one format. Immutable; any thread.
class InterestRules {
 public:
  /// `services`: in order of service.
  explicit InterestRules(std::vector<ServiceInterest> services) : services_(std::move(services)) {}
  InterestRules(const InterestRules&) = delete;
  InterestRules& operator=(const InterestRules&) = delete;
  virtual ~InterestRules() = default;

  [[nodiscard]] const std::vector<ServiceInterest>& services() const { return services_; }

 private:
  std::vector<ServiceInterest> services_;
};

/// Decides who gets the facts of one stream, and keeps what that takes. One thread at a time.
class StreamInterest {
 public:
  /// Stores what decisions changed, inside the commit that carries them.
  using StateChange = std::function<Result<void>(SqlConnection&)>;

  StreamInterest() = default;
  StreamInterest(const StreamInterest&) = delete;
  StreamInterest& operator=(const StreamInterest&) = delete;
  virtual ~StreamInterest() = default;

  /// Decides by `rules` from here on, which the policy compiled. Reads what the change of rules
  /// needs of the state that is stored; everything that was decided is on disk. May take long: it
  /// runs on the lane of `connection`. After an error this object is of no use any more.
  virtual Result<void> adopt(SqlConnection& connection,
                             std::shared_ptr<const InterestRules> rules) = 0;

  /// The services that get the fact, which follows the last one in linear order.
  virtual ServiceSet decide(const AttributeView& fact) = 0;

  /// What the decisions since the last call changed; empty when that is nothing. When it cannot be
  /// committed this object is of no use any more.
  virtual StateChange take_changes() = 0;
};

/// How interest is decided in the streams of one format. Stateless; any thread.
class InterestPolicy {
 public:
  InterestPolicy() = default;
  InterestPolicy(const InterestPolicy&) = delete;
  InterestPolicy& operator=(const InterestPolicy&) = delete;
  virtual ~InterestPolicy() = default;

  /// `services`: in order of service. `previous`: what this policy compiled before, so that only
  /// what differs from it is compiled; null the first time. May take long.
  [[nodiscard]] virtual std::shared_ptr<const InterestRules> compile(
      std::vector<ServiceInterest> services,
      const std::shared_ptr<const InterestRules>& previous) const = 0;

  /// Whether a fact of the stream could ever be of interest; true where nobody can tell.
  [[nodiscard]] virtual bool may_match(const Interest& interest,
                                       const std::string& stream) const = 0;

  /// Of a stream whose state is all in the database. `adopt` comes before anything else.
  [[nodiscard]] virtual std::unique_ptr<StreamInterest> open(StreamKey stream,
                                                             const std::string& name) const = 0;
};

}  // namespace postrider
