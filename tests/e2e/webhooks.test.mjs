import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';
import {Webhook} from 'standardwebhooks';
import {Receiver, Server, adminToken, eventually, producerToken, runBinary} from './harness.mjs';

const quick = 'delivery: {request_timeout: 1s, backoff: {min: 50ms, max: 200ms}}\n';
const twoStreams = 'append: {auto_create_streams: true}\n' + quick;
let receiver;
let server;

beforeEach(async () => { receiver = await new Receiver().start(); });
afterEach(async () => {
  if (server) await server.end();
  server = undefined;
  await receiver.stop();
});

async function put(id, changes = {}) {
  const answer = await server.request('admin', 'PUT', `/v1/services/${id}`, {
    body: JSON.stringify({kind: 'webhook', url: `${receiver.url}/${id}`, ...changes}),
    headers: {'content-type': 'application/json'},
  });
  return answer;
}

function appendTo(stream, facts, query = '') {
  return server.request('public', 'POST', `/v1/streams/${stream}/facts${query}`,
    {body: JSON.stringify(facts), headers: {'content-type': 'application/json'}});
}

const atAdmin = () => ['--admin-url', `http://${server.ready.admin}`, '--token', adminToken];
const atPublic = () => ['--url', `http://${server.ready.public}`, '--token', producerToken];
/** The transactions of a service, each once. */
const transactions = id => [...new Map(receiver.of(id).map(each =>
  [each.headers['webhook-id'], JSON.parse(each.body)])).values()];
const facts = id => transactions(id).flatMap(each => each.facts);
const got = (id, count) => eventually(`${id} to get ${count} facts`, () =>
  facts(id).length >= count);
const order = (number, type = 'order.placed') => ({type, data: {order: number}});

test('a webhook gets signed transactions that the standard library verifies', async () => {
  server = await Server.start(twoStreams);
  const {status, json} = await put('orders', {types: ['order.*']});
  assert.equal(status, 201);
  assert.equal(json.kind, 'webhook');
  assert.match(json.secret, /^whsec_/);
  await appendTo('shop', [order(1), order(2, 'user.created'), order(3, 'order.paid')]);
  await got('orders', 2);
  const [transaction] = receiver.of('orders');
  const {headers, body} = transaction;
  assert.equal(transaction.method, 'POST');
  assert.equal(headers['content-type'], 'application/json');
  const verified = new Webhook(json.secret).verify(body, headers);
  assert.deepEqual(verified, {id: headers['webhook-id'], stream: 'shop', first: 1, last: 3,
    facts: [order(1), order(3, 'order.paid')]});
  assert.throws(() => new Webhook(json.secret).verify(body + ' ', headers));
  const view = await server.service('orders');
  assert.equal(view.document.secret, undefined);
  assert.equal(JSON.stringify(view).includes('whsec_'), false);
});

test('a change that leaves the secret out keeps it', async () => {
  server = await Server.start(twoStreams);
  const first = await put('orders', {headers: {Authorization: 'Bearer x'}});
  const again = await put('orders', {types: ['order.*']});
  assert.equal(again.status, 200);
  assert.equal(again.json.secret, undefined);
  await appendTo('shop', [order(1)]);
  await got('orders', 1);
  const [{body, headers}] = receiver.of('orders');
  new Webhook(first.json.secret).verify(body, headers);
  const shown = {...first.json.document};
  const back = await server.request('admin', 'PUT', '/v1/services/orders',
    {body: JSON.stringify(shown), headers: {'content-type': 'application/json'}});
  assert.equal(back.status, 400);
  assert.match(back.text, /\/headers\/Authorization/);
});

