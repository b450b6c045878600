// Several processes on one PostgreSQL database, who works through them, and what all must see.
import assert from 'node:assert/strict';
import {PostgresServer, Receiver, RedisServer, Server, eventually, freePort, message,
  temporaryFolder} from './harness.mjs';
import {LossyLink, redisPushes, tcpLines} from './lossy-link.mjs';

export const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

/** Asks one server after the other until one answers as it should. */
async function askAny(servers, first, request, accepts) {
  for (let turn = 0; turn < 3000; turn += 1) {
    const server = servers[(first + turn) % servers.length];
    const answer = await Promise.race([request(server), pause(5000)]).catch(() => undefined);
    if (answer && accepts(answer)) return answer;
    await pause(20);
  }
  throw new Error('no server answers');
}

/** Appends one fact after the other, each until it is answered, and remembers which were. */
class Producer {
  answered = [];
  stopped = false;

  constructor(servers, place) {
    this.done = this.run(servers, place);
  }

  async run(servers, place) {
    for (let number = 1; !this.stopped; number += 1) {
      const name = `p${place}n${number}`;
      const fact = {...message(number), event_id: `$${name}`};
      const answer = await askAny(servers, place,
        server => server.append([fact], {'idempotency-key': name}),
        each => each.status === 200);
      assert.equal(answer.json.count, 1);
      this.answered.push(`$${name}`);
    }
  }
}

/** Reads from its token on, at one server as long as it answers. */
class Reader {
  facts = [];
  token = 's0';
  stopped = false;

  constructor(servers, place) {
    this.done = this.run(servers, place);
  }

  async run(servers, place) {
    while (!this.stopped) {
      const page = await askAny(servers, place, server => server.request('public', 'GET',
        `/v1/streams/events/facts?after=${this.token}&limit=1000`), each => each.status === 200);
      this.facts.push(...page.json.facts.map(each => each.fact.event_id));
      this.token = page.json.token;
      await pause(5);
    }
  }
}

export class FleetWorld {
  schemas = 0;
  links = [];

  static async start() {
    const world = new FleetWorld();
    world.postgres = new PostgresServer().start();
    world.redis = await new RedisServer().start();
    world.receiver = await new Receiver().start();
    return world;
  }

  async end() {
    for (const link of this.links) link.stop();
    await this.receiver.stop();
    await this.redis.kill();
    this.postgres.end();
  }

  /** The setting of what connects process `number` of a fleet whose first one listens at `port`. */
  async bus(transport, number, port) {
    const lossy = async (target, frames) => {
      this.links.push(await new LossyLink(target, frames).start());
      return this.links.at(-1).port;
    };
    switch (transport) {
      case 'redis': return `redis: "${this.redis.url}"`;
      case 'lossy_redis':
        return `redis: "redis://127.0.0.1:${await lossy(this.redis.port, redisPushes)}"`;
      case 'tcp':
        return `${number === 1 ? 'listen' : 'connect'}: "127.0.0.1:${port}"`;
      case 'lossy_tcp':
        return number === 1 ? `listen: "127.0.0.1:${port}"` :
          `connect: "127.0.0.1:${await lossy(port, tcpLines)}"`;
      case 'polling': return '';
      default: throw new Error(`no transport ${transport}`);
    }
  }

  /** Three processes and what connects them. */
  async startFleet(transport, {backoff = '{min: 10ms, max: 50ms}', extra = ''} = {}) {
    this.schemas += 1;
    const port = await freePort();
    const servers = [];
    for (const number of [1, 2, 3]) {
      const database = `database: ${this.postgres.url}\nstorage: {schema: fleet_${this.schemas}}
instance_name: w${number}\nfleet: {session_interval: 2s}
replication: {${await this.bus(transport, number, port)}}\n`;
      const server = new Server(temporaryFolder(),
        `delivery: {backoff: ${backoff}, request_timeout: 2s}\n${extra}`, database);
      await server.start();
      servers.push(server);
    }
    return servers;
  }

  /** The facts that a service was given, each transaction counted once. */
  delivered(service) {
    const seen = new Set();
    return this.receiver.transactions.filter(each => each.service === service)
      .filter(each => !seen.has(each.id) && seen.add(each.id))
      .flatMap(each => JSON.parse(each.body).events.map(event => event.event_id));
  }

  async putService(servers, id) {
    await askAny(servers, 0, server => server.putService(id, `${this.receiver.url}/${id}`),
      answer => [200, 201].includes(answer.status));
  }

  /** Lets everybody work while `disturb` runs, then checks what all of them saw. */
  async workThrough(servers, service, disturb) {
    await this.putService(servers, service);
    const producers = servers.map((_, place) => new Producer(servers, place));
    const readers = servers.map((_, place) => new Reader(servers, place));
    await disturb();
    for (const producer of producers) producer.stopped = true;
    await Promise.all(producers.map(each => each.done));
    const answered = producers.flatMap(each => each.answered);
    await eventually('all readers to have everything',
      () => readers.every(reader => reader.facts.length >= answered.length));
    await eventually('the service to have everything',
      () => this.delivered(service).length >= answered.length);
    for (const reader of readers) reader.stopped = true;
    await Promise.all(readers.map(each => each.done));
    assert.deepEqual([...readers[0].facts].sort(), [...answered].sort());
    for (const reader of readers) assert.deepEqual(reader.facts, readers[0].facts);
    assert.deepEqual(this.delivered(service), readers[0].facts);
    return answered.length;
  }
}

export async function endFleet(servers) {
  for (const server of servers) await server.end();
}
