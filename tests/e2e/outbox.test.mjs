// An application that appends inside its own transactions, in its own PostgreSQL database.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {after, before, test} from 'node:test';
import {PostgresServer, Receiver, Server, eventually, newApplication, runBinary, temporaryFolder,
  withClient} from './harness.mjs';

let postgres;
before(() => {
  postgres = new PostgresServer().start();
});
after(() => postgres.end());

const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

/** With a table of its own. */
async function newShop() {
  const url = await newApplication(postgres);
  await withClient(url, client => client.query(
    'CREATE TABLE orders (id TEXT PRIMARY KEY, customer TEXT, number BIGSERIAL)'));
  return url;
}

const append = "SELECT postrider.append('events', $1, $2)";
const fact = (id, customer) => ({
  type: 'order.placed', room_id: '!shop:example.test', sender: '@shop:example.test', id, customer,
});

/** One transaction of the application: a row of its own and a fact, or neither. */
async function placeOrder(client, id, customer, end = 'COMMIT') {
  await client.query('BEGIN');
  await client.query(append, [fact(id, customer), customer]);
  // After the fact, so that the numbers of a customer are in the order of the commits.
  await client.query('INSERT INTO orders (id, customer) VALUES ($1, $2)', [id, customer]);
  await client.query(end);
}

async function startServer(url, extra = '') {
  return Server.start(`outbox: {url: "${url}", poll_interval: 5ms}\n${extra}`);
}

async function factsOf(server) {
  const facts = [];
  for (let token = 's0'; ;) {
    const {json} = await server.request('public', 'GET',
      `/v1/streams/events/facts?after=${token}&limit=1000`);
    if (json.facts.length === 0) return facts;
    facts.push(...json.facts.map(each => each.fact));
    token = json.token;
  }
}

async function waiting(url) {
  const rows = await withClient(url, client =>
    client.query('SELECT count(*)::int AS n FROM postrider.outbox'));
  return rows.rows[0].n;
}

test('a fact of a transaction arrives with its commit, and never without', async () => {
  const url = await newShop();
  const receiver = await new Receiver().start();
  const server = await startServer(url);
  await server.putService('shop', `${receiver.url}/shop`);
  await withClient(url, async client => {
    await placeOrder(client, 'o1', 'alice');
    await placeOrder(client, 'o2', 'alice', 'ROLLBACK');
    await placeOrder(client, 'o3', 'alice');
  });
  await eventually('both facts', () => receiver.facts('shop').length === 2);
  assert.deepEqual(receiver.facts('shop').map(each => each.id), ['o1', 'o3']);
  assert.deepEqual(receiver.facts('shop')[0], fact('o1', 'alice'));
  await server.end();
  await receiver.stop();
});

test('the ten lines of the README work from psql', async () => {
  const url = await newShop();
  const server = await startServer(url);
  execFileSync('psql', ['-q', '-v', 'ON_ERROR_STOP=1', url], {input: `
    BEGIN;
    INSERT INTO orders (id, customer) VALUES ('o1', 'alice');
    SELECT postrider.append('events', jsonb_build_object('type', 'order.placed',
      'sender', '@shop:example.org', 'room_id', '!orders:example.org', 'order', 'o1'), 'alice');
    COMMIT;`});
  const facts = await eventually('the fact', async () => {
    const found = await factsOf(server);
    return found.length > 0 && found;
  });
  assert.equal(facts[0].order, 'o1');
  await server.end();
});

test('what was committed while no server ran is all there, once, in order', async () => {
  const url = await newShop();
  const server = await startServer(url);
  await server.kill9();
  await withClient(url, async client => {
    for (let number = 1; number <= 20; number += 1) await placeOrder(client, `o${number}`, 'a');
    await client.query(`SELECT postrider.append('events', jsonb_build_object('type', 'bulk',
      'sender', '@a:b', 'room_id', '!r', 'id', 'b' || n)) FROM generate_series(1, 30000) AS n`);
  });
  await server.start();
  await eventually('an empty outbox', async () => (await waiting(url)) === 0);
  const expected = [];
  for (let number = 1; number <= 20; number += 1) expected.push(`o${number}`);
  for (let number = 1; number <= 30000; number += 1) expected.push(`b${number}`);
  assert.deepEqual((await factsOf(server)).map(each => each.id), expected);
  await server.end();
});

