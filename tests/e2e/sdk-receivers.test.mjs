// Unmodified application-service libraries as receivers of the recorded traffic.
import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import net from 'node:net';
import {after, before, test} from 'node:test';
import {Server, recordedEvents} from './harness.mjs';

const require = createRequire(import.meta.url);
const everything = recordedEvents('catchall');
const ofBridge = recordedEvents('irc');
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

async function botSdk(id, got) {
  const {Appservice, LogService, MemoryStorageProvider} = require('matrix-bot-sdk');
  LogService.setLogger({info() {}, warn() {}, error() {}, debug() {}, trace() {}});
  const port = await freePort();
  const appservice = new Appservice({
    port, bindAddress: '127.0.0.1', homeserverName: 'example.test',
    homeserverUrl: 'http://127.0.0.1:9', storage: new MemoryStorageProvider(),
    registration: {id, as_token: `as_${id}`, hs_token: `hs_${id}`, sender_localpart: `${id}bot`,
      url: `http://127.0.0.1:${port}`, namespaces: {
        users: [{exclusive: true, regex: `@${id}_.*`}], rooms: [], aliases: []}},
  });
  appservice.on('room.event', (room, event) => got.push(event));
  await appservice.begin();
  return {url: `http://127.0.0.1:${port}`, stop: () => appservice.stop()};
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
    assert.deepEqual(got.irc.map(event => event.event_id), ofBridge.map(event => event.event_id));
    assert.deepEqual(got.irc, ofBridge);
    assert.deepEqual(got.catchall, everything);
  });
}
