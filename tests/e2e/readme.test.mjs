// Runs the commands of the README as they stand there, but for ports that may be taken.
import assert from 'node:assert/strict';
import {execFile, spawn} from 'node:child_process';
import {appendFileSync, readFileSync, rmSync} from 'node:fs';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {binary, eventually, freePort, temporaryFolder} from './harness.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
const section = title => readme.split(new RegExp(`^#+ ${title}$`, 'm'))[1].split(/^#/m)[0];
const commandsOf = title => section(title).split('\n').filter(line => /^ {4}\S/.test(line))
  .map(line => line.trim());

const folder = temporaryFolder();
const ports = {};
const children = [];

before(async () => {
  for (const port of ['8480', '8481', '9000', '9100']) ports[port] = await freePort();
});
after(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, {recursive: true, force: true});
});

function here(command) {
  return command.replaceAll('build/release/postrider', binary)
    .replaceAll('examples/', `${root}/examples/`)
    .replace(/127\.0\.0\.1:(\d+)/g, (_, port) => `127.0.0.1:${ports[port]}`);
}

function bash(command) {
  return new Promise(resolve => {
    execFile('bash', ['-c', here(command)], {cwd: folder}, (error, stdout, stderr) =>
      resolve({code: error?.code ?? 0, stdout, stderr}));
  });
}

function background(command) {
  const child = spawn('bash', ['-c', `exec ${here(command)}`], {cwd: folder});
  children.push(child);
  const output = {stdout: '', stderr: ''};
  child.stdout.on('data', data => (output.stdout += data));
  child.stderr.on('data', data => (output.stderr += data));
  return output;
}

test('the quick start works as it stands', async () => {
  const [copy, serve, put, append, receive, ...curl] = commandsOf('Quick start');
  assert.equal((await bash(copy)).code, 0);
  appendFileSync(path.join(folder, 'postrider.yaml'),
    `public: {listen: "127.0.0.1:${ports[8480]}"}\nadmin: {listen: "127.0.0.1:${ports[8481]}"}\n` +
    'delivery: {backoff: {min: 50ms, max: 200ms}}\n');
  const server = background(serve.replace(/ &$/, ''));
  await eventually('the server', () => server.stdout.includes('"ready":true'));
  assert.match(server.stderr, /admin token: .*\n.*producer token: /);

  const registered = await bash(put);
  const secret = /secret: (whsec_\S+)/.exec(registered.stdout)[1];
  const explained = await bash(append);
  assert.match(explained.stdout, /fact 1 \(type order\.placed\): orders\n/);
  const receiver = background(receive.replace('whsec_...', secret));
  await eventually('the fact', () => receiver.stdout.includes('signature right'));
  assert.match(receiver.stdout, / "shop" 1\.\.1 {2}1 facts/);
  assert.match(receiver.stdout, /"order":7/);

  const [admin, producer, putAgain, appendAgain] = curl;
  const both = await bash([admin, producer, putAgain, appendAgain].join('\n'));
  assert.match(both.stdout, /"kind":"webhook"/);
  assert.match(both.stdout, /"explanation":\[\{"id":2,.*"receivers":\["orders"\]/);
});

test('the lines about Matrix work as they stand', async () => {
  const [streams, put, append] = commandsOf('Matrix application services');
  appendFileSync(path.join(folder, 'postrider.yaml'), streams + '\n');
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
    await new Promise(resolve => child.once('close', resolve));
  }
  const server = background('build/release/postrider serve');
  await eventually('the server', () => server.stdout.includes('"ready":true'));
  assert.match((await bash(put)).stdout, /service irc: registered, matrix\n.*\n.*hs_token: /);
  const appended = await bash(`${append} --explain`);
  assert.match(appended.stdout, /: irc, orders\n|: irc\n/);
});

test('serve without a configuration says what it uses', async () => {
  const elsewhere = temporaryFolder();
  const child = spawn(binary, ['serve'], {cwd: elsewhere, env: {...process.env,
    POSTRIDER_PUBLIC_LISTEN: '127.0.0.1:0', POSTRIDER_ADMIN_LISTEN: '127.0.0.1:0'}});
  children.push(child);
  let said = '';
  child.stderr.on('data', data => (said += data));
  await eventually('what it says', () => said.includes('producer token'));
  assert.match(said, new RegExp(`database: +${elsewhere}/postrider\\.db\n`));
  assert.match(said, /streams: +none; declare them under streams, or set append\.auto_create/);
  assert.match(said, /local receivers: none; outbound\.allow/);
  child.kill('SIGKILL');
  rmSync(elsewhere, {recursive: true, force: true});
});
