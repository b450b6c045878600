// Mistakes in the arguments of bench/run and bench/compare, and peers that do not start.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import path from 'node:path';
import {test} from 'node:test';
import {openRedis} from '../../bench/peers/servers.mjs';

const bench = path.resolve(import.meta.dirname, '../../bench');

function refused(program, args, words) {
  const {status, stdout, stderr} = spawnSync(process.execPath, [path.join(bench, program), ...args],
    {encoding: 'utf8'});
  assert.deepEqual([status, stdout], [2, ''], stderr);
  assert.match(stderr, /^bench\/(run|compare): [^\n]+\n$/);
  assert.match(stderr, words);
}

test('bench/run says in one line what it does not understand', () => {
  refused('bench.mjs', ['--rounds', '0'], /--rounds is a number from 1/);
  refused('bench.mjs', ['--rounds', '2x'], /--rounds is a number from 1/);
  refused('bench.mjs', ['--rounds'], /--rounds/);
  refused('bench.mjs', ['--round', '1'], /--round'/);
  refused('bench.mjs', ['enqeue'], /no benchmark is called "enqeue"; there are enqueue, drain/);
  refused('bench.mjs', ['toString'], /no benchmark is called "toString"/);
  refused('bench.mjs', ['--peers', 'bullmq,kafka'], /--peers does not know "kafka"; it takes /);
  refused('bench.mjs', ['--peers', ''], /--peers does not know ""/);
  refused('bench.mjs', ['--json', '/nowhere/a.json', 'alone'], /--json cannot be written/);
});

test('bench/compare asks for two programs that can be run', () => {
  refused('compare.mjs', [], /give two postrider binaries/);
  refused('compare.mjs', [process.execPath], /give two postrider binaries/);
  refused('compare.mjs', [process.execPath, '/nowhere'], /\/nowhere is not a program/);
  refused('compare.mjs', [bench, process.execPath], /bench is not a program/);
  refused('compare.mjs', [process.execPath, process.execPath, 'enqeue'], /called "enqeue"/);
});

test('a peer that cannot start says why in one line', async () => {
  const redis = await openRedis({appendfsync: 'always'});
  try {
    const {port} = new URL(redis.options.url);
    await assert.rejects(openRedis({appendfsync: 'always'}, port),
      /^Error: redis-server ended with 1: .*Failed listening on port \d+/);
  } finally {
    await redis.end();
  }
});
