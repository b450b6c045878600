import assert from 'node:assert/strict';
import {copyFileSync, readFileSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {test} from 'node:test';
import {Receiver, Server, eventually, message, temporaryFolder} from './harness.mjs';

function noise(length) {
  let text = '';
  while (text.length < length) text += Math.random().toString(36).slice(2);
  return text.slice(0, length);
}

function noisyBatch(number) {
  return Array.from({length: 20}, (_, i) =>
    message(number * 20 + i, {content: {body: noise(5000)}}));
}

test('a full database answers 507 and takes appends again when there is room', async () => {
  const receiver = await new Receiver().start();
  const server = await Server.start('storage: {size_max: 4MiB}\n');
  await server.putService('a', `${receiver.url}/a`);
  const answered = [];
  let answer;
  for (let i = 0; i < 200; i += 1) {
    answer = await server.append(noisyBatch(i));
    if (answer.status !== 200) break;
    answered.push(answer.json);
  }
  assert.equal(answer.status, 507, answer.text);
  assert.equal(answer.json.code, 'storage_full');
  const read = await server.request('public', 'GET', '/v1/streams/events/facts?limit=1');
  assert.equal(read.status, 200);
  assert.equal(await server.position(), answered.at(-1).last);

  await server.stop();
  const roomy = new Server(server.folder, 'storage: {size_max: 64MiB}\n');
  await roomy.start();
  assert.equal((await roomy.append([message(1_000_000)])).status, 200);
  await roomy.caughtUp('a');
  const expected = answered.reduce((sum, each) => sum + each.count, 0) + 1;
  assert.equal(receiver.facts('a').length, expected);
  await roomy.end();
  await receiver.stop();
});

test('under steady traffic the file stops growing, and what waits is never deleted', async () => {
  const receiver = await new Receiver().start();
  const retaining = new Server(temporaryFolder());
  writeFileSync(retaining.configFile, readFileSync(retaining.configFile, 'utf8')
    .replace('{format: matrix}', '{format: matrix, retain: 1s}'));
  await retaining.start();
  await retaining.putService('a', `${receiver.url}/a`);
  await retaining.putService('waits', null, {namespaces: {users: [{exclusive: false,
    regex: '@late:'}]}});
  const size = () => statSync(path.join(retaining.folder, 'postrider.db')).size;
  const dropped = async () => Number(/^postrider_facts_dropped_total (\d+)/m.exec(
    (await retaining.request('admin', 'GET', '/metrics')).text)[1]);
  const batches = 300;
  let number = 0;
  while (number < batches) {
    await retaining.append(noisyBatch(number += 1));
    await eventually('retention to keep up', async () => number * 20 - await dropped() <= 1000);
  }
  const appendedBytes = batches * 20 * 5000;
  assert.ok(size() < appendedBytes / 2, `${size()} bytes for ${appendedBytes} appended`);

  const late = await retaining.append([message(1, {sender: '@late:example.test'})]);
  const before = await dropped();
  await retaining.caughtUp('a');
  await retaining.append(noisyBatch(number += 1));
  await new Promise(resolve => setTimeout(resolve, 2500));
  assert.ok(await dropped() >= before);
  const kept = await retaining.request('public', 'GET',
    `/v1/streams/events/facts?after=s${late.json.first - 1}&limit=1`);
  assert.equal(kept.json.facts[0].id, late.json.first);
  const gone = await retaining.request('public', 'GET', '/v1/streams/events/facts?after=s0');
  assert.equal(gone.status, 410);
  await retaining.end();
  await receiver.stop();
});

const logged = (server, line) => eventually(`${line} in the log`, () => line.test(server.log), 10);

const filesUnderServer = {
  'is deleted': {file: 'postrider.db', change: rmSync},
  'is replaced': {file: 'postrider.db', change: file => {
    copyFileSync(file, `${file}.copy`);
    renameSync(`${file}.copy`, file);
  }},
  'has its log deleted': {file: 'postrider.db-wal', change: rmSync},
};

for (const [what, {file, change}] of Object.entries(filesUnderServer)) {
  test(`a database that ${what} under a server takes nothing more`, async () => {
    const folder = temporaryFolder();
    const server = await Server.start('', folder, `database: sqlite:${folder}/postrider.db`);
    assert.equal((await server.append([message(1)])).status, 200);
    change(path.join(folder, file));
    if (file === 'postrider.db') {
      assert.equal((await server.request('public', 'GET', '/readyz')).status, 503);
      await logged(server, /database: its file is no longer where it was/);
    }
    const refused = await server.append([message(2)]);
    assert.equal(refused.status, 500);
    assert.match(refused.json.detail, /was deleted, moved or replaced.*Put the file back/);
    assert.equal((await server.request('public', 'GET', '/readyz')).status, 503);
    await logged(server, /nothing can be committed.*was deleted, moved or replaced/);
    const read = await server.request('public', 'GET', '/v1/streams/events/facts');
    assert.equal(read.json.facts.length, 1);
    await server.end();
  });
}
