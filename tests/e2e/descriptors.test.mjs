import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Receiver, Server, binary, eventually, message, temporaryFolder} from './harness.mjs';

/** May open few files. */
class PoorServer extends Server {
  command() {
    return ['sh', '-c', 'ulimit -n 160 && exec "$0" "$@"', binary];
  }
}

test('with few file descriptors, 200 receivers that hang keep neither appends nor others',
  {timeout: 120_000}, async t => {
    const hanging = await Promise.all(Array.from({length: 20}, () => new Receiver().start()));
    for (const each of hanging) each.answer = () => {};
    const sound = await new Receiver().start();
    const server = new PoorServer(temporaryFolder(),
      'delivery: {request_timeout: 1s, backoff: {min: 1h, max: 2h}}\n');
    await server.start();
    t.after(async () => {
      await server.end();
      for (const each of [sound, ...hanging]) await each.stop();
    });
    assert.match(server.log, /may open 160 files.* at most 24 to receivers, 12 to one host and 24/);

    for (let i = 0; i < 200; i += 1) {
      const id = `hanging${i}`;
      assert.equal((await server.putService(id, `${hanging[i % 20].url}/${id}`)).status, 201);
    }
    assert.equal((await server.putService('sound', `${sound.url}/sound`)).status, 201);
    for (let i = 0; i < 50; i += 1) assert.equal((await server.append([message(i)])).status, 200);
    await server.caughtUp('sound');
    assert.deepEqual(sound.facts('sound').map(fact => fact.event_id),
      Array.from({length: 50}, (_, i) => `$${i}`));
    assert.match(server.log, /requests to receivers wait: all connections are in use, 24 at most/);

    // Each was asked, and is down for what it did, not for having waited.
    await eventually('all that hang to be down', async () => {
      const {json} = await server.request('admin', 'GET', '/v1/services');
      const causes = json.services.filter(each => each.id !== 'sound')
        .map(each => each.last_error ?? '');
      return causes.every(cause => /^no complete answer from .* within 1s$/.test(cause));
    });
    assert.equal(new Set(hanging.flatMap(each => each.transactions.map(one => one.service))).size,
      200);
  });
