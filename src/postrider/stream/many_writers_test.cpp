// Several writers of one stream, step by step in an order that a seed draws, against rules that
// are slow and obvious: a list of all IDs and of what became of each.

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "postrider/stream/reservations.hpp"
#include "postrider/stream/writer_positions.hpp"

namespace postrider {
namespace {

constexpr int process_count = 4;

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : random_(seed) {}
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(bound));
  }
  bool once_in(std::int64_t times) { return below(times) == 0; }

 private:
  std::mt19937_64 random_;
};

/// What the database holds: sessions, the sequence, and which IDs carry facts.
struct Stored {
  struct Writer {
    std::int64_t session = 0;
    bool is_live = false;
    StreamId position;
  };
  std::int64_t newest_session = 0;
  StreamId drawn;
  std::map<InstanceKey, Writer> writers;
  std::set<StreamId> facts;

  [[nodiscard]] WriterList list() const {
    WriterList list{SessionKey{newest_session}, {}};
    for (const auto& [key, writer] : writers) {
      list.writers.push_back({key, writer.position, writer.is_live});
    }
    return list;
  }
};

/// What one process announces to the others.
struct Update {
  InstanceKey writer;
  StreamId position;
  SessionKey newest_session;
  std::vector<IdRange> completed;
};

struct Process {
  InstanceKey instance;
  std::int64_t session = 0;
  Reservations reservations{StreamId{0}};
  WriterPositions positions{StreamId{0}};
  std::optional<StreamId> draw;  ///< a drawing has begun
  std::vector<IdRange> drawn;    ///< its answer, not yet known to the process
  SessionKey newest_after_draw;
  std::vector<IdRange> open;       ///< reserved
  std::deque<Update> inbox;        ///< on its way
  std::optional<WriterList> read;  ///< a list that was read and not yet applied
};

class World {
 public:
  explicit World(std::uint64_t seed) : chance_(seed) {
    std::int64_t instance = 0;
    for (Process& process : processes_) {
      process.instance = InstanceKey{++instance};
      begin_session(process);
    }
  }

  void step() {
    Process& process = processes_.at(static_cast<std::size_t>(chance_.below(process_count)));
    switch (chance_.below(12)) {
      case 0:
        return begin_draw(process);
      case 1:
        return draw(process);
      case 2:
        return end_draw(process);
      case 3:
      case 4:
        return commit(process);
      case 5:
        return abandon(process);
      case 6:
      case 7:
      case 8:
        return receive(process);
      case 9:
        return read_list(process);
      case 10:
        return apply_list(process);
      default:
        return rare(process);
    }
  }

  /// Everything that is open ends, every process gets all updates: then all agree, and on the true
  /// position.
  void settle() {
    for (Process& process : processes_) {
      if (!is_live(process) && chance_.once_in(2)) begin_session(process);
      if (!is_live(process)) continue;
      draw(process);
      end_draw(process);
      while (!process.open.empty()) abandon(process);
    }
    for (int round = 0; round < 2; ++round) {
      for (Process& process : processes_) {
        process.inbox.clear();
        process.positions.apply_list(stored_.list());
        process.reservations.observe_allocated(stored_.drawn);
        if (!is_live(process)) continue;
        stored_.writers[process.instance].position = process.reservations.position();
      }
    }
    check_agreement();
  }

 private:
  void check_agreement() const {
    const bool any_is_live =
        std::ranges::any_of(processes_, [this](const auto& each) { return is_live(each); });
    if (!any_is_live) return;
    for (const Process& process : processes_) {
      ASSERT_EQ(process.positions.linear(), stored_.drawn);
      ASSERT_TRUE(process.positions.vector().is_linear());
    }
  }

  [[nodiscard]] bool is_live(const Process& process) const {
    const auto found = stored_.writers.find(process.instance);
    return found != stored_.writers.end() && found->second.is_live &&
           found->second.session == process.session;
  }

  void begin_session(Process& process) {
    process.session = ++stored_.newest_session;
    stored_.writers[process.instance] = {process.session, true, stored_.drawn};
    process.reservations = Reservations(stored_.drawn);
    process.draw.reset();
    process.drawn.clear();
    process.open.clear();
    process.positions.apply_list(stored_.list());
  }

  void restart(Process& process) {
    const InstanceKey instance = process.instance;
    process = Process();
    process.instance = instance;
    begin_session(process);
  }

  static void begin_draw(Process& process) {
    if (!process.draw) process.draw = process.reservations.begin_draw();
  }

