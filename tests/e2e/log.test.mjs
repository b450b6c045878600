import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {closeSync, openSync} from 'node:fs';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {Server, binary, eventually, message, temporaryFolder} from './harness.mjs';

/** Its log goes to a pipe that is open and that nobody reads. */
class UnreadServer extends Server {
  command() {
    return ['bash', '-c', `exec "$@" 2>'${this.pipe}'`, 'bash', binary];
  }
}

let server;
let reader;
before(async () => {
  server = new UnreadServer(temporaryFolder(), 'log: {level: info}\n');
  server.pipe = path.join(server.folder, 'log');
  execFileSync('mkfifo', [server.pipe]);
  reader = openSync(server.pipe, 'r+');
  await server.start();
});
after(async () => {
  await server.end();
  closeSync(reader);
});

test('a log that nobody reads stops nothing, and what is missing is counted', async () => {
  const dropped = async () => {
    const {text} = await server.request('admin', 'GET', '/metrics', {token: ''});
    return Number(/^postrider_log_lines_dropped_total (\d+)/m.exec(text)[1]);
  };
  assert.equal(await dropped(), 0);
  const services = Array.from({length: 100}, (_, number) => `dead-${number}`);
  await Promise.all(services.map(id => server.putService(id, `http://127.0.0.1:9/${id}`)));
  await server.append([message(1)]);
  // Each failed attempt is a line.
  await eventually('lines to be dropped', async () => {
    await Promise.all(services.map(id =>
      server.request('admin', 'POST', `/v1/services/${id}/retry`)));
    return await dropped() > 0;
  }, 120);
  for (const where of ['public', 'admin']) {
    for (const route of ['/healthz', '/readyz']) {
      assert.equal((await server.request(where, 'GET', route, {token: ''})).status, 200);
    }
  }
  assert.equal((await server.append([message(2)])).status, 200);
  assert.equal(await server.stop(), 0);
});
