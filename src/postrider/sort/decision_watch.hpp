#pragma once

#include <map>

#include "postrider/base/strong.hpp"
#include "postrider/runtime/event.hpp"
#include "postrider/sort/service_set.hpp"

namespace postrider {

/// Keeps what the sorter decides from now on of the facts of one writer, for somebody who asks
/// where they go. Engine thread.
class DecisionWatch {
 public:
  /// What it keeps at most; decisions after that are not kept.
  static constexpr std::size_t facts_max = 100'000;

  DecisionWatch(Runtime& runtime, InstanceKey writer) : writer_(writer), advanced_(runtime) {}

  /// A decision that is not committed yet.
  void add(StreamId id, InstanceKey writer, const ServiceSet& services) {
    if (writer == writer_ && decisions_.size() < facts_max) decisions_[id] = services;
  }
  /// What was added up to here is committed.
  void advance(StreamId through) {
    through_ = through;
    advanced_.notify_all();
  }

  /// Everything up to here is decided, if it was not before the watch began.
  [[nodiscard]] StreamId through() const { return through_; }
  /// Notified when `through` moves.
  Event& advanced() { return advanced_; }
  [[nodiscard]] const std::map<StreamId, ServiceSet>& decisions() const { return decisions_; }

 private:
  InstanceKey writer_;
  std::map<StreamId, ServiceSet> decisions_;
  StreamId through_;
  Event advanced_;
};

}  // namespace postrider