test('facts arrive byte for byte, in order, across a restart, each stream by itself', async () => {
  server = await Server.start(twoStreams);
  await put('all');
  const odd = '{"type" : "a",\t"n":1.50e1,"text":"\\u00e9"}';
  await server.request('public', 'POST', '/v1/streams/one/facts',
    {body: odd, headers: {'content-type': 'application/json'}});
  for (let i = 0; i < 5; i += 1) {
    await appendTo('one', [order(i)]);
    await appendTo('two', [order(i)]);
  }
  await server.kill9();
  await server.start();
  await got('all', 11);
  assert.ok(receiver.transactions[0].body.endsWith(`"facts":[${odd}]}`) ||
    receiver.transactions[0].body.includes(`"facts":[${odd},`));
  const of = stream => transactions('all').filter(each => each.stream === stream)
    .flatMap(each => each.facts).filter(fact => fact.data).map(fact => fact.data.order);
  assert.deepEqual(of('one'), [0, 1, 2, 3, 4]);
  assert.deepEqual(of('two'), [0, 1, 2, 3, 4]);
});

test('a failed transaction comes again with its ID, its bytes and a new signature', async () => {
  server = await Server.start(twoStreams);
  const {json} = await put('orders');
  let failures = 2;
  receiver.answer = (_, response) => {
    failures -= 1;
    response.writeHead(failures >= 0 ? 503 : 204).end();
  };
  await appendTo('shop', [order(1)]);
  await eventually('the receiver to be UP', async () =>
    (await server.service('orders')).state === 'up');
  const sent = receiver.of('orders');
  assert.equal(sent.length, 3);
  assert.equal(new Set(sent.map(each => each.headers['webhook-id'])).size, 1);
  assert.equal(new Set(sent.map(each => each.body)).size, 1);
  for (const {body, headers} of sent) new Webhook(json.secret).verify(body, headers);
});

test('413 halves a transaction until it fits, and nothing is lost or repeated', async () => {
  server = await Server.start(twoStreams);
  await put('small');
  await server.request('admin', 'POST', '/v1/services/small/pause');
  const all = Array.from({length: 64}, (_, number) => order(number));
  await appendTo('shop', all);
  const taken = [];
  receiver.answer = ({body}, response) => {
    const transaction = JSON.parse(body);
    const fits = transaction.facts.length <= 5;
    if (fits) taken.push(...transaction.facts);
    response.writeHead(fits ? 200 : 413).end();
  };
  await server.request('admin', 'POST', '/v1/services/small/resume');
  await eventually('all facts', () => taken.length >= 64);
  assert.deepEqual(taken, all);
  assert.equal((await server.service('small')).state, 'up');
});

test('410 stops delivery until the receiver is resumed', async () => {
  server = await Server.start(twoStreams);
  await put('gone');
  let status = 410;
  receiver.answer = (_, response) => response.writeHead(status).end();
  await appendTo('shop', [order(1)]);
  const stopped = await eventually('the stop', async () => {
    const service = await server.service('gone');
    return service.state === 'paused' && service;
  });
  assert.match(stopped.last_error, /HTTP 410.*resumed/);
  assert.equal(receiver.transactions.length, 1);
  status = 200;
  await server.request('admin', 'POST', '/v1/services/gone/resume');
  await eventually('delivery', async () => (await server.service('gone')).behind === 0);
  assert.equal(receiver.transactions[1].headers['webhook-id'],
    receiver.transactions[0].headers['webhook-id']);
});

test('a new receiver is untested until its first answer', async () => {
  server = await Server.start(twoStreams);
  assert.equal((await put('new')).json.state, 'untested');
  await appendTo('shop', [order(1)]);
  await eventually('its first answer', async () => (await server.service('new')).state === 'up');
});

test('ping tries a receiver with a signed request that carries nothing', async () => {
  server = await Server.start(twoStreams);
  const {json: {secret}} = await put('new');
  const good = await runBinary(['services', 'ping', 'new', ...atAdmin()]);
  assert.match(good.stdout, /^service new: answered HTTP 200 in \d+ ms; it is up\n$/);
  assert.equal(good.code, 0);
  const [{body, headers}] = receiver.transactions;
  assert.deepEqual(new Webhook(secret).verify(body, headers).facts, []);
  receiver.answer = (_, response) => response.writeHead(500).end('no');
  const bad = await runBinary(['services', 'ping', 'new', ...atAdmin()]);
  assert.match(bad.stdout, /receiver answered HTTP 500: no; it is up/);
  assert.equal(bad.code, 1);
  const none = await runBinary(['services', 'ping', 'none', ...atAdmin()]);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /there is no service "none"/);
});

