#include "postrider/delivery/service_registry.hpp"

#include "postrider/delivery/testing/delivery_world.hpp"

namespace postrider {
namespace {

using sim::ScriptedReceiver;
using std::chrono::minutes;
using std::chrono::seconds;

class Registry : public DeliveryWorld {
 protected:
  /// `live`: what this process and others declare; nothing when there is only this one.
  Result<void> declare(std::vector<PlainDocument> documents, const LiveDeclarations& live = {}) {
    const auto declared = declared_of(std::move(documents));
    return run(registry->reconcile(&declared, &live));
  }
  static std::vector<ServiceRegistry::Declared> declared_of(std::vector<PlainDocument> documents) {
    ServiceRegistry::Receivers receivers;
    for (PlainDocument& document : documents) {
      receivers.push_back(receiver_of(std::move(document)));
    }
    return ServiceRegistry::declared(std::move(receivers));
  }
  /// Live sessions with these configurations, the oldest first.
  static LiveDeclarations live(std::vector<std::vector<PlainDocument>> configurations) {
    LiveDeclarations live;
    SessionKey configuration;
    for (auto& documents : configurations) {
      configuration = configuration.plus(1);
      live.configurations.insert(configuration);
      for (const auto& each : declared_of(std::move(documents))) {
        live.services[each.receiver->id()][each.digest] = configuration;
      }
    }
    return live;
  }
  static PlainDocument at(const std::string& url) {
    PlainDocument document = document_of("a");
    document.url = url;
    return document;
  }
  bool is_undeclared() {
    return registry->find("a")->delivery.paused_by.has(PauseCause::undeclared);
  }
  Result<void> remove(const std::string& id) { return run(registry->remove(id)); }
};

TEST_F(Registry, a_service_is_created_once_and_updated_after_that) {
  EXPECT_EQ(put(document_of("a")).value(), ServiceRegistry::Put::created);
  EXPECT_EQ(put(document_of("a")).value(), ServiceRegistry::Put::updated);
  EXPECT_EQ(registry->all().size(), 1U);
  EXPECT_EQ(read_services(*reader).value().size(), 1U);
}

TEST_F(Registry, services_come_back_after_a_restart_with_their_document) {
  PlainDocument document = document_of("a");
  document.types = {"order.*"};
  ASSERT_TRUE(put(document));
  restart();
  ASSERT_TRUE(registry->find("a"));
  const Receiver& stored = *registry->find("a")->receiver;
  EXPECT_EQ(stored.kind(), "plain");
  EXPECT_EQ(stored.document(Secrets::show), receiver_of(document)->document(Secrets::show));
}

TEST_F(Registry, an_update_takes_effect_at_once_and_keeps_what_waits) {
  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index == 0 ? 500 : 200);
  };
  put_service("a");
  deliver("a", 2);
  ASSERT_TRUE(runtime.run_until([this] { return stored_state("a").attempts == 1; }));
  PlainDocument moved = document_of("a");
  moved.url = "http://moved.test";
  const MonoTime before = runtime.now();
  ASSERT_TRUE(put(std::move(moved)));
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(runtime.now(), before);  // what kept it down may be what was changed
  ASSERT_EQ(receiver.arrivals.size(), 2U);
  EXPECT_TRUE(receiver.arrivals[1].url.starts_with("http://moved.test/"));
  EXPECT_EQ(receiver.arrivals[1].body, receiver.arrivals[0].body);
}

TEST_F(Registry, a_secret_of_another_service_is_refused_naming_it_and_changes_nothing) {
  put_service("a");
  PlainDocument same = document_of("b");
  same.secret = "secret_a";
  const auto refused = put(std::move(same));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  ASSERT_EQ(refused.error().fields.size(), 1U);
  EXPECT_EQ(refused.error().fields[0].pointer, "/secret");
  EXPECT_NE(refused.error().detail.find("\"a\""), std::string::npos);
  EXPECT_FALSE(registry->find("b"));
  EXPECT_EQ(read_services(*reader).value().size(), 1U);
}

TEST_F(Registry, a_service_keeps_its_kind) {
  put_service("a");
  const auto other = std::make_shared<const PlainReceiver>(document_of("a"), "other");
  const auto refused = run(registry->put(other, ServiceSource::api));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_NE(refused.error().detail.find("is of kind plain"), std::string::npos);
  EXPECT_EQ(registry->find("a")->receiver->kind(), "plain");
  ASSERT_TRUE(remove("a"));
  EXPECT_TRUE(run(registry->put(other, ServiceSource::api)));
}

