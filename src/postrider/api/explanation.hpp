#pragma once

#include <memory>

#include <boost/json/value.hpp>

#include "postrider/engine/engine.hpp"

namespace postrider {

/// An append that tells afterwards which receivers get its facts. Engine thread.
class ExplainedAppend {
 public:
  /// Errors: `not_delivering` when another process decides who gets facts.
  static Result<ExplainedAppend> begin(Engine& engine, Stream& stream);

  /// Waits for the decision on the facts that were appended after `begin`. For each of them its ID,
  /// its attributes and the receivers that get it; null when the facts had been appended before.
  /// Errors: `deadline`, when deciding takes longer than until then; the facts are appended.
  Async<Result<boost::json::value>> explain(std::shared_ptr<const FactBatch> facts,
                                            AppendReceipt receipt, MonoTime until);

 private:
  ExplainedAppend(Stream& stream, std::shared_ptr<DeliveryWork> work);
  [[nodiscard]] boost::json::object explain_fact(StreamId id, const AttributeView& attributes,
                                                 const ServiceSet& services) const;

  Stream& stream_;
  std::shared_ptr<DeliveryWork> work_;
  std::shared_ptr<DecisionWatch> watch_;
};

}  // namespace postrider