test('explain tells which receivers get each fact, or that none does', async () => {
  server = await Server.start(twoStreams);
  await put('orders', {types: ['order.*']});
  await put('all', {streams: ['shop']});
  const answer = await appendTo('shop', [order(1), order(2, 'user.created')], '?explain=true');
  assert.deepEqual(answer.json.explanation, [
    {id: 1, attributes: {type: 'order.placed'}, receivers: ['all', 'orders']},
    {id: 2, attributes: {type: 'user.created'}, receivers: ['all']}]);
  const {json} = await appendTo('other', [order(3, 'x')], '?explain=true');
  assert.deepEqual(json.explanation, [{id: 1, attributes: {type: 'x'}, receivers: []}]);
  const shown = await runBinary(['append', 'other', '--explain', ...atPublic(),
    '--fact', '{"type":"order.placed"}', '--fact', '{"type":"y"}']);
  assert.match(shown.stdout, /fact 2 \(type order\.placed\): orders\n/);
  assert.match(shown.stdout, /fact 3 \(type y\): no receiver\n/);
  const wrong = await appendTo('shop', [order(1)], '?explain=perhaps');
  assert.equal(wrong.status, 400);
});

test('facts that no receiver wants are counted for each stream', async () => {
  server = await Server.start(twoStreams);
  await put('orders', {types: ['order.*']});
  await appendTo('shop', [order(1), order(2, 'a'), order(3, 'b')], '?explain=true');
  const streams = async () =>
    (await server.request('admin', 'GET', '/v1/streams')).json.streams;
  const shop = (await streams()).find(each => each.name === 'shop');
  assert.deepEqual([shop.format, shop.position, shop.sorted_through, shop.facts_unwanted],
    ['json', 3, 3, 2]);
  const {text} = await server.request('admin', 'GET', '/metrics');
  assert.match(text, /^postrider_facts_unwanted_total\{stream="shop"\} 2$/m);
  await server.kill9();
  await server.start();
  assert.equal((await streams()).find(each => each.name === 'shop').facts_unwanted, 2);
});

test('a receiver that can match nothing is refused or warned about', async () => {
  server = await Server.start(quick);
  const none = await put('none', {types: []});
  assert.equal(none.status, 400);
  assert.deepEqual(none.json.errors.map(each => each.pointer), ['/types']);
  const elsewhere = await put('elsewhere', {streams: ['shop*']});
  assert.equal(elsewhere.status, 201);
  assert.match(elsewhere.json.warnings[0], /no stream/);
  assert.deepEqual((await put('events', {streams: ['ev*']})).json.warnings, []);
});

test('a content type that is missing or of a form is refused with the header to send', async () => {
  server = await Server.start(twoStreams);
  const post = (body, headers) => server.request('public', 'POST', '/v1/streams/shop/facts',
    {body, headers});
  for (const headers of [{}, {'content-type': 'application/x-www-form-urlencoded'}]) {
    const answer = await post('{"type":"a"}', headers);
    assert.equal(answer.status, 415);
    assert.match(answer.json.detail, /Content-Type: application\/json/);
  }
});

test('a webhook gets Matrix events by their type too', async () => {
  server = await Server.start(quick);
  await put('members', {types: ['m.room.member']});
  await server.append([{type: 'm.room.member', room_id: '!r:x', sender: '@a:x', state_key: '@a:x',
    content: {membership: 'join'}}, {type: 'm.room.message', sender: '@a:x', room_id: '!r:x'}]);
  await got('members', 1);
  assert.deepEqual(facts('members').map(each => each.type), ['m.room.member']);
});
