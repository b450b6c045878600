import assert from 'node:assert/strict';
import net from 'node:net';
import {afterEach, beforeEach, test} from 'node:test';
import {Receiver, Server, eventually, message} from './harness.mjs';

const quick = 'delivery: {request_timeout: 1s, backoff: {min: 50ms, max: 200ms}}\n';
const patient = 'delivery: {backoff: {min: 1h, max: 2h}}\n';
let receiver;
let server;

beforeEach(async () => { receiver = await new Receiver().start(); });
afterEach(async () => {
  if (server) await server.end();
  server = undefined;
  await receiver.stop();
});

async function startWith(extra) {
  server = await Server.start(extra);
  assert.equal((await server.putService('a', `${receiver.url}/a`)).status, 201);
}

/** Misbehaves `count` times, then answers 200. */
function misbehave(count, how) {
  const well = receiver.answer;
  let left = count;
  receiver.answer = (transaction, response) => {
    left -= 1;
    if (left >= 0) how(response); else well(transaction, response);
  };
}

test('a request carries what the protocol asks for', async () => {
  await startWith(quick);
  await server.append([message(1)]);
  await server.caughtUp('a');
  const [transaction] = receiver.transactions;
  assert.equal(transaction.method, 'PUT');
  assert.match(transaction.url, /^\/a\/_matrix\/app\/v1\/transactions\/[^/]+$/);
  assert.equal(transaction.headers.authorization, 'Bearer hs_a');
  assert.equal(transaction.headers['content-type'], 'application/json');
  assert.equal(transaction.body, JSON.stringify({events: [message(1)]}));
});

const failures = [
  ['HTTP 500', response => response.writeHead(500).end('broken'), /HTTP 500: broken/],
  ['HTTP 301, which is not followed',
    response => response.writeHead(301, {location: `${receiver.url}/elsewhere`}).end(), /301/],
  ['a closed connection', response => response.socket.destroy(), /./],
  ['half an answer', response => {
    response.writeHead(200, {'content-length': '100'});
    response.write('half');
    setTimeout(() => response.socket.destroy(), 20);
  }, /./],
  ['no answer in time', () => {}, /1s|1000|timed|within/],
];
for (const [what, how, cause] of failures) {
  test(`${what}: DOWN with the cause, then the same transaction again until it is taken`,
    async () => {
      await startWith(quick);
      let down;
      misbehave(2, response => {
        down ??= eventually('state down', async () => {
          const service = await server.service('a');
          return service.state === 'down' && service.attempts > 0 && service;
        }, 5).catch(() => undefined);
        how(response);
      });
      await server.append([message(1), message(2)]);
      await server.caughtUp('a');
      const seen = await down;
      if (seen) {
        assert.match(seen.last_error, cause);
        assert.ok(Date.parse(seen.next_attempt_at) > 0);
      }
      const sent = receiver.of('a');
      assert.equal(sent.length, 3);
      assert.equal(new Set(sent.map(each => `${each.id} ${each.body}`)).size, 1);
      assert.ok(receiver.transactions.every(each => each.service === 'a'));
      const service = await server.service('a');
      assert.deepEqual([service.state, service.attempts, service.last_error], ['up', 0, null]);
    });
}

test('an answer of 1 GiB is not read to its end, and its 200 counts', async () => {
  await startWith(quick);
  let written = 0;
  receiver.answer = (_, response) => {
    response.writeHead(200, {'content-length': String(2 ** 30)});
    const part = Buffer.alloc(1 << 16);
    const more = () => {
      while (!response.destroyed && written < 2 ** 30) {
        written += part.length;
        if (!response.write(part)) return void response.once('drain', more);
      }
    };
    more();
  };
  await server.append([message(1)]);
  await server.caughtUp('a');
  assert.ok(written < 2 ** 28, `${written} bytes were taken`);
});

test('after an outage the backlog comes in full transactions, in order', async () => {
  await startWith(quick);
  let down = true;
  const well = receiver.answer;
  receiver.answer = (transaction, response) => {
    if (down) response.writeHead(503).end(); else well(transaction, response);
  };
  for (let i = 0; i < 350; i += 1) await server.append([message(i)]);
  receiver.transactions = [];
  down = false;
  await server.caughtUp('a');
  const taken = receiver.of('a');
  assert.deepEqual(receiver.facts('a').map(fact => fact.event_id),
    Array.from({length: 350}, (_, i) => `$${i}`));
  const sizes = [...new Map(taken.map(each => [each.id, JSON.parse(each.body).events.length]))
    .values()];
  assert.ok(sizes.slice(1, -1).every(size => size === 100), `${sizes}`);
});

test('DOWN and its next attempt survive a restart; nothing is hammered; retry wakes at once',
  async () => {
    await startWith(patient);
    const well = receiver.answer;
    receiver.answer = (_, response) => response.writeHead(500).end();
    await server.append([message(1)]);
    const down = await eventually('state down', async () => {
      const service = await server.service('a');
      return service.state === 'down' && service;
    });
    assert.equal(await server.stop(), 0);
    await server.start();
    const still = await server.service('a');
    assert.deepEqual([still.state, still.attempts, still.next_attempt_at, still.last_error],
      [down.state, down.attempts, down.next_attempt_at, down.last_error]);
    await server.append([message(2)]);
    assert.equal(receiver.transactions.length, 1);
    receiver.answer = well;
    assert.equal((await server.request('admin', 'POST', '/v1/services/a/retry')).status, 200);
    await server.caughtUp('a');
    assert.equal(receiver.transactions[1].body, receiver.transactions[0].body);
    assert.equal(receiver.transactions[1].id, receiver.transactions[0].id);
    assert.equal(receiver.facts('a').length, 2);
  });

