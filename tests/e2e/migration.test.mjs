import assert from 'node:assert/strict';
import {cpSync} from 'node:fs';
import path from 'node:path';
import {afterEach, beforeEach, test} from 'node:test';
import {Receiver, Server, eventually, temporaryFolder} from './harness.mjs';

const databases = path.resolve(import.meta.dirname, '../data/databases');
const bodies = events => events.map(event => event.content.body ?? event.content.membership);
let receiver;
let server;

beforeEach(async () => { receiver = await new Receiver().start(); });
afterEach(async () => {
  if (server) await server.end();
  await receiver.stop();
});

test('the database of the version before is migrated and delivers on', async () => {
  const folder = temporaryFolder();
  const file = path.join(folder, 'postrider.db');
  cpSync(path.join(databases, 'schema-3.sqlite'), file);
  server = await Server.start('', folder, `database: sqlite:${file}`);
  const irc = await server.service('irc');
  assert.deepEqual([irc.kind, irc.state, irc.behind, irc.attempts, irc.document.url],
    ['matrix', 'down', 2, 1, 'http://127.0.0.1:9']);
  assert.deepEqual([(await server.service('all')).state, (await server.service('all')).behind],
    ['paused', 3]);

  // The transaction that was frozen goes out as it was, under its number.
  const namespaces = {users: [{exclusive: true, regex: '@irc_.*'}], rooms: [], aliases: []};
  await server.putService('irc', `${receiver.url}/irc`, {namespaces, sender_localpart: 'ircbot'});
  await eventually('the frozen transaction', () => receiver.of('irc').length === 1);
  const [first] = receiver.of('irc');
  assert.match(first.id, /^[0-9a-f]{8}-1$/);
  assert.deepEqual(bodies(JSON.parse(first.body).events), ['join', 'one']);

  // Who is joined where is known from before.
  const {json} = await server.append([
    {type: 'm.room.message', room_id: '!r:x', sender: '@bob:x', content: {body: 'three'}},
    {type: 'm.room.message', room_id: '!other:x', sender: '@bob:x', content: {body: 'four'}}]);
  assert.deepEqual([json.first, json.last], [4, 5]);
  await eventually('the next one', () => receiver.of('irc').length === 2);
  assert.match(receiver.of('irc')[1].id, /-2$/);
  assert.deepEqual(bodies(receiver.facts('irc')), ['join', 'one', 'three']);

  await server.putService('all', `${receiver.url}/all`, {sender_localpart: 'allbot'});
  await server.request('admin', 'POST', '/v1/services/all/resume');
  await eventually('all of it', () => receiver.facts('all').length === 5);
  assert.deepEqual(bodies(receiver.facts('all')), ['join', 'one', 'two', 'three', 'four']);

  // And it stays what it is.
  await server.kill9();
  await server.start();
  assert.equal((await server.service('irc')).kind, 'matrix');
});

test('an inbox over all streams becomes one for each of them', async () => {
  const folder = temporaryFolder();
  const file = path.join(folder, 'postrider.db');
  cpSync(path.join(databases, 'schema-4.sqlite'), file);
  server = await Server.start('append: {auto_create_streams: true}', folder,
    `database: sqlite:${file}`);
  const numbers = async id => {
    const {state, behind, delivered} = await server.service(id);
    return [state, behind, delivered];
  };
  assert.deepEqual(await numbers('taken'), ['paused', 3, 1]);
  assert.deepEqual(await numbers('mixed'), ['down', 3, 0]);
  assert.deepEqual(await numbers('single'), ['down', 2, 0]);

  const users = regex => ({users: [{exclusive: false, regex}], rooms: [], aliases: []});
  await server.putService('single', `${receiver.url}/single`, {namespaces: users('@s_.*')});
  await eventually('what was frozen', async () => (await server.service('single')).behind === 0);
  const [frozen] = receiver.of('single');
  assert.match(frozen.id, /-1$/);
  assert.deepEqual(bodies(JSON.parse(frozen.body).events), ['two', 'four']);

  // A transaction is of one stream now.
  await server.putService('mixed', `${receiver.url}/mixed`, {namespaces: users('@.*')});
  await eventually('both streams', async () => (await server.service('mixed')).behind === 0);
  const ids = receiver.of('mixed').map(({id}) => id.replace(/^.*-/, ''));
  assert.deepEqual(ids, ['2', '3']);
  assert.deepEqual(receiver.of('mixed').map(({body}) => bodies(JSON.parse(body).events)),
    [['two', 'four'], ['three']]);

  // Nothing is sent twice, and numbers and counts go on.
  await server.append([{type: 'm.room.message', room_id: '!r:x', sender: '@s_2:x',
    content: {body: 'five'}}]);
  await eventually('the next', () => receiver.facts('single').length === 3);
  assert.match(receiver.of('single')[1].id, /-2$/);
  assert.deepEqual(await numbers('taken'), ['paused', 4, 1]);
});

test('cursors of a stream are stored side by side', async () => {
  const folder = temporaryFolder();
  const file = path.join(folder, 'postrider.db');
  cpSync(path.join(databases, 'schema-5.sqlite'), file);
  server = await Server.start('', folder, `database: sqlite:${file}`);
  const numbers = async id => {
    const {state, behind, delivered} = await server.service(id);
    return [state, behind, delivered];
  };
  assert.deepEqual(await numbers('taken'), ['paused', 5, 1]);
  assert.deepEqual(await numbers('dead'), ['down', 3, 0]);

  const users = regex => ({users: [{exclusive: false, regex}], rooms: [], aliases: []});
  await server.putService('dead', `${receiver.url}/dead`, {namespaces: users('@s_.*')});
  await eventually('its backlog', async () => (await server.service('dead')).behind === 0);
  assert.match(receiver.of('dead')[0].id, /-1$/);
  assert.deepEqual(receiver.of('dead').map(({body}) => bodies(JSON.parse(body).events)),
    [['two', 'four'], ['five']]);

  await server.putService('taken', `${receiver.url}/taken`, {namespaces: users('@.*')});
  await server.request('admin', 'POST', '/v1/services/taken/resume');
  await eventually('the rest', async () => (await server.service('taken')).behind === 0);
  assert.match(receiver.of('taken')[0].id, /-2$/);
  assert.deepEqual(bodies(receiver.facts('taken')), ['two', 'three', 'four', 'five', 'six']);
});
