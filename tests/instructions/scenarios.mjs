// What is counted. One client does one thing after the other, so that each append is a commit of
// its own and a count is the same each time.
import {makeFacts} from '../../bench/facts.mjs';
import {Receiver, eventually, temporaryFolder} from '../e2e/harness.mjs';
import {CountedServer} from './counted-server.mjs';

const facts = makeFacts(27_000);
const everyone = {users: [{exclusive: false, regex: '@.*'}]};
const roomOf = number => `!room${number}:example.test`;
const factsOfRooms = makeFacts(20_000, (fact, number) => (fact.room_id = roomOf(number % 100)));
const nobody = number => ({users: [{exclusive: false, regex: `@nobody${number}_.*`}]});

class World {
  taken = 0;

  constructor(server, receiver) {
    this.server = server;
    this.receiver = receiver;
  }

  async append(appends, each = 1, from = facts) {
    for (let i = 0; i < appends; i += 1) {
      const body = from.slice(this.taken, this.taken += each).join('\n');
      const {status} = await this.server.appendRaw(body, {'content-type': 'application/x-ndjson'});
      if (status !== 200) throw new Error(`an append was answered ${status}`);
    }
  }

  async put(id, namespaces = everyone) {
    const {status} = await this.server.putService(id, `${this.receiver.url}/${id}`, {namespaces});
    if (status !== 201) throw new Error(`a service was answered ${status}`);
  }

  async turn(id, action) {
    const {status} = await this.server.request('admin', 'POST', `/v1/services/${id}/${action}`);
    if (status !== 200) throw new Error(`${action} was answered ${status}`);
  }

  /** Until `count` transactions have come after those that came before `begin`. */
  async delivered(count, begin) {
    const {transactions} = this.receiver;
    const expected = transactions.length + count;
    await begin();
    await eventually(`${count} transactions`, () => transactions.length === expected, 120);
  }

  /** Gives a paused service what it has waited for. */
  deliver(id, transactions) {
    return this.delivered(transactions, () => this.turn(id, 'resume'));
  }
}

async function paused(world) {
  await world.put('all');
  await world.turn('all', 'pause');
}

async function amongThousand(world) {
  await paused(world);
  for (let i = 1; i < 1000; i += 1) await world.put(`s${i}`, nobody(i));
  // What a commit takes of SQLite depends on the length of the write-ahead log: a new one begins.
  await world.server.stop();
  await world.server.start();
}

/** A connection that was used, then `appends` of 100 facts that wait. */
async function backlog(world, appends) {
  await paused(world);
  await world.append(1);
  await world.deliver('all', 1);
  await world.server.rest();
  await world.turn('all', 'pause');
  await world.append(appends, 100);
}

/** Of each of 100 services 200 facts wait, among those of the others. */
async function backlogs(world) {
  for (let i = 0; i < 100; i += 1) {
    await world.put(`s${i}`, {rooms: [{exclusive: false, regex: `${roomOf(i)}$`}]});
    await world.turn(`s${i}`, 'pause');
  }
  await world.append(200, 100, factsOfRooms);
}

async function catchUp(world, services) {
  for (let i = 0; i < services; i += 1) await world.deliver(`s${i}`, 2);
}

async function appendAndDeliver(world, count) {
  for (let i = 0; i < count; i += 1) {
    await world.delivered(1, () => world.append(1));
    await world.server.rest(2);
  }
}

/** `of` operations are counted in `work`. What is done besides is counted by another scenario,
 * `less`, and taken off. */
export const scenarios = {
  'append of a fact': {
    prepare: world => world.append(100),
    work: world => world.append(300), of: 300,
  },
  'fact in an append of 100': {
    prepare: world => world.append(10, 100),
    work: world => world.append(40, 100), of: 4000,
  },
  'fact in an append of 1000': {
    prepare: world => world.append(2, 1000),
    work: world => world.append(24, 1000), of: 24_000,
  },
  'append of a fact that one service wants': {
    prepare: async world => { await paused(world); await world.append(100); },
    work: world => world.append(300), of: 300,
  },
  'decision of a fact that one service wants': {
    prepare: async world => { await paused(world); await world.append(2, 1000); },
    work: world => world.append(24, 1000), of: 24_000, less: 'fact in an append of 1000',
  },
  'decision of a fact that one of 1000 services wants': {
    prepare: async world => { await amongThousand(world); await world.append(2, 1000); },
    work: world => world.append(24, 1000), of: 24_000, less: 'fact in an append of 1000',
  },
  'append of a fact that is delivered at once': {
    prepare: async world => { await world.put('all'); await appendAndDeliver(world, 20); },
    work: world => appendAndDeliver(world, 100), of: 100,
  },
  'transaction of a fact, of a backlog': {
    transactionFacts: 1, prepare: world => backlog(world, 3),
    work: world => world.deliver('all', 300), of: 300,
  },
  'fact in a transaction of 100, of a backlog': {
    prepare: world => backlog(world, 240),
    work: world => world.deliver('all', 240), of: 24_000,
  },
  'fact in a transaction of 100, of one of 100 services that catch up': {
    prepare: backlogs,
    work: world => catchUp(world, 40), of: 8000,
  },
};

/** Instructions for each operation. */
export async function count(name, profile) {
  const {less, of} = scenarios[name];
  const all = await countAll(scenarios[name], profile);
  return Math.round((less ? all - await countAll(scenarios[less]) : all) / of);
}

async function countAll({prepare, work, transactionFacts = 100}, profile) {
  const receiver = await new Receiver().start();
  const settings = `delivery: {transaction_facts_max: ${transactionFacts}}`;
  const server = new CountedServer(temporaryFolder(), settings);
  try {
    await server.start();
    const world = new World(server, receiver);
    await prepare(world);
    return await server.count(() => work(world), profile);
  } finally {
    await server.end();
    await receiver.stop();
  }
}
