// Unmodified application-service libraries as receivers of the recorded traffic.
import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import http from 'node:http';
import net from 'node:net';
import {test} from 'node:test';
import {Server, recordedEvents} from './harness.mjs';

const require = createRequire(import.meta.url);
const everything = recordedEvents('catchall');
// The homeserver writes an age into each copy it sends; the copies of `catchall` were appended.
const bridgeIds = new Set(recordedEvents('irc').map(event => event.event_id));
const ofBridge = everything.filter(event => bridgeIds.has(event.event_id));
const bridgeNamespaces = {namespaces: {
  users: [{exclusive: true, regex: '@irc_.*'}], aliases: [{exclusive: true, regex: '#irc_.*'}],
}};

function freePort() {
  return new Promise(resolve => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const {port} = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** What the library asks of a homeserver while it starts. */
function startHomeserver() {
  const server = http.createServer((request, response) => {
    response.writeHead(200, {'content-type': 'application/json'});
    response.end('{"user_id":"@bot:example.test","joined_rooms":[]}');
  });
  return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server)));
}

async function botSdk(id, got) {
  const homeserver = await startHomeserver();
  const {Appservice, LogService, MemoryStorageProvider} = require('matrix-bot-sdk');
  LogService.setLogger({info() {}, warn() {}, error() {}, debug() {}, trace() {}});
  const port = await freePort();
  const appservice = new Appservice({
    port, bindAddress: '127.0.0.1', homeserverName: 'example.test',
    homeserverUrl: `http://127.0.0.1:${homeserver.address().port}`,
    storage: new MemoryStorageProvider(),
    registration: {id, as_token: `as_${id}`, hs_token: `hs_${id}`, sender_localpart: `${id}bot`,
      url: `http://127.0.0.1:${port}`, namespaces: {
        users: [{exclusive: true, regex: `@${id}_.*`}], rooms: [], aliases: []}},
  });
  appservice.on('room.event', (room, event) => got.push(event));
  await appservice.begin();
  return {url: `http://127.0.0.1:${port}`, stop: async () => {
    appservice.stop();
    homeserver.closeAllConnections();
    homeserver.close();
  }};
}

async function appservice(id, got) {
  const {AppService} = require('matrix-appservice');
  const port = await freePort();
  const receiver = new AppService({homeserverToken: `hs_${id}`});
  receiver.on('event', event => got.push(event));
  await receiver.listen(port, '127.0.0.1', 10);
  return {url: `http://127.0.0.1:${port}`, stop: () => receiver.close()};
}

for (const [library, start] of [['matrix-bot-sdk', botSdk], ['matrix-appservice', appservice]]) {
  test(`${library} gets what the homeserver sent, fact by fact, in order`, async t => {
    const server = await Server.start();
    t.after(() => server.end());
    const got = {irc: [], catchall: []};
    const receivers = [await start('irc', got.irc), await start('catchall', got.catchall)];
    t.after(() => Promise.all(receivers.map(receiver => receiver.stop())));
    assert.equal((await server.putService('irc', receivers[0].url, bridgeNamespaces)).status, 201);
    assert.equal((await server.putService('catchall', receivers[1].url)).status, 201);
    for (let at = 0; at < everything.length; at += 37) {
      const answer = await server.append(everything.slice(at, at + 37));
      assert.equal(answer.status, 200, answer.text);
    }
    await server.caughtUp('irc');
    await server.caughtUp('catchall');
    assert.equal(everything.length, 1508);
    assert.equal(ofBridge.length, 993);
    assert.deepEqual(got.irc.map(event => event.event_id),
      recordedEvents('irc').map(event => event.event_id));
    assert.deepEqual(got.irc, ofBridge);
    assert.deepEqual(got.catchall, everything);
  });
}
