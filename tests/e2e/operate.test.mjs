import assert from 'node:assert/strict';
import {writeFileSync} from 'node:fs';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {Receiver, Server, eventually, message, runBinary, temporaryFolder} from './harness.mjs';

let receiver;
let server;
before(async () => {
  receiver = await new Receiver().start();
  server = await Server.start('metrics: {per_service: true}\n');
  await server.putService('a', `${receiver.url}/a`);
  await server.append([message(1), message(2)]);
  await server.caughtUp('a');
});
after(async () => {
  await server.end();
  await receiver.stop();
});

test('health and readiness answer without a token on both listeners', async () => {
  for (const where of ['public', 'admin']) {
    for (const route of ['/healthz', '/readyz']) {
      assert.equal((await server.request(where, 'GET', route, {token: ''})).status, 200);
    }
  }
});

test('metrics count what happened, in base units', async () => {
  const {text} = await server.request('admin', 'GET', '/metrics', {token: ''});
  for (const line of ['postrider_facts_appended_total 2', 'postrider_facts_sorted_total 2',
    'postrider_facts_delivered_total 2', 'postrider_services{state="up"} 1',
    'postrider_sort_lag_ids{stream="events"} 0', 'postrider_append_seconds_count 1',
    'postrider_delivery_seconds_count 2', 'postrider_facts_per_commit_sum 2',
    'postrider_oldest_undelivered_seconds 0', 'postrider_service_behind_facts{service="a"} 0']) {
    assert.ok(text.includes(`${line}\n`), `${line} is not in\n${text}`);
  }
  const value = name => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)[1]);
  assert.equal(value('postrider_facts_appended_bytes_total'),
    [1, 2].reduce((sum, n) => sum + JSON.stringify(message(n)).length, 0));
  assert.ok(value('postrider_storage_written_bytes_total') >= 0);
  if (!process.env.DATABASE_UNDER_TEST) {
    // At least the log of the pages of each commit.
    const pages = value('postrider_storage_pages_written_total');
    assert.ok(pages >= value('postrider_commits_total'), text);
    assert.ok(value('postrider_storage_written_bytes_total') >= pages * 1024, text);
  }
  const counters = [...text.matchAll(/^# TYPE (\S+) counter/gm)].map(found => found[1]);
  assert.deepEqual(counters.filter(name => !name.endsWith('_total')), []);
});

test('the command line appends, shows and tails with the configuration of the server',
  async () => {
    const folder = temporaryFolder();
    const config = path.join(folder, 'c.yaml');
    writeFileSync(config, `public: {listen: "${server.ready.public}"}
admin: {listen: "${server.ready.admin}"}
tokens: {admin: "change-me-admin", producers: ["change-me-producer"]}
`);
    const appended = await runBinary(['append', 'events', '--config', config,
      '--fact', JSON.stringify(message(3))]);
    assert.equal(appended.code, 0, appended.stderr);
    await server.caughtUp('a');
    const listed = await runBinary(['services', 'list', '--config', config]);
    assert.equal(listed.code, 0, listed.stderr);
    assert.match(listed.stdout, /\ba\b.*\bup\b/);
    const tailed = await runBinary(['tail', 'events', '--config', config, '--after', 's2',
      '--json']);
    assert.equal(tailed.code, 0, tailed.stderr);
    assert.ok(tailed.stdout.includes('"$3"'), tailed.stdout);
    const healthy = await runBinary(['healthcheck', '--config', config]);
    assert.equal(healthy.code, 0, healthy.stderr);
    const wrong = await runBinary(['append', 'nowhere', '--config', config, '--fact', '{}']);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /nowhere/);
  });

test('services of the configuration are declared at start, kept when they vanish', async () => {
  const folder = temporaryFolder();
  writeFileSync(path.join(folder, 'r.yaml'), `id: r
url: ${receiver.url}/r
as_token: as_r
hs_token: hs_r
sender_localpart: rbot
namespaces: {users: [{exclusive: false, regex: '@.*'}]}
`);
  const declared = await Server.start('services: [r.yaml]\n', folder);
  await declared.append([message(1)]);
  await declared.caughtUp('r');
  assert.equal((await declared.putService('r', 'http://127.0.0.1:9')).status, 409);
  assert.equal(await declared.stop(), 0);
  const without = new Server(folder);
  await without.start();
  assert.equal((await without.service('r')).state, 'paused');
  await without.append([message(2)]);
  await without.stop();
  const again = new Server(folder, 'services: [r.yaml]\n');
  await again.start();
  await again.caughtUp('r');
  assert.deepEqual(receiver.facts('r').map(fact => fact.event_id), ['$1', '$2']);
  await again.end();
});

test('a second signal ends a server that waits for what is under way, and nothing is lost',
  async () => {
    const slow = await new Receiver().start();
    const answer = slow.answer;
    slow.answer = () => {};
    const waiting = await Server.start('stop: {grace: 10m}\ndelivery: {request_timeout: 10m}\n');
    await waiting.putService('slow', `${slow.url}/slow`);
    await waiting.append([message(1)]);
    await eventually('the transaction', () => slow.transactions.length === 1);
    waiting.child.kill('SIGTERM');
    await eventually('the word', () => /stopping; another signal/.test(waiting.log));
    await new Promise(resolve => setTimeout(resolve, 200));
    assert.equal(waiting.child.exitCode, null, 'it did not wait');
    waiting.child.kill('SIGINT');
    assert.equal(await waiting.exited, 'SIGINT');
    slow.answer = answer;
    await waiting.start();
    await waiting.caughtUp('slow');
    const [first, again] = slow.transactions;
    assert.equal(again.id, first.id);
    assert.equal(again.body, first.body);
    await waiting.end();
    await slow.stop();
  });
