import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {after, test} from 'node:test';
import {Server, configText, runBinary, temporaryFolder} from './harness.mjs';

const folder = temporaryFolder();
const config = path.join(folder, 'c.yaml');
after(() => rmSync(folder, {recursive: true, force: true}));

function serve(text) {
  writeFileSync(config, text);
  return runBinary(['serve', '--config', config]);
}

test('every mistake of a configuration is shown at once with its line, exit code 2', async () => {
  const text = 'databse: x\npublic: {listen: 5}\ndelivery:\n  transaction_facts_max: 0\n';
  for (const command of ['serve', 'check-config']) {
    writeFileSync(config, text);
    const done = await runBinary([command, '--config', config]);
    assert.equal(done.code, 2);
    const lines = done.stderr.trim().split('\n');
    assert.deepEqual(lines.map(line => Number(line.slice(config.length + 1).split(':')[0])),
      [1, 2, 4], done.stderr);
    assert.match(lines[0], /database/);
  }
});

test('a wrong registration file is named with its line, exit code 2', async () => {
  writeFileSync(path.join(folder, 'r.yaml'), 'id: a\nurl: null\nas_token: a\n');
  const done = await serve(configText(folder, 'services: [r.yaml]\n'));
  assert.equal(done.code, 2);
  assert.match(done.stderr, /r\.yaml:\d+: .*hs_token/);
});

test('a file that is not a database is refused and left as it is', async () => {
  const file = path.join(folder, 'postrider.db');
  writeFileSync(file, 'my diary\n'.repeat(200));
  const before = readFileSync(file);
  const done = await serve(configText(folder));
  assert.equal(done.code, 1);
  assert.match(done.stderr, /not an SQLite database/);
  assert.deepEqual(readFileSync(file), before);
  rmSync(file);
});

test('a database of another program is refused', async () => {
  const file = path.join(folder, 'postrider.db');
  execFileSync('sqlite3', [file, 'CREATE TABLE mine (x)']);
  const done = await serve(configText(folder));
  assert.equal(done.code, 1);
  assert.match(done.stderr, /another program/);
  rmSync(file);
});

test('a database of a newer version is refused, naming both versions', async () => {
  const server = await Server.start();
  await server.stop();
  execFileSync('sqlite3', [path.join(server.folder, 'postrider.db'),
    'INSERT INTO schema_version VALUES (99)']);
  const done = await runBinary(['serve', '--config', server.configFile]);
  assert.equal(done.code, 1);
  assert.match(done.stderr, /schema version 99.*up to \d+/);
  await server.end();
});

test('a second server on one file is refused, naming the process that has it', async () => {
  const server = await Server.start();
  const done = await runBinary(['serve', '--config', server.configFile]);
  assert.equal(done.code, 1);
  assert.match(done.stderr, new RegExp(`in use by process ${server.ready.pid}`));
  assert.equal(await server.stop(), 0);
  await server.end();
});
