// kill -9 at random moments during append and delivery; then guarantees 1 to 4 of the design are
// read from what the receiver got.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Receiver, Server, message} from './harness.mjs';

const kills = Number(process.env.POSTRIDER_KILLS ?? 50);
const seed = Number(process.env.POSTRIDER_SEED ?? Date.now() % 1_000_000);

function randomNumbers(state) {
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

/** Appends batches until the server dies; remembers which were answered. */
async function appendUntilDeath(server, next, answered) {
  while (true) {
    const number = next();
    const facts = [message(number * 10), message(number * 10 + 1), message(number * 10 + 2)];
    try {
      const answer = await server.append(facts);
      if (answer.status === 200) answered.set(number, answer.json);
    } catch {
      return;
    }
  }
}

test(`${kills} kills lose nothing that was answered (POSTRIDER_SEED=${seed})`, async () => {
  const random = randomNumbers(seed);
  const behind = random(2) * (1 + random(8));
  const receiver = await new Receiver().start();
  const well = receiver.answer;
  receiver.answer = (transaction, response) => {
    if (random(10) === 0) return void response.writeHead(500).end();
    setTimeout(() => well(transaction, response), random(8));
  };
  const server = await Server.start('delivery: {transaction_facts_max: 7,' +
    ` acknowledge_behind: ${behind}, backoff: {min: 10ms, max: 20ms}}\n`);
  await server.putService('a', `${receiver.url}/a`);
  await server.putService('b', `${receiver.url}/b`);
  const answered = new Map();
  let number = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    const producers = [0, 1, 2].map(() => appendUntilDeath(server, () => (number += 1), answered));
    await new Promise(resolve => setTimeout(resolve, 5 + random(120)));
    await server.kill9();
    await Promise.all(producers);
    await server.start();
  }
  await server.caughtUp('a', 120);
  await server.caughtUp('b', 120);

  assert.ok(answered.size > kills, `only ${answered.size} appends were answered`);
  assert.equal(receiver.overlaps, 0, 'two transactions of one service were in flight');
  const stored = await readAll(server);
  assertAnsweredAreStored(answered, stored);
  for (const service of ['a', 'b']) assertDelivered(receiver, service, stored, 1 + behind);
  assert.equal(await server.stop(), 0);
  await server.end();
  await receiver.stop();
});

async function readAll(server) {
  const facts = [];
  for (let after = 's0'; ;) {
    const page = (await server.request('public', 'GET',
      `/v1/streams/events/facts?limit=1000&after=${after}`)).json;
    if (page.facts.length === 0) return facts;
    facts.push(...page.facts);
    after = page.token;
  }
}

/** Guarantee 1: answered appends are there, under the IDs that were answered. */
function assertAnsweredAreStored(answered, stored) {
  const byId = new Map(stored.map(entry => [entry.id, entry.fact.event_id]));
  for (const [number, answer] of answered) {
    for (let i = 0; i < 3; i += 1) {
      assert.equal(byId.get(answer.first + i), `$${number * 10 + i}`, `append ${number} was lost`);
    }
  }
}

/** Guarantees 2 and 3: in order, without a gap, each once for who remembers the last IDs. */
function assertDelivered(receiver, service, stored, remembers) {
  const bytes = new Map();
  for (const transaction of receiver.of(service)) {
    const before = bytes.get(transaction.id) ?? transaction.body;
    assert.equal(transaction.body, before, `transaction ${transaction.id} changed its bytes`);
    bytes.set(transaction.id, before);
  }
  assert.deepEqual(receiver.facts(service, remembers).map(fact => fact.event_id),
    stored.map(entry => entry.fact.event_id));
}