test('a paused service gets nothing until it is resumed, then everything', async () => {
  await startWith(quick);
  await server.request('admin', 'POST', '/v1/services/a/pause');
  await server.append([message(1), message(2)]);
  await eventually('the inbox to fill', async () => (await server.service('a')).behind === 2);
  assert.equal((await server.service('a')).state, 'paused');
  assert.equal(receiver.transactions.length, 0);
  await server.request('admin', 'POST', '/v1/services/a/resume');
  await server.caughtUp('a');
  assert.equal(receiver.facts('a').length, 2);
});

test('a deleted service is gone; put again it starts with new facts and new transaction IDs',
  async () => {
    await startWith(quick);
    await server.append([message(1)]);
    await server.caughtUp('a');
    assert.equal((await server.request('admin', 'DELETE', '/v1/services/a')).status, 204);
    assert.equal((await server.request('admin', 'GET', '/v1/services/a')).status, 404);
    await server.append([message(2)]);
    assert.equal((await server.putService('a', `${receiver.url}/a`)).status, 201);
    await server.append([message(3)]);
    await server.caughtUp('a');
    await eventually('the new fact', () => receiver.transactions.length >= 2);
    const ids = receiver.facts('a').map(fact => fact.event_id);
    assert.ok(ids.includes('$1') && ids.includes('$3'));
    assert.equal(new Set(receiver.transactions.map(each => each.id)).size,
      receiver.transactions.length);
  });

test('a service without a URL is accepted, fills its inbox and is never pushed to', async () => {
  await startWith(quick);
  assert.equal((await server.putService('pull', null)).status, 201);
  await server.append([message(1)]);
  await server.caughtUp('a');
  await eventually('its inbox', async () => (await server.service('pull')).behind === 1);
  assert.deepEqual([...new Set(receiver.transactions.map(each => each.service))], ['a']);
});

test('changed namespaces count for what is appended after the change was answered', async () => {
  await startWith(quick);
  const onlyBob = {namespaces: {users: [{exclusive: false, regex: '@bob:'}]}};
  assert.equal((await server.putService('a', `${receiver.url}/a`, onlyBob)).status, 200);
  await server.append([message(1), message(2, {sender: '@bob:example.test'})]);
  // What is not sorted yet when it changes may be decided by either.
  await eventually('the first', () => receiver.facts('a').length === 1);
  await server.putService('a', `${receiver.url}/a`);
  await server.append([message(3)]);
  await eventually('both', () => receiver.facts('a').length === 2);
  assert.deepEqual(receiver.facts('a').map(fact => fact.event_id), ['$2', '$3']);
});

test('tokens that are left out are drawn, shown once, and used', async () => {
  server = await Server.start(quick);
  const answer = await server.putService('a', `${receiver.url}/a`,
    {as_token: undefined, hs_token: undefined});
  assert.match(answer.json.hs_token, /^.{20,}$/);
  const changed = await server.putService('a', `${receiver.url}/a`,
    {as_token: undefined, hs_token: undefined});
  assert.equal(changed.json.hs_token, undefined, 'a change keeps them');
  const shown = (await server.request('admin', 'GET', '/v1/services/a')).text;
  assert.ok(!shown.includes(answer.json.hs_token) && !shown.includes(answer.json.as_token));
  await server.append([message(1)]);
  await server.caughtUp('a');
  assert.equal(receiver.transactions[0].headers.authorization, `Bearer ${answer.json.hs_token}`);
});

test('a kept connection that ends with a request on it costs an attempt, and nothing else',
  async () => {
    // Answers the first request of each connection and closes it when the second one comes.
    let requests = 0;
    const closing = net.createServer(socket => {
      let answered = false;
      socket.on('error', () => {});
      socket.on('data', data => {
        if (!data.includes('PUT ')) return;
        requests += 1;
        if (answered) return void socket.destroy();
        answered = true;
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
      });
    });
    await new Promise(resolve => closing.listen(0, '127.0.0.1', resolve));
    try {
      server = await Server.start(patient);
      await server.putService('a', `http://127.0.0.1:${closing.address().port}/a`);
      for (let i = 0; i < 10; i += 1) {
        await server.append([message(i)]);
        await server.caughtUp('a');
      }
      const service = await server.service('a');
      assert.deepEqual([service.state, service.attempts, service.last_error], ['up', 0, null]);
      const {text} = await server.request('admin', 'GET', '/metrics');
      const count = outcome =>
        Number(new RegExp(`^postrider_transactions_total{outcome="${outcome}"} (\\d+)`, 'm')
          .exec(text)[1]);
      assert.equal(count('delivered'), 10);
      assert.ok(count('failed') > 0);
      assert.equal(requests, count('delivered') + count('failed'), 'none is sent uncounted');
    } finally {
      closing.close();
    }
  });
