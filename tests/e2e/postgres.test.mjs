// PostgreSQL as the database: what is true of no other one.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {after, before, test} from 'node:test';
import {ForgetfulLink} from './forgetful-link.mjs';
import {PostgresServer, Receiver, Server, binary, eventually, message, temporaryFolder}
  from './harness.mjs';

let postgres;
before(() => (postgres = new PostgresServer().start()));
after(() => postgres.end());

const start = (extra = '') => Server.start(extra, undefined, `database: ${postgres.url}`);

async function killThreeTimes() {
  for (let kill = 0; kill < 3; kill += 1) {
    await new Promise(resolve => setTimeout(resolve, 300));
    postgres.run('kill');
    await new Promise(resolve => setTimeout(resolve, 300));
    postgres.run('restart');
  }
}

/** Appends under a key until it is answered 200, as a careful producer does. */
async function appendSurely(server, number) {
  return eventually(`append ${number} to be answered`, async () => {
    const answer = await server.append([message(number)], {'idempotency-key': `k${number}`});
    return answer.status === 200 && answer.json;
  });
}

test('a database that is killed and started again costs nothing that was answered', async () => {
  const receiver = await new Receiver().start();
  const server = await start('delivery: {backoff: {min: 10ms, max: 20ms}}\n');
  await server.putService('a', `${receiver.url}/a`);
  const answered = [];
  let killing = true;
  const producing = (async () => {
    for (let number = 1; killing || number <= 100; number += 1) {
      answered.push(await appendSurely(server, number));
    }
  })();
  await killThreeTimes();
  killing = false;
  await producing;
  await server.caughtUp('a');
  const numbers = receiver.facts('a').map(fact => Number(fact.event_id.slice(1)));
  assert.deepEqual(numbers, answered.map((_, index) => index + 1));
  assert.equal(receiver.overlaps, 0);
  assert.equal(await server.stop(), 0);
  await server.end();
  await receiver.stop();
});

test('what is appended once while the database is killed is there once, or not at all',
  async () => {
    const server = await Server.start('', undefined,
      `database: ${postgres.url}\nstorage: {schema: without_keys}`);
    const answered = [];
    const unanswered = [];
    let killing = true;
    const producing = Promise.all([0, 1, 2, 3].map(async producer => {
      for (let number = producer; killing; number += 4) {
        const {status} = await server.append([message(number)]);
        (status === 200 ? answered : unanswered).push(`$${number}`);
      }
    }));
    await killThreeTimes();
    killing = false;
    await producing;
    const stored = [];
    for (let token = 's0', count = -1; count !== 0;) {
      const {json} = await server.request('public', 'GET',
        `/v1/streams/events/facts?after=${token}&limit=1000`);
      stored.push(...json.facts.map(each => each.fact.event_id));
      [token, count] = [json.token, json.facts.length];
    }
    assert.equal(new Set(stored).size, stored.length, 'twice');
    assert.ok(answered.length > 0);
    for (const each of answered) assert.ok(stored.includes(each), `${each} is lost`);
    const known = new Set([...answered, ...unanswered]);
    assert.deepEqual(stored.filter(each => !known.has(each)), []);
    await server.end();
  });

test('a second server of the same name is refused', async () => {
  const server = await start();
  const second = spawnSync(binary, ['serve', '--config', server.configFile], {encoding: 'utf8'});
  assert.equal(second.status, 1);
  assert.match(second.stderr, /another postrider named postrider works on schema postrider/);
  await server.end();
});

test('a server without its database answers 503 and works on when it is back', async () => {
  const server = await start();
  await appendSurely(server, 1);
  postgres.run('kill');
  const answer = await server.append([message(2)]);
  assert.equal(answer.status, 503);
  assert.equal(answer.json.code, 'storage_unavailable');
  postgres.run('restart');
  await appendSurely(server, 3);
  await server.end();
});

test('no password of the URL is in a message', async () => {
  const url = postgres.url.replace('postgres@', 'postgres:hush@').replace(/:(\d+)\//, ':1/');
  const {configFile} = new Server(temporaryFolder(), 'start: {database_wait: 0s}\n',
    `database: ${url}`);
  const refused = spawnSync(binary, ['serve', '--config', configFile], {encoding: 'utf8'});
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /127\.0\.0\.1/);
  assert.doesNotMatch(refused.stderr, /hush/);
});

async function startThroughLink(schema) {
  const link = await new ForgetfulLink(postgres.url).start();
  const server = await Server.start('', undefined,
    `database: ${link.url}\nstorage: {schema: ${schema}}`);
  return {link, server};
}

const isReady = async server => (await server.request('public', 'GET', '/readyz')).status === 200;

test('a connection that only the server still has is replaced', async () => {
  const {link, server} = await startThroughLink('forgotten');
  await appendSurely(server, 1);
  link.forget();
  for (let number = 2; number <= 20; number += 1) await appendSurely(server, number);
  const {json} = await server.request('public', 'GET', '/v1/streams/events/facts?limit=1000');
  assert.deepEqual(json.facts.map(each => each.fact.event_id),
    Array.from({length: 20}, (_, index) => `$${index + 1}`));
  await eventually('the server to be ready', () => isReady(server));
  assert.match(server.log, /backend \d+, which still has the name postrider of this process/);
  await server.end();
  link.stop();
});

test('a process that died without the server noticing can be started again', async () => {
  const {link, server} = await startThroughLink('died');
  await appendSurely(server, 1);
  link.down();
  await server.kill9();
  link.up();
  await server.start();
  await appendSurely(server, 2);
  assert.match(server.log, /its process is taken for dead/);
  await server.end();
  link.stop();
});

test('a server that does not reach its database answers 503, and is not ready until it does',
  async () => {
    const {link, server} = await startThroughLink('away');
    await appendSurely(server, 1);
    link.down();
    const answer = await server.append([message(2)]);
    assert.equal(answer.status, 503);
    assert.equal(await isReady(server), false);
    assert.equal((await server.request('public', 'GET', '/healthz')).status, 200);
    assert.match(server.log, /database: nothing can be committed until it works again/);
    link.up();
    await eventually('the server to be ready again', () => isReady(server));
    await appendSurely(server, 3);
    assert.match(server.log, /database: commits succeed again/);
    await server.end();
    link.stop();
  });

test('a start waits for a database that is away, unless it is told to stop', async () => {
  const own = new PostgresServer().start();
  const server = new Server(temporaryFolder(), '', `database: ${own.url}`);
  own.run('kill');
  const started = server.start();
  await eventually('the server to wait', () => server.log.includes('the start waits for it'));
  own.run('restart');
  await started;
  await appendSurely(server, 1);
  assert.equal(await server.stop(), 0);
  own.run('kill');
  server.log = '';
  const stopped = assert.rejects(server.start(), /the server ended \(0\)/);
  await eventually('the server to wait', () => server.log.includes('the start waits for it'));
  server.child.kill('SIGTERM');
  await stopped;
  assert.match(server.log, /stopped before the database was there/);
  await server.end();
  own.end();
});

test('a start does not wait for what will not pass', async () => {
  const refusals = [
    [postgres.url.replace(/postgres$/, 'nowhere'), /database "nowhere" does not exist/],
    [postgres.url.replace('postgres@', 'nobody@'), /role "nobody" does not exist/],
  ];
  for (const [url, reason] of refusals) {
    const {configFile} = new Server(temporaryFolder(), '', `database: ${url}`);
    const refused = spawnSync(binary, ['serve', '--config', configFile], {encoding: 'utf8'});
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, reason);
    assert.doesNotMatch(refused.stderr, /waits for it/);
  }
});
