import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {Server, message, producerToken} from './harness.mjs';

let server;
before(async () => { server = await Server.start('limits: {patterns_per_service_max: 5}\n'); });
after(() => server.end());

function nested(levels) {
  const inner = '{"a":'.repeat(levels - 1) + '{}' + '}'.repeat(levels - 1);
  return inner.replace('{', '{"type":"t",');
}

const appends = [
  ['malformed JSON', '[{"type":"t"},', 400],
  ['trailing bytes', '[{"type":"t"}] x', 400],
  ['an empty batch', '[]', 400],
  ['a fact that is no object', '[1]', 400],
  ['JSON nested over 100 levels', nested(101), 400],
  ['duplicate routing keys', '{"type":"a","type":"b"}', 400],
  ['a routing key of the wrong type', '{"type":"a","room_id":1}', 400],
  ['a fact without a type', '{"room_id":"!r"}', 400],
  ['invalid UTF-8', Buffer.from([...Buffer.from('{"type":"'), 0xff, ...Buffer.from('"}')]), 400],
  ['a fact over 1 MiB', JSON.stringify({type: 't', x: 'x'.repeat(1 << 20)}), 413],
  ['a batch over 10,000 facts', JSON.stringify(Array(10_001).fill({type: 't'})), 400],
  ['a body over 16 MiB', Buffer.alloc((16 << 20) + 1, ' '), 413],
];
for (const [what, body, status] of appends) {
  test(`${what} is refused and changes nothing`, async () => {
    const before = await server.position();
    const answer = await server.appendRaw(body);
    assert.equal(answer.status, status, answer.text);
    assertProblem(answer, status);
    assert.equal(await server.position(), before);
  });
}

function assertProblem(answer, status) {
  assert.match(answer.headers['content-type'], /^application\/problem\+json/);
  for (const member of ['type', 'title', 'detail', 'code', 'request_id']) {
    assert.equal(typeof answer.json[member], 'string', member);
  }
  assert.equal(answer.json.status, status);
}

test('what is just inside each limit is taken', async () => {
  const inside = [nested(100), JSON.stringify(Array(10_000).fill({type: 't'})),
    JSON.stringify({type: 't', x: 'x'.repeat((1 << 20) - 19)})];
  assert.equal(inside[2].length, 1 << 20);
  for (const body of inside) {
    const answer = await server.appendRaw(body);
    assert.equal(answer.status, 200, answer.text.slice(0, 500));
  }
});

test('one wrong fact refuses the whole batch, with a JSON pointer to it', async () => {
  const before = await server.position();
  const answer = await server.append([message(1), {type: 't', sender: 5}, message(2)]);
  assert.deepEqual(answer.json.errors.map(error => error.pointer), ['/1/sender']);
  assert.equal(await server.position(), before);
});

test('wrong content type, unknown stream, bad token, wrong method, wrong listener', async () => {
  const cases = [
    [await server.appendRaw('{}', {'content-type': 'text/plain'}), 415],
    [await server.appendRaw('{"type":"t"}', {}, 'nowhere'), 404],
    [await server.request('public', 'GET', '/v1/streams/events/position', {token: 'wrong'}), 401],
    [await server.request('admin', 'GET', '/v1/services', {token: producerToken}), 403],
    [await server.request('public', 'DELETE', '/v1/streams/events/facts'), 405],
    [await server.request('public', 'GET', '/v1/services'), 404],
    [await server.request('public', 'GET', '/v1/streams/events/facts?after=nonsense'), 400],
    [await server.request('public', 'GET', '/v1/streams/events/facts?limit=0'), 400],
  ];
  for (const [answer, status] of cases) {
    assert.equal(answer.status, status, answer.text);
    assertProblem(answer, status);
  }
});

const url = 'http://127.0.0.1:9';
const users = regex => ({namespaces: {users: [{exclusive: true, regex}]}});
const registrations = [
  ['an unsupported construct', users('@(?=x).*'), '/namespaces/users/0/regex', /lookahead/],
  ['a broken pattern', users('@('), '/namespaces/users/0/regex', /closed/],
  ['a pattern over 4 KiB', users('x'.repeat(4097)), '/namespaces/users/0/regex', /4096/],
  ['an invalid URL', {url: 'not a url'}, '/url', /URL/],
  ['a URL that is not HTTP', {url: 'ftp://127.0.0.1/'}, '/url', /http/],
  ['an address that is not allowed', {url: 'http://10.1.2.3/'}, '/url', /refused/],
  ['another id than the path', {id: 'other'}, '/id', /path/],
  ['a token of another service', {as_token: 'as_taken'}, '/as_token', /taken/],
  ['too many patterns',
    {namespaces: {rooms: Array(6).fill({exclusive: true, regex: '!'})}}, '/namespaces', /5/],
];
for (const [what, changes, pointer, detail] of registrations) {
  test(`a registration with ${what} is refused with its place`, async () => {
    await server.putService('taken', url);
    const answer = await server.putService('bad', url, changes);
    assert.ok([400, 409].includes(answer.status), answer.text);
    const error = answer.json.errors.find(each => each.pointer === pointer);
    assert.ok(error, answer.text);
    assert.match(`${error.detail} ${answer.json.detail}`, detail);
    assert.equal((await server.request('admin', 'GET', '/v1/services/bad')).status, 404);
  });
}
