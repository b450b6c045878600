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
