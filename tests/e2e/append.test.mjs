import assert from 'node:assert/strict';
import {readFileSync, writeFileSync} from 'node:fs';
import http from 'node:http';
import {after, before, test} from 'node:test';
import {Server, eventually, message, producerToken, temporaryFolder} from './harness.mjs';

let server;
before(async () => { server = await Server.start(); });
after(() => server.end());

test('an append is answered with first, last, count and a token', async () => {
  const answer = await server.append([message(1), message(2)]);
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json, {first: 1, last: 2, count: 2, token: answer.json.token});
  assert.equal(typeof answer.json.token, 'string');
  assert.equal(await server.position(), 2);
});

test('payloads come back byte for byte, in order, after a token', async () => {
  const token = (await server.append([message(3)])).json.token;
  const odd = '{ "type" : "x.odd",\n "n": 1.50, "e":"\\u00e9é\\/" }';
  const lines = `${odd.replace('\n', ' ')}\n\n{"type":"x.second"}`;
  const answer = await server.appendRaw(lines, {'content-type': 'application/x-ndjson'});
  assert.equal(answer.json.count, 2);
  const read = await server.request('public', 'GET',
    `/v1/streams/events/facts?after=${token}&limit=1`);
  assert.ok(read.text.includes(`"fact":${odd.replace('\n', ' ')}}`), read.text);
  const rest = await server.request('public', 'GET',
    `/v1/streams/events/facts?after=${read.json.token}`);
  assert.deepEqual(rest.json.facts.map(entry => entry.fact.type), ['x.second']);
});

test('an Idempotency-Key gives the first answer again, also after a restart', async () => {
  const first = await server.append([message(10)], {'idempotency-key': 'k1'});
  const again = await server.append([message(10)], {'idempotency-key': 'k1'});
  assert.deepEqual(again.json, first.json);
  assert.equal(await server.stop(), 0);
  await server.start();
  const later = await server.append([message(10)], {'idempotency-key': 'k1'});
  assert.deepEqual(later.json, first.json);
  const other = await server.append([message(11)], {'idempotency-key': 'k1'});
  assert.equal(other.status, 422);
  assert.equal(other.json.code, 'idempotency_key_reused');
  const more = await server.request('public', 'GET',
    `/v1/streams/events/facts?after=${first.json.token}`);
  assert.deepEqual(more.json.facts, []);
});

test('an Idempotency-Key that is not UTF-8 is refused, and appends go on', async () => {
  // With bytes for a body the client sends one byte for each character of a header.
  const append = key => server.appendRaw(Buffer.from(JSON.stringify(message(12))),
    {'idempotency-key': Buffer.from(key).toString('latin1')});
  const refused = await append([0x6b, 0xff]);
  assert.equal(refused.status, 400);
  assert.equal(refused.json.detail, 'Idempotency-Key "k\ufffd" is not UTF-8');
  const [first, again] = [await append('kä€'), await append('kä€')];
  assert.equal(first.status, 200);
  assert.deepEqual(again.json, first.json);
});

test('concurrent appends under one key are one append', async () => {
  const before = await server.position();
  const answers = await Promise.all(Array.from({length: 10}, () =>
    server.append([message(20)], {'idempotency-key': 'k2'})));
  assert.equal(new Set(answers.map(answer => answer.text)).size, 1);
  assert.equal(await server.position(), before + 1);
});

/** Reads server-sent events until `count` have come. */
function follow(after, count) {
  const [host, port] = server.ready.public.split(':');
  return new Promise((resolve, reject) => {
    const request = http.get({host, port, path: '/v1/streams/events/follow', headers: {
      authorization: `Bearer ${producerToken}`, 'last-event-id': after}}, response => {
      let text = '';
      response.on('data', data => {
        text += data;
        const events = text.split('\n\n').filter(event => event.startsWith('event: fact'));
        if (events.length < count) return;
        request.destroy();
        resolve(events.slice(0, count).map(event => ({
          id: /^id: (.*)$/m.exec(event)[1],
          data: JSON.parse(event.split('\n').filter(line => line.startsWith('data: '))
            .map(line => line.slice(6)).join('\n')),
        })));
      });
    });
    request.on('error', error => error.code === 'ECONNRESET' || reject(error));
  });
}

test('follow streams what is there and what comes, from Last-Event-ID on', async () => {
  const start = (await server.append([message(30)])).json.token;
  await server.append([message(31)]);
  const following = follow(start, 3);
  await server.append([message(32)]);
  await server.append([message(33)]);
  const events = await following;
  assert.deepEqual(events.map(event => event.data.fact.event_id), ['$31', '$32', '$33']);
  const [next] = await follow(events[1].id, 1);
  assert.equal(next.data.fact.event_id, '$33');
});

test('a reader that waits and goes away leaves its place to others', async () => {
  const one = new Server(temporaryFolder(), 'read: {wait_max: 5m}');
  const config = readFileSync(one.configFile, 'utf8');
  writeFileSync(one.configFile, config.replace('public: {', 'public: {connections_max: 1, '));
  await one.start();
  const [host, port] = one.ready.public.split(':');
  const get = target => http.get({host, port, path: `/v1/streams/events/${target}`,
    headers: {authorization: `Bearer ${producerToken}`, connection: 'close'}});
  const status = () => new Promise(resolve => get('position').on('error', () => resolve(0))
    .on('response', response => resolve(response.resume().statusCode)));
  let waiting;
  // It may have to make room itself before its request has come.
  const wait = () => { waiting = get('facts?at_least=s99').on('error', wait); };
  wait();
  await eventually('a server that is full', async () => await status() === 503);
  waiting.off('error', wait).on('error', () => {}).destroy();
  await eventually('a place', async () => await status() === 200);
  await one.end();
});

test('SIGTERM ends a server with a follower attached, with exit code 0', async () => {
  const token = (await server.append([message(40)])).json.token;
  const following = follow(token, 1).catch(() => {});
  assert.equal(await server.stop(), 0);
  await server.start();
  await server.append([message(41)]);
  await Promise.race([following, new Promise(resolve => setTimeout(resolve, 10))]);
});