  void draw(Process& process) {
    if (!process.draw || !process.drawn.empty()) return;
    const std::int64_t count = 1 + chance_.below(4);
    process.drawn.push_back({stored_.drawn.plus(1), stored_.drawn.plus(count)});
    stored_.drawn = stored_.drawn.plus(count);
    process.newest_after_draw = SessionKey{stored_.newest_session};
  }

  static void end_draw(Process& process) {
    if (!process.draw || process.drawn.empty()) return;
    process.positions.observe_session(process.newest_after_draw);
    process.reservations.end_draw(*process.draw, process.drawn);
    process.open.insert(process.open.end(), process.drawn.begin(), process.drawn.end());
    process.draw.reset();
    process.drawn.clear();
  }

  /// The first IDs of one of the open ranges.
  std::optional<IdRange> take_open(Process& process) {
    if (process.open.empty()) return std::nullopt;
    const auto place = process.open.begin() + chance_.below(std::ssize(process.open));
    const IdRange whole = *place;
    const IdRange taken{whole.first, whole.first.plus(chance_.below(whole.count()))};
    process.open.erase(place);
    if (taken.last < whole.last) process.open.push_back({taken.last.plus(1), whole.last});
    return taken;
  }

  void commit(Process& process) {
    const auto ids = take_open(process);
    if (!ids) return;
    if (!is_live(process)) return begin_session(process);
    for (StreamId id = ids->first; id <= ids->last; id = id.plus(1)) check_not_passed(process, id);
    for (StreamId id = ids->first; id <= ids->last; id = id.plus(1)) stored_.facts.insert(id);
    process.reservations.complete(*ids);
    stored_.writers[process.instance].position = process.reservations.position();
    process.positions.complete(*ids);
    announce(process, {*ids});
  }

  /// The guarantee: what anybody took for finished stays as it was.
  void check_not_passed(const Process& process, StreamId id) {
    for (const Process& other : processes_) {
      ASSERT_GT(id, other.positions.linear()) << "passed by " << other.instance.value;
      ASSERT_GT(id, other.positions.of(process.instance)) << "passed by " << other.instance.value;
    }
  }

  void abandon(Process& process) {
    const auto ids = take_open(process);
    if (!ids) return;
    process.reservations.abandon(*ids);
    announce(process, {});
  }

  void announce(Process& process, std::vector<IdRange> completed) {
    const Update update{process.instance, process.reservations.position(),
                        process.positions.newest_session(), std::move(completed)};
    process.positions.advance(update.writer, update.position, update.newest_session);
    for (Process& other : processes_) {
      if (&other != &process && !chance_.once_in(5)) other.inbox.push_back(update);
    }
  }

  /// Updates overtake each other.
  void receive(Process& process) {
    if (process.inbox.empty()) return;
    const auto place =
        process.inbox.begin() + chance_.below(std::min<std::int64_t>(3, std::ssize(process.inbox)));
    const Update update = *place;
    process.inbox.erase(place);
    process.positions.advance(update.writer, update.position, update.newest_session);
    for (const IdRange& ids : update.completed) process.positions.complete(ids);
    process.reservations.observe_allocated(update.position);
    announce_when_moved(process);
  }

  void announce_when_moved(Process& process) {
    if (process.reservations.position() <= process.positions.of(process.instance)) return;
    announce(process, {});
  }

  void read_list(Process& process) {
    if (!process.read) process.read = stored_.list();
  }

  void apply_list(Process& process) {
    if (!process.read) return;
    process.positions.apply_list(*process.read);
    for (const auto& writer : process.read->writers)
      process.reservations.observe_allocated(writer.position);
    process.read.reset();
    announce_when_moved(process);
  }

  void rare(Process& process) {
    switch (chance_.below(40)) {
      case 0:  // its session expires
        stored_.writers[process.instance].is_live = false;
        return;
      case 1:  // dies, and starts anew
        return restart(process);
      case 2:  // a database that was restored from a copy: the sequence stands elsewhere
        stored_.drawn = stored_.drawn.plus(chance_.below(64));
        return;
      default:
        return;
    }
  }

  Chance chance_;
  Stored stored_;
  std::array<Process, process_count> processes_;
};

TEST(ManyWriters, never_take_for_finished_what_is_yet_to_come) {
  constexpr int worlds = 500;
  constexpr int steps = 2000;
  for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
    World world(seed);
    for (int i = 0; i < steps; ++i) {
      world.step();
      if (i % 500 == 499) world.settle();
      if (testing::Test::HasFatalFailure()) FAIL() << "seed " << seed << ", step " << i;
    }
  }
}

}  // namespace
}  // namespace postrider