/** Transactions of many connections over a few customers, some of them rolled back. */
async function shop(url, place, isOver) {
  for (let number = 1; !isOver(); number += 1) {
    const order = `w${place}o${number}`;
    const end = number % 5 === 0 ? 'ROLLBACK' : 'COMMIT';
    await withClient(url, client => placeOrder(client, order, `c${number % 3}`, end))
      .catch(() => pause(20));
  }
}

/** Every order whose transaction was committed, by customer, is there once and in order. */
async function compare(url, server) {
  await eventually('an empty outbox', async () => (await waiting(url)) === 0);
  const orders = await withClient(url, client =>
    client.query('SELECT id, customer FROM orders ORDER BY number'));
  const facts = await eventually('as many facts as orders', async () => {
    const found = await factsOf(server);
    return found.length >= orders.rows.length && found;
  });
  assert.equal(facts.length, orders.rows.length);
  assert.ok(facts.length > 50, `only ${facts.length} orders`);
  for (const customer of ['c0', 'c1', 'c2']) {
    const of = list => list.filter(each => each.customer === customer).map(each => each.id);
    assert.deepEqual(of(facts), of(orders.rows));
  }
}

test('killed servers and a killed database cost no fact and bring none twice', async () => {
  const url = await newShop();
  const server = await startServer(url);
  let isOver = false;
  const shops = [1, 2, 3, 4].map(place => shop(url, place, () => isOver));
  for (let turn = 0; turn < 6; turn += 1) {
    await pause(300 + 100 * turn);
    if (turn === 3) {
      postgres.run('kill');
      await pause(200);
      postgres.run('restart');
    } else {
      await server.kill9();
      await server.start();
    }
  }
  isOver = true;
  await Promise.all(shops);
  await compare(url, server);
  await server.end();
});

test('another process goes on when the one that drains stands still', async () => {
  const url = await newShop();
  const database = name => `database: ${postgres.url}\nstorage: {schema: outbox_fleet}
instance_name: ${name}\nfleet: {session_interval: 1s}\n`;
  const servers = [];
  for (const name of ['w1', 'w2']) {
    servers.push(await Server.start(`outbox: {url: "${url}", poll_interval: 5ms}\n`,
      temporaryFolder(), database(name)));
  }
  let isOver = false;
  const shops = [1, 2].map(place => shop(url, place, () => isOver));
  for (const server of [...servers, ...servers]) {
    await pause(500);
    server.child.kill('SIGSTOP');
    await pause(2500);
    server.child.kill('SIGCONT');
  }
  isOver = true;
  await Promise.all(shops);
  await compare(url, servers[0]);
  for (const server of servers) await server.end();
});

test('a role that may only use the schema appends, and reads nothing', async () => {
  const url = await newShop();
  await withClient(url, client => client.query(`CREATE ROLE clerk LOGIN;
    GRANT USAGE ON SCHEMA postrider TO clerk`));
  const clerk = new URL(url);
  clerk.username = 'clerk';
  await withClient(clerk.href, async client => {
    await client.query(append, [fact('o1', 'a'), 'a']);
    await assert.rejects(client.query('SELECT * FROM postrider.outbox'), /permission denied/);
    await assert.rejects(client.query(append, ['[1]', null]), /must be a JSON object/);
  });
  assert.equal(await waiting(url), 1);
});

test('the command line shows what waits and what was refused, and tries it again', async () => {
  const url = await newShop();
  const server = await startServer(url);
  await withClient(url, client => client.query(
    "SELECT postrider.append('unknown', '{\"type\": \"t\"}')"));
  const status = await eventually('the refusal', async () => {
    const shown = await runBinary(['outbox', 'status', '--config', server.configFile]);
    return shown.stdout.includes('refused 1') && shown;
  });
  assert.match(status.stdout,
    /waiting 0\nrefused 1\n {2}\d+ unknown: there is no stream "unknown"/);
  assert.match(server.log, /outbox: 1 rows cannot become facts/);
  await server.kill9();
  const again = await runBinary(['outbox', 'retry', url]);
  assert.equal(again.stdout, '1 rows wait again\n');
  assert.equal(await waiting(url), 1);

  assert.equal((await runBinary(['outbox', 'status', postgres.url])).code, 1);
  assert.equal((await runBinary(['outbox', 'status', 'mysql://a/b'])).code, 2);
  const nowhere = await runBinary(['outbox', 'install'], {cwd: temporaryFolder()});
  assert.equal(nowhere.code, 2);
  assert.match(nowhere.stderr, /which database/);
  const sql = await runBinary(['outbox', 'sql']);
  assert.match(sql.stdout, /CREATE OR REPLACE FUNCTION postrider\.append/);
  await server.end();
});