TEST_F(Registry, there_are_as_many_services_as_the_limit_says_and_no_more) {
  services_max = 2;
  restart();
  put_service("a");
  put_service("b");
  const auto refused = put(document_of("c"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::limit_exceeded);
  EXPECT_TRUE(put(document_of("b")));
  ASSERT_TRUE(remove("a"));
  EXPECT_TRUE(put(document_of("c")));
}

TEST_F(Registry, every_change_of_interest_is_a_new_version_and_a_pause_is_none) {
  std::uint64_t last = registry->interest_version();
  const auto changed = [&] { return std::exchange(last, registry->interest_version()) != last; };
  put_service("a");
  EXPECT_TRUE(changed());
  put_service("a");
  EXPECT_FALSE(changed());
  PlainDocument wider = document_of("a");
  wider.types = {"a", "b"};
  ASSERT_TRUE(put(std::move(wider)));
  EXPECT_TRUE(changed());
  const auto interest = registry->interests().at(0).interest;
  EXPECT_TRUE(interest->equals(TypeInterest({"a", "b"}, {"*"})));
  PlainDocument moved = document_of("a");
  moved.types = {"a", "b"};
  moved.url = "http://elsewhere.test";
  ASSERT_TRUE(put(std::move(moved)));
  EXPECT_FALSE(changed());
  EXPECT_EQ(registry->interests().at(0).interest, interest);
  ASSERT_TRUE(run(registry->pause("a")));
  EXPECT_FALSE(changed());
  ASSERT_TRUE(remove("a"));
  EXPECT_TRUE(changed());
}

TEST_F(Registry, a_service_made_anew_under_an_old_id_gets_nothing_of_the_old_one) {
  const auto old = put_service("a");
  ASSERT_TRUE(run(registry->pause("a")));
  deliver("a", 3);
  ASSERT_TRUE(remove("a"));
  const auto anew = put_service("a");
  EXPECT_NE(anew->row.key, old->row.key);
  EXPECT_NE(anew->row.transaction_prefix, old->row.transaction_prefix);
  EXPECT_EQ(anew->behind(), 0);
  EXPECT_TRUE(anew->streams.empty());
  runtime.run_for(minutes{1});
  EXPECT_TRUE(receiver.arrivals.empty());
}

TEST_F(Registry, decisions_that_name_a_deleted_service_are_nobodys_after_a_restart) {
  put_service("a");
  put_service("b");
  ASSERT_TRUE(run(registry->pause("a")));
  ASSERT_TRUE(run(registry->pause("b")));
  deliver_in(*stream, {"a", "b"}, 3, 1);
  ASSERT_TRUE(remove("a"));
  put_service("a");
  restart();
  EXPECT_EQ(registry->all().size(), 2U);
  EXPECT_EQ(registry->find("a")->behind(), 0);
  EXPECT_EQ(registry->find("b")->behind(), 3);
}

TEST_F(Registry, facts_for_a_service_that_is_gone_change_nothing) {
  const ServiceKey gone = put_service("a")->row.key;
  ASSERT_TRUE(remove("a"));
  registry->add_to_inbox(gone, stream->key(), std::vector{StreamId{1}}, runtime.wall_now());
  EXPECT_TRUE(registry->all().empty());
}

TEST_F(Registry, services_come_back_after_a_restart_with_what_waits_and_where_they_stand) {
  Stream* const other = add_stream("other");
  put_service("a");
  deliver("a", 3);
  ASSERT_TRUE(run_until_idle("a"));
  ASSERT_TRUE(run(registry->pause("a")));
  deliver("a", 2, 4);
  fold_all();
  const WallTime oldest = runtime.wall_now();
  runtime.run_for(minutes{1});
  deliver("a", 4, 6);
  deliver_in(*other, {"a"}, 5, 1);
  restart();
  const auto service = registry->find("a");
  EXPECT_EQ(service->behind(), 11);
  EXPECT_EQ(service->delivered(), 3);
  EXPECT_EQ(service->last_transaction(), TransactionNumber{1});
  EXPECT_EQ(service->oldest_appended_at(), oldest);
  ASSERT_EQ(service->streams.size(), 2U);
  const StreamDelivery& first = service->streams.at(stream->key());
  EXPECT_EQ(first.cursor.acknowledged, StreamId{3});
  EXPECT_EQ(first.inbox.acknowledged(), StreamId{3});
  EXPECT_EQ(first.inbox.behind(), 6);
  EXPECT_EQ(service->streams.at(other->key()).inbox.behind(), 5);
  EXPECT_EQ(service->streams.at(other->key()).cursor, DeliveryCursor{});
}

TEST_F(Registry, a_service_that_was_down_is_down_after_a_restart_and_holds_no_positions) {
  Stream* const other = add_stream("other");
  put_service("a");
  deliver_in(*other, {"a"}, 1, 1);
  ASSERT_TRUE(run_until_idle("a"));
  receiver.answer = [](std::size_t) { return ScriptedReceiver::status(500); };
  deliver("a", 2);
  ASSERT_TRUE(runtime.run_until([this] { return stored_state("a").attempts == 1; }));
  restart();
  deliver("a", 3, 3);
  deliver_in(*other, {"a"}, 4, 2);
  const auto service = registry->find("a");
  EXPECT_EQ(service->delivery.status, DeliveryStatus::down);
  EXPECT_EQ(service->behind(), 9);
  for (const auto& [key, each] : service->streams)
    EXPECT_TRUE(each.inbox.slice_after(StreamId{}, 10).empty());
}

TEST_F(Registry, what_the_configuration_declares_the_api_does_not_change) {
  ASSERT_TRUE(declare({document_of("a")}));
  EXPECT_EQ(put(document_of("a")).error().code, Code::conflict);
  EXPECT_EQ(remove("a").error().code, Code::conflict);
  EXPECT_TRUE(registry->find("a"));
}

TEST_F(Registry, what_the_configuration_no_longer_declares_waits_until_it_does_again) {
  ASSERT_TRUE(declare({document_of("a")}));
  restart();
  ASSERT_TRUE(declare({}));
  EXPECT_EQ(registry->find("a")->delivery.status, DeliveryStatus::paused);
  deliver("a", 1);
  runtime.run_for(minutes{1});
  EXPECT_TRUE(receiver.arrivals.empty());

  restart();  // and a start without it changes nothing
  ASSERT_TRUE(declare({}));
  EXPECT_EQ(run(registry->resume("a")).error().code, Code::conflict);

  restart();
  ASSERT_TRUE(declare({document_of("a")}));
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(receiver.arrivals.size(), 1U);
}

TEST_F(Registry, what_is_no_longer_declared_can_be_deleted_or_taken_over_by_the_api) {
  ASSERT_TRUE(declare({document_of("a"), document_of("b")}));
  ASSERT_TRUE(declare({}));
  ASSERT_TRUE(remove("a"));
  ASSERT_TRUE(put(document_of("b")));
  EXPECT_EQ(registry->find("b")->row.source, ServiceSource::api);
  EXPECT_EQ(registry->find("b")->delivery.status, DeliveryStatus::up);
  ASSERT_TRUE(declare({}));
  EXPECT_EQ(registry->find("b")->delivery.status, DeliveryStatus::up);
}

TEST_F(Registry, a_declared_service_may_take_the_secret_of_another_declaration) {
  services_max = 2;
  restart();
  ASSERT_TRUE(declare({document_of("a"), document_of("b")}));
  PlainDocument renamed = document_of("c");
  renamed.secret = "secret_a";
  PlainDocument swapped = document_of("b");
  swapped.secret = "secret_c";
  // At the limit too: what is no longer declared does not count, and what is does.
  ASSERT_TRUE(declare({renamed, swapped}));
  EXPECT_EQ(put(document_of("e")).error().code, Code::limit_exceeded);
  EXPECT_EQ(declare({renamed, swapped, document_of("e")}).error().code, Code::limit_exceeded);
  EXPECT_EQ(registry->find("a")->delivery.status, DeliveryStatus::paused);
  EXPECT_EQ(registry->find("c")->delivery.status, DeliveryStatus::untested);
  PlainDocument taken = document_of("d");
  taken.secret = "secret_c";
  const auto refused = put(std::move(taken));
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_EQ(refused.error().fields.at(0).pointer, "/secret");
}

TEST_F(Registry, a_declaration_takes_a_service_of_the_api_over) {
  put_service("a");
  ASSERT_TRUE(declare({document_of("a")}));
  EXPECT_EQ(registry->find("a")->row.source, ServiceSource::configuration);
  EXPECT_EQ(remove("a").error().code, Code::conflict);
}

TEST_F(Registry, what_another_live_process_declares_goes_on) {
  const PlainDocument a = document_of("a");
  const PlainDocument b = document_of("b");
  ASSERT_TRUE(declare({a, b}, live({{b}, {a, b}})));
  restart();
  ASSERT_TRUE(declare({b}, live({{b}, {a, b}})));
  EXPECT_FALSE(is_undeclared());
  EXPECT_EQ(remove("a").error().code, Code::conflict);
  ASSERT_TRUE(declare({b}, live({{b}})));
  EXPECT_TRUE(is_undeclared());
  ASSERT_TRUE(declare({b}, live({{b}, {a, b}})));
  EXPECT_FALSE(is_undeclared());
  EXPECT_EQ(stored_state("a").status, DeliveryStatus::up);
}

TEST_F(Registry, what_was_paused_goes_on_with_no_document_that_nobody_declares) {
  ASSERT_TRUE(declare({at("http://old.test")}));
  ASSERT_TRUE(declare({}, live({{}})));
  const LiveDeclarations moved = live({{}, {at("http://new.test")}});
  ASSERT_TRUE(declare({}, moved));
  EXPECT_TRUE(is_undeclared()) << "this process does not have the new document";
  ASSERT_TRUE(declare({at("http://new.test")}, moved));
  EXPECT_FALSE(is_undeclared());
  EXPECT_EQ(registry->find("a")->receiver->url(), "http://new.test");
}

TEST_F(Registry, the_document_of_the_newest_configuration_of_a_live_process_stays) {
  const auto url = [this] { return *registry->find("a")->receiver->url(); };
  const auto older = std::vector{at("http://older.test")};
  const auto newer = std::vector{at("http://newer.test")};
  ASSERT_TRUE(declare(older, live({older})));
  ASSERT_TRUE(declare(newer, live({older, newer})));
  EXPECT_EQ(url(), "http://newer.test");
  restart();
  ASSERT_TRUE(declare(older, live({older, newer})));
  EXPECT_EQ(url(), "http://newer.test") << "the lease went back to the older file";
  ASSERT_TRUE(declare(older, live({older})));
  EXPECT_EQ(url(), "http://older.test") << "nobody has the newer file any more";
  ASSERT_TRUE(declare(newer, live({newer, older})));
  EXPECT_EQ(url(), "http://older.test") << "rolled back";
}

TEST_F(Registry,
       of_a_service_that_others_know_by_another_name_only_the_one_declared_here_is_active) {
  const PlainDocument old_name = document_of("a");
  PlainDocument new_name = document_of("b");
  new_name.secret = old_name.secret;
  const LiveDeclarations both = live({{old_name}, {new_name}});
  const auto active = [this] {
    std::vector<std::string> ids;
    for (const auto& [id, service] : registry->all()) {
      if (service->is_active()) ids.push_back(id);
    }
    return ids;
  };
  ASSERT_TRUE(declare({old_name}, live({{old_name}})));
  ASSERT_TRUE(declare({new_name}, both));
  EXPECT_EQ(active(), std::vector<std::string>{"b"});
  restart();
  ASSERT_TRUE(declare({old_name}, both));
  EXPECT_EQ(active(), std::vector<std::string>{"a"}) << "the lease went back to the older file";
  ASSERT_TRUE(declare({new_name}, live({{new_name}})));
  EXPECT_EQ(active(), std::vector<std::string>{"b"});
}

TEST_F(Registry, what_only_others_declare_takes_no_place_from_what_has_replaced_it) {
  services_max = 1;
  restart();
  const PlainDocument a = document_of("a");
  const PlainDocument b = document_of("b");
  ASSERT_TRUE(declare({a}, live({{a}})));
  ASSERT_TRUE(declare({b}, live({{a}, {b}})));
  EXPECT_FALSE(is_undeclared());
  EXPECT_EQ(put(document_of("c")).error().code, Code::limit_exceeded);
}

TEST_F(Registry, an_operators_pause_outlives_a_restart_of_a_declared_service) {
  ASSERT_TRUE(declare({document_of("a")}));
  ASSERT_TRUE(run(registry->pause("a")));
  restart();
  ASSERT_TRUE(declare({document_of("a")}));
  EXPECT_EQ(registry->find("a")->delivery.status, DeliveryStatus::paused);
}

TEST_F(Registry, an_operators_pause_outlives_a_time_without_declaration) {
  const auto causes = [this] { return registry->find("a")->delivery.paused_by; };
  for (const bool is_before : {true, false}) {
    ASSERT_TRUE(declare({document_of("a")}));
    if (is_before) {
      ASSERT_TRUE(run(registry->pause("a")));
    }
    restart();
    ASSERT_TRUE(declare({}));
    if (!is_before) {
      ASSERT_TRUE(run(registry->pause("a")));
    }
    EXPECT_TRUE(causes().has(PauseCause::by_operator));
    EXPECT_TRUE(causes().has(PauseCause::undeclared));
    restart();
    ASSERT_TRUE(declare({document_of("a")}));
    EXPECT_EQ(registry->find("a")->delivery.status, DeliveryStatus::paused);
    EXPECT_EQ(registry->find("a")->delivery.last_error, "paused by an operator");
    ASSERT_TRUE(run(registry->resume("a")));
    EXPECT_EQ(registry->find("a")->delivery.status, DeliveryStatus::up);
    EXPECT_FALSE(causes().any());
  }
}

TEST_F(Registry, a_receivers_stop_outlives_a_time_without_declaration) {
  receiver.answer = [](std::size_t index) {
    return ScriptedReceiver::status(index == 0 ? 410 : 200);
  };
  ASSERT_TRUE(declare({document_of("a")}));
  deliver("a", 1);
  ASSERT_TRUE(
      runtime.run_until([this] { return stored_state("a").status == DeliveryStatus::paused; }));
  ASSERT_TRUE(declare({}));
  ASSERT_TRUE(declare({document_of("a")}));
  EXPECT_EQ(stored_state("a").status, DeliveryStatus::paused);
  EXPECT_TRUE(stored_state("a").paused_by.has(PauseCause::by_receiver));
  EXPECT_NE(stored_state("a").last_error.find("wants nothing more"), std::string::npos);
}

TEST_F(Registry, a_pause_that_was_not_written_leaves_no_cause) {
  put_service("a");
  writer->fail_commits = true;
  EXPECT_FALSE(run(registry->pause("a")));
  EXPECT_FALSE(registry->find("a")->delivery.paused_by.any());
  writer->fail_commits = false;
  ASSERT_TRUE(run(registry->pause("a")));
  writer->fail_commits = true;
  EXPECT_FALSE(run(registry->resume("a")));
  EXPECT_TRUE(registry->find("a")->delivery.paused_by.has(PauseCause::by_operator));
  EXPECT_EQ(registry->find("a")->delivery.status, DeliveryStatus::paused);
  writer->fail_commits = false;
}

TEST_F(Registry, what_could_not_be_written_has_not_happened) {
  put_service("a");
  writer->fail_commits = true;
  EXPECT_EQ(put(document_of("b")).error().code, Code::storage_full);
  EXPECT_EQ(remove("a").error().code, Code::storage_full);
  EXPECT_EQ(run(registry->pause("a")).error().code, Code::storage_full);
  PlainDocument moved = document_of("a");
  moved.url = "http://moved.test";
  EXPECT_EQ(put(std::move(moved)).error().code, Code::storage_full);
  writer->fail_commits = false;
  EXPECT_FALSE(registry->find("b"));
  EXPECT_EQ(registry->find("a")->delivery.status, DeliveryStatus::untested);
  EXPECT_EQ(registry->find("a")->receiver->url(), "http://a.test");
  deliver("a", 1);
  ASSERT_TRUE(run_until_idle("a"));
  EXPECT_EQ(stored_state("a").status, DeliveryStatus::up);
}

TEST_F(Registry, a_service_that_is_not_there_is_named) {
  EXPECT_EQ(remove("no").error().code, Code::not_found);
  EXPECT_EQ(run(registry->pause("no")).error().code, Code::not_found);
  EXPECT_EQ(run(registry->resume("no")).error().code, Code::not_found);
  EXPECT_EQ(registry->retry("no").error().detail, "there is no service \"no\"");
}

TEST_F(Registry, a_retry_timer_from_before_a_pause_does_not_cut_a_later_backoff_short) {
  receiver.answer = [](std::size_t) { return ScriptedReceiver::status(500); };
  put_service("a");
  deliver("a", 1);
  ASSERT_TRUE(
      runtime.run_until([this] { return stored_state("a").attempts == 4; }));  // next in 16 s
  ASSERT_TRUE(run(registry->pause("a")));
  receiver.latency = seconds{30};
  ASSERT_TRUE(run(registry->resume("a")));
  runtime.run_for(seconds{31});
  EXPECT_EQ(receiver.arrivals.size(), 5U);
  EXPECT_EQ(stored_state("a").attempts, 1);
}

}  // namespace
}  // namespace postrider
