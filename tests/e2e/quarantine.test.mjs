import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import http from 'node:http';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {Receiver, Server, adminToken, eventually, message, producerToken, runBinary}
  from './harness.mjs';

// The file of a server is altered while it does not run.
const onSqlite = {skip: process.env.DATABASE_UNDER_TEST ? 'alters the file' : false};

let receiver;
let server;
let spared;
before(async () => {
  if (onSqlite.skip) return;
  receiver = await new Receiver().start();
  server = await Server.start();
  await server.putService('a', `${receiver.url}/a`);
  await server.request('admin', 'POST', '/v1/services/a/pause');
  for (let batch = 0; batch < 3; batch += 1) {
    await server.append([message(2 * batch + 1), message(2 * batch + 2)]);
  }
  await server.stop();
  spared = sql('SELECT hex(data) FROM blocks WHERE last_id = 4');
  sql("UPDATE blocks SET data = CAST(replace(data, '$3', '$9') AS BLOB) WHERE last_id = 4");
  await server.start();
});
after(async () => {
  if (onSqlite.skip) return;
  await server.end();
  await receiver.stop();
});

function sql(statement) {
  return execFileSync('sqlite3', [path.join(server.folder, 'postrider.db'), statement]).toString()
    .trim();
}

function cli(...args) {
  const env = {...process.env, POSTRIDER_URL: `http://${server.ready.public}`,
    POSTRIDER_ADMIN_URL: `http://${server.ready.admin}`,
    POSTRIDER_TOKEN: args[0] === 'tail' ? producerToken : adminToken};
  return runBinary(args, {env});
}

function entries() {
  return server.request('admin', 'GET', '/v1/quarantine').then(answer => answer.json.entries);
}

/** The names of the first events that a follower gets. */
function follow(count) {
  const [host, port] = server.ready.public.split(':');
  return new Promise((resolve, reject) => {
    const request = http.get({host, port, path: '/v1/streams/events/follow?after=s0', headers: {
      authorization: `Bearer ${producerToken}`}}, response => {
      let text = '';
      response.on('data', data => {
        text += data;
        const names = [...text.matchAll(/^event: (.*)$/gm)].map(match => match[1]);
        if (names.length < count) return;
        request.destroy();
        resolve(names.slice(0, count));
      });
    });
    request.on('error', error => error.code === 'ECONNRESET' || reject(error));
  });
}

test('a service gets what is sound when a block is altered on the disk', onSqlite, async () => {
  await server.request('admin', 'POST', '/v1/services/a/resume');
  await server.caughtUp('a');
  assert.deepEqual(receiver.facts('a').map(fact => fact.event_id), ['$1', '$2', '$5', '$6']);
  const [entry] = await entries();
  assert.deepEqual([entry.stream, entry.first, entry.last], ['events', 3, 4]);
  assert.match(entry.cause, /checksum/);
  const {text} = await server.request('admin', 'GET', '/metrics');
  assert.ok(text.includes('postrider_facts_quarantined_total 2\n'), text);
  assert.match(server.log, /facts 3 to 4 are passed by and put in quarantine/);
  assert.ok(!server.log.includes('$9'), 'the log shows what the fact holds');
});

test('a reader is told what it does not get, and where to go on', onSqlite, async () => {
  const read = place => server.request('public', 'GET', `/v1/streams/events/facts?after=${place}`);
  const first = await read('s0');
  assert.equal(first.json.facts.length, 2);
  const damaged = await read(first.json.token);
  assert.equal(damaged.status, 500);
  assert.equal(damaged.json.code, 'facts_unreadable');
  assert.match(damaged.json.detail, /read from token s4 on/);
  assert.equal((await read('s4')).json.facts[0].id, 5);
  assert.deepEqual(await follow(5), ['fact', 'fact', 'unreadable', 'fact', 'fact']);
  const tailed = await cli('tail', 'events', '--after', 's4');
  assert.equal(tailed.stdout.trim().split('\n').length, 2);
});

test('what is still damaged stays in quarantine', onSqlite, async () => {
  const retried = await cli('quarantine', 'retry', 'events', '3');
  assert.equal(retried.code, 1);
  assert.match(retried.stderr, /still cannot be read/);
  const listed = await cli('quarantine', 'list');
  assert.match(listed.stdout, /^stream events, facts 3 to 4, since .*checksum/);
  for (const place of ['events/0', 'events/x', 'events/4', 'other/3']) {
    const answer = await server.request('admin', 'DELETE', `/v1/quarantine/${place}`);
    assert.ok([400, 404].includes(answer.status), `${place}: ${answer.text}`);
  }
  assert.equal((await entries()).length, 1);
  assert.equal((await server.request('admin', 'GET', '/v1/quarantine', {token: 'x'})).status, 401);
});

test('what was restored is delivered after a retry, at the end', onSqlite, async () => {
  await server.stop();
  sql(`UPDATE blocks SET data = X'${spared}' WHERE last_id = 4`);
  await server.start();
  const retried = await cli('quarantine', 'retry', 'events', '3');
  assert.equal(retried.stdout, 'appended again to stream events as facts 7 to 8\n');
  await eventually('the facts', () => receiver.facts('a').length === 6);
  assert.deepEqual(receiver.facts('a').map(fact => fact.event_id).slice(4), ['$3', '$4']);
  assert.equal((await cli('quarantine', 'list')).stdout, 'nothing is in quarantine\n');
});

test('an entry is dropped, and a server with it starts again', onSqlite, async () => {
  await server.request('admin', 'POST', '/v1/services/a/pause');
  await server.append([message(9)]);
  await server.stop();
  sql("UPDATE blocks SET data = X'00' WHERE last_id = 9");
  await server.start();
  await server.request('admin', 'POST', '/v1/services/a/resume');
  await eventually('the entry', async () => (await entries()).length === 1);
  const dropped = await cli('quarantine', 'drop', 'events', '9');
  assert.equal(dropped.stdout, 'dropped what began with fact 9 of stream events\n');
  assert.equal((await entries()).length, 0);
  assert.equal((await cli('quarantine', 'drop', 'events', '9')).code, 1);
  await server.append([message(10)]);
  await eventually('the next fact', () =>
    receiver.facts('a').some(fact => fact.event_id === '$10'));
});
