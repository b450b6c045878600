// From SQLite to PostgreSQL.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import net from 'node:net';
import {after, before, test} from 'node:test';
import {PostgresServer, Receiver, Server, binary, eventually, message, runBinary, temporaryFolder,
  withClient} from './harness.mjs';

let postgres;
let receiver;
before(async () => {
  postgres = new PostgresServer().start();
  receiver = await new Receiver().start();
});
after(async () => {
  await receiver.stop();
  postgres.end();
});

const quick = 'delivery: {backoff: {min: 10ms, max: 50ms}}\n';

/** An SQLite installation with facts, of which a service has the first half. */
async function makeInstallation(count) {
  const folder = temporaryFolder();
  const source = `sqlite:${folder}/postrider.db`;
  const server = await Server.start(quick, folder, `database: ${source}`);
  await server.putService('a', `${receiver.url}/a`);
  for (let number = 1; number <= count; number += 1) {
    if (number === count / 2) {
      await server.caughtUp('a');
      await server.request('admin', 'POST', '/v1/services/a/pause');
    }
    await server.append([message(number)], {'idempotency-key': `k${number}`});
  }
  const facts = (await server.request('public', 'GET',
    '/v1/streams/events/facts?limit=1000')).json.facts;
  assert.equal(await server.stop(), 0);
  return {source, server, facts};
}

/** Takes its time with everything that goes to the database; gives the URL through it. */
async function slowLink(url) {
  const {port} = new URL(url);
  const link = net.createServer(client => {
    const server = net.connect(port, '127.0.0.1');
    server.on('error', () => {});
    client.on('error', () => server.destroy());
    server.pipe(client);
    client.on('end', () => server.end());
    client.on('data', bytes => {
      client.pause();
      server.write(bytes);
      setTimeout(() => client.resume(), 50);
    });
  });
  await new Promise(resolve => link.listen(0, '127.0.0.1', resolve));
  link.url = url.replace(`:${port}/`, `:${link.address().port}/`);
  return link;
}

/** Begins the copy, ends it with the signal once there are rows in the target; gives its code. */
async function copyUntil(signal, source, target, schema) {
  const link = await slowLink(target);
  const child = spawn(binary, ['db', 'copy', source, link.url, '--schema', schema],
    {stdio: 'ignore'});
  const exited = new Promise(resolve => child.once('exit', (code, by) => resolve(by ?? code)));
  await withClient(target, client => eventually('rows in the target', async () => {
    const {rows} = await client.query(
      `SELECT to_regclass('${schema}.unfinished_copy') IS NOT NULL AS begun`);
    if (!rows[0].begun) return false;
    return (await client.query(`SELECT count(*)::int AS n FROM ${schema}.streams`)).rows[0].n > 0;
  }));
  child.kill(signal);
  const code = await exited;
  link.close();
  return code;
}

test('an installation works on in PostgreSQL, through interrupted copies', async () => {
  receiver.transactions = [];
  const {source, server, facts} = await makeInstallation(200);
  assert.equal(await copyUntil('SIGINT', source, postgres.url, 'copied'), 3);
  const {configFile} = new Server(temporaryFolder(), quick,
    `database: ${postgres.url}\nstorage: {schema: copied}`);
  const early = await runBinary(['serve', '--config', configFile]);
  assert.equal(early.code, 1);
  assert.match(early.stderr, /a copy that is not finished; run the same `postrider db copy` again/);
  assert.equal(await copyUntil('SIGKILL', source, postgres.url, 'copied'), 'SIGKILL');
  const again = await runBinary(['db', 'copy', source, postgres.url, '--schema', 'copied']);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stdout, /rows copied and compared/);
  const twice = await runBinary(['db', 'copy', source, postgres.url, '--schema', 'copied']);
  assert.equal(twice.code, 0, twice.stderr);
  assert.match(twice.stdout, /rows were copied before, and compared: both hold the same/);
  await withClient(postgres.url, client =>
    client.query('UPDATE copied.services SET created_at = created_at + 1'));
  const changed = await runBinary(['db', 'copy', source, postgres.url, '--schema', 'copied']);
  assert.equal(changed.code, 1);
  assert.match(changed.stderr, /the target has 1 rows in streams, and not what the file holds/);
  assert.match(changed.stderr, /table services has 1 rows/);
  await withClient(postgres.url, client =>
    client.query('UPDATE copied.services SET created_at = created_at - 1'));
  const copied = await Server.start(quick, undefined,
    `database: ${postgres.url}\nstorage: {schema: copied}`);
  const read = await copied.request('public', 'GET', '/v1/streams/events/facts?limit=1000');
  assert.deepEqual(read.json.facts, facts);
  await copied.request('admin', 'POST', '/v1/services/a/resume');
  const later = await copied.append([message(201)]);
  assert.ok(later.json.first > 200);
  const retried = await copied.append([message(7)], {'idempotency-key': 'k7'});
  assert.equal(retried.json.first, 7);
  await copied.caughtUp('a');
  assert.deepEqual(receiver.facts('a').map(each => each.event_id),
    Array.from({length: 201}, (_, index) => `$${index + 1}`));
  await copied.end();
  await server.end();
});

test('a target that holds something, a running source and a missing one are refused', async () => {
  const {source, server} = await makeInstallation(4);
  const other = await Server.start(quick, undefined,
    `database: ${postgres.url}\nstorage: {schema: taken}`);
  await other.stop();
  const taken = await runBinary(['db', 'copy', source, postgres.url, '--schema', 'taken']);
  assert.equal(taken.code, 1);
  assert.match(taken.stderr,
    /the target has 1 rows in streams, and not what .*; copy into an empty schema/);
  await server.start();
  const running = await runBinary(['db', 'copy', source, postgres.url, '--schema', 'running']);
  assert.equal(running.code, 1);
  const missing = await runBinary(['db', 'copy', 'sqlite:/nowhere', postgres.url]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /there is no file \/nowhere/);
  const turned = await runBinary(['db', 'copy', postgres.url, source]);
  assert.equal(turned.code, 2);
  await server.end();
  await other.end();
});
