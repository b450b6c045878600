// A child process of a peer, under the Node.js that the peers ask for.
import {execFileSync, fork} from 'node:child_process';
import {existsSync, statSync, writeFileSync} from 'node:fs';
import path from 'node:path';

const folder = import.meta.dirname;
const packages = path.join(folder, 'node_modules');
const node = path.join(packages, `node-linux-${process.arch}/bin/node`);

/** What npm says of a failure, without where its log is. */
function npmError(error) {
  const lines = (error.stderr ?? '').split('\n').filter(line =>
    line.startsWith('npm error') && !line.includes('complete log'));
  return lines.map(line => line.replace('npm error ', '')).join('; ') || error.message;
}

/** Installs the pinned packages when they are missing or older than the lock. */
export function installPeers() {
  const mark = path.join(packages, '.installed');
  const time = file => statSync(file).mtimeMs;
  if (existsSync(mark) && time(mark) >= time(path.join(folder, 'package-lock.json'))) return;
  console.error('installing the peers: npm ci in bench/peers');
  try {
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'],
      {cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8'});
  } catch (error) {
    throw new Error(`npm ci in bench/peers failed: ${npmError(error)}`);
  }
  writeFileSync(mark, '');
}

export class PeerProcess {
  waiting = new Map();
  last = 0;
  errors = '';

  /** `adapter` is a module beside this one. */
  static async start(adapter) {
    const peer = new PeerProcess();
    peer.adapter = adapter;
    peer.child = fork(path.join(folder, 'driver.mjs'), [adapter],
      {execPath: node, stdio: ['ignore', 'ignore', 'pipe', 'ipc']});
    peer.child.stderr.on('data', data => (peer.errors = (peer.errors + data).slice(-4000)));
    peer.child.on('message', message => peer.receive(message));
    const ready = new Promise((resolve, reject) => peer.waiting.set('ready', {resolve, reject}));
    peer.child.on('error', error => peer.fail(error.message));
    // Its last words come after its end.
    peer.child.on('close', code => peer.fail(`ended with ${code}: ${peer.reason()}`));
    await ready;
    return peer;
  }

  get pid() {
    return this.child.pid;
  }

  reason() {
    const lines = this.errors.split('\n').filter(Boolean);
    return lines.find(line => /Error/.test(line)) ?? lines.at(-1) ?? 'it said nothing';
  }

  receive({id = 'ready', result, error}) {
    const call = this.waiting.get(id);
    this.waiting.delete(id);
    if (error === undefined) call.resolve(result);
    else call.reject(new Error(`${this.adapter}: ${error}`));
  }

  fail(why) {
    this.failure = new Error(`${this.adapter}: ${why}`);
    for (const {reject} of this.waiting.values()) reject(this.failure);
    this.waiting.clear();
  }

  call(operation, options = {}) {
    if (this.failure) return Promise.reject(this.failure);
    const id = this.last += 1;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, {resolve, reject});
      this.child.send({id, operation, options});
    });
  }

  /** Whatever it is still doing does not matter any more. */
  end() {
    this.child.kill('SIGKILL');
  }
}
