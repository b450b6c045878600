// Several processes on one PostgreSQL database: through pauses, kills, and the loss of what
// connects them.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {PostgresServer, Receiver, RedisServer, Server, eventually, freePort, message,
  temporaryFolder} from './harness.mjs';

let postgres;
let redis;
let receiver;
before(async () => {
  postgres = new PostgresServer().start();
  redis = await new RedisServer().start();
  receiver = await new Receiver().start();
});
after(async () => {
  await receiver.stop();
  await redis.kill();
  postgres.end();
});

const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

let schemas = 0;

/** Three processes and what connects them: 'redis', 'tcp' or 'polling'. */
async function startFleet(transport, backoff = '{min: 10ms, max: 50ms}') {
  schemas += 1;
  const port = await freePort();
  const servers = [];
  for (const number of [1, 2, 3]) {
    const bus = {
      redis: `replication: {redis: "${redis.url}"}`,
      tcp: `replication: {${number === 1 ? 'listen' : 'connect'}: "127.0.0.1:${port}"}`,
      polling: '',
    }[transport];
    const database = `database: ${postgres.url}\nstorage: {schema: fleet_${schemas}}
instance_name: w${number}\nfleet: {session_interval: 2s}\n${bus}\n`;
    const server = new Server(temporaryFolder(),
      `delivery: {backoff: ${backoff}, request_timeout: 2s}\n`, database);
    await server.start();
    servers.push(server);
  }
  return servers;
}

async function endFleet(servers) {
  for (const server of servers) await server.end();
}

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

/** The facts that a service was given, each transaction counted once. */
function delivered(service) {
  const seen = new Set();
  return receiver.transactions.filter(each => each.service === service)
    .filter(each => !seen.has(each.id) && seen.add(each.id))
    .flatMap(each => JSON.parse(each.body).events.map(event => event.event_id));
}

async function putService(servers, id) {
  await askAny(servers, 0, server => server.putService(id, `${receiver.url}/${id}`),
    answer => [200, 201].includes(answer.status));
}

/** Lets everybody work while `disturb` runs, then checks what all of them saw. */
async function workThrough(servers, service, disturb) {
  await putService(servers, service);
  const producers = servers.map((_, place) => new Producer(servers, place));
  const readers = servers.map((_, place) => new Reader(servers, place));
  await disturb();
  for (const producer of producers) producer.stopped = true;
  await Promise.all(producers.map(each => each.done));
  const answered = producers.flatMap(each => each.answered);
  await eventually('all readers to have everything',
    () => readers.every(reader => reader.facts.length >= answered.length));
  await eventually('the service to have everything',
    () => delivered(service).length >= answered.length);
  for (const reader of readers) reader.stopped = true;
  await Promise.all(readers.map(each => each.done));
  assert.deepEqual([...readers[0].facts].sort(), [...answered].sort());
  for (const reader of readers) assert.deepEqual(reader.facts, readers[0].facts);
  assert.deepEqual(delivered(service), readers[0].facts);
  return answered.length;
}

for (const transport of ['redis', 'tcp', 'polling']) {
  test(`${transport}: a paused and a killed process cost no fact, and nobody waits for them`,
    async () => {
      const servers = await startFleet(transport);
      const count = await workThrough(servers, `pause_${transport}`, async () => {
        await pause(500);
        servers[0].child.kill('SIGSTOP');
        await pause(4000);
        const before = await servers[2].position();
        await eventually('the others to go on', async () => {
          return (await servers[2].position()) > before;
        });
        servers[0].child.kill('SIGCONT');
        await eventually('the paused one to begin anew',
          () => /session \d+ of instance w1 has begun[^]*session \d+ of instance w1 has begun/
            .test(servers[0].log));
        await servers[1].kill9();
        await pause(3000);
        await servers[1].start();
        await pause(500);
      });
      assert.ok(count > 100, `only ${count} facts`);
      await endFleet(servers);
    });

  test(`${transport}: a database that is killed costs no fact`, async () => {
    const servers = await startFleet(transport);
    await workThrough(servers, `database_${transport}`, async () => {
      await pause(500);
      postgres.run('kill');
      await pause(500);
      postgres.run('restart');
      await pause(1000);
    });
    await endFleet(servers);
  });

  test(`${transport}: what one process has answered is there for a reader at another one`,
    async () => {
      const servers = await startFleet(transport);
      await Promise.all(servers.map(async (writer, place) => {
        for (let number = 1; number <= 20; number += 1) {
          const {json} = await writer.append([message(number)]);
          const other = servers[(place + 1) % 3];
          const page = await other.request('public', 'GET',
            `/v1/streams/events/facts?after=s${json.first - 1}&at_least=${json.token}&limit=1000`);
          assert.ok(page.json.facts.some(each => each.id === json.first), page.text);
        }
      }));
      await endFleet(servers);
    });
}

test('redis: a restart of Redis costs no fact', async () => {
  const servers = await startFleet('redis');
  await workThrough(servers, 'redis_restart', async () => {
    await pause(500);
    await redis.kill();
    await pause(1500);
    await redis.start();
    await pause(2500);
  });
  for (const server of servers) {
    await eventually('the connection', () => /connected to Redis[^]*connected to Redis/
      .test(server.log));
  }
  await endFleet(servers);
});

test('a read that waits for what does not come fails', async () => {
  const server = await Server.start('read: {wait_max: 200ms}\n', undefined,
    `database: ${postgres.url}\nstorage: {schema: fleet_wait}`);
  const late = await server.request('public', 'GET',
    '/v1/streams/events/position?at_least=s999999');
  assert.equal(late.status, 504);
  assert.equal(late.json.code, 'deadline');
  const wrong = await server.request('public', 'GET', '/v1/streams/events/facts?at_least=x');
  assert.equal(wrong.status, 400);
  await server.end();
});

test('services are asked for where they are delivered to', async () => {
  const servers = await startFleet('polling');
  const answers = await Promise.all(servers.map(each =>
    each.request('admin', 'GET', '/v1/services')));
  assert.equal(answers.filter(each => each.status === 200).length, 1);
  const others = answers.filter(each => each.status === 503);
  assert.equal(others.length, 2);
  for (const each of others) assert.match(each.json.detail, /instance w1 delivers/);
  await servers[0].stop();
  await eventually('another one to deliver', async () => {
    const later = await Promise.all(servers.slice(1).map(each =>
      each.request('admin', 'GET', '/v1/services')));
    return later.some(each => each.status === 200);
  });
  await endFleet(servers);
});

test('redis: any process takes the word that a service is there again', async () => {
  const servers = await startFleet('redis', '{min: 1h, max: 1h}');
  await putService(servers, 'back');
  const isDown = (_, response) => response.writeHead(503).end();
  const isUp = receiver.answer;
  receiver.answer = isDown;
  await servers[1].append([message(1)]);
  await eventually('the service to be down', async () =>
    (await servers[0].service('back')).state === 'down');
  receiver.answer = isUp;
  const asked = await servers[2].request('admin', 'POST', '/v1/services/back/retry');
  assert.equal(asked.status, 202);
  assert.deepEqual(asked.json, {asked: 'w1'});
  await eventually('the fact', () => delivered('back').length > 0);
  await eventually('the service to be up', async () =>
    (await servers[0].service('back')).state === 'up');
  const odd = await servers[2].request('admin', 'POST', '/v1/services/a%0AREPLICATE/retry');
  assert.equal(odd.status, 503);
  await endFleet(servers);
});
