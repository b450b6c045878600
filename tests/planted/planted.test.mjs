// The simulator must find every planted fault. Each sim/planted/*.patch changes one source file,
// which is compiled into a simulator of its own; build/release must be up to date.
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, describe, test} from 'node:test';
import {promisify} from 'node:util';

const root = path.resolve(import.meta.dirname, '../..');
const build = path.join(root, 'build/release');
const planted = path.join(root, 'sim/planted');
const seedsMax = 2000;
const scratch = mkdtempSync(path.join(tmpdir(), 'planted-'));
const run = promisify(execFile);
const shell = (command, options) =>
  run('/bin/sh', ['-c', command], {cwd: build, maxBuffer: 1 << 26, ...options});

after(() => rmSync(scratch, {recursive: true}));

const compileCommands = JSON.parse(readFileSync(path.join(build, 'compile_commands.json'), 'utf8'));
const linkCommand = shell('ninja -t commands postrider-sim').then(({stdout}) =>
  stdout.trim().split('\n').at(-1));

function readPatch(name) {
  const text = readFileSync(path.join(planted, name), 'utf8');
  const [fault, scenarioLine, checkLine] = text.split('\n');
  const [mode, scenario, ...flags] = scenarioLine.replace(':', '').split(' ');
  return {fault, mode, scenario, flags: flags.map(flag => `--${flag}`),
    checks: checkLine.replace('check: ', '').split(', '), file: /^\+\+\+ b\/(.*)$/m.exec(text)[1]};
}

/** A simulator in which the patched file stands before the libraries that hold the sound one. */
async function buildFaulty(name, file) {
  const base = path.join(scratch, name);
  await run('patch', ['--quiet', '--output', `${base}.cpp`, path.join(root, file),
    path.join(planted, name)]);
  const known = compileCommands.find(each => each.file === path.join(root, file));
  const compile = known.command.replace(/ -o \S+ -c \S+/, ` -o ${base}.o -c ${base}.cpp`);
  await shell(`${compile} -Wno-error`);
  const link = (await linkCommand).replace(/-o postrider-sim /, `-o ${base}.sim `)
    .replace(/\S+main\.cpp\.o/, main => `${main} ${base}.o`);
  await shell(link);
  return `${base}.sim`;
}

/** For `sweep: SCENARIO FAULT` instead of `scenario: SCENARIO [FLAGS]`. */
async function findBySweep(simulator, {scenario, flags}) {
  const {stdout} = await run(simulator, ['--sweep', scenario, '--fault', flags[0].slice(2)])
    .catch(error => error);
  const found = /BROKEN ([^:]+): .* \(call (\d+)\)$/m.exec(stdout);
  return found && {at: `call ${found[2]}`, check: found[1]};
}

async function findFault(simulator, patch) {
  if (patch.mode === 'sweep') return findBySweep(simulator, patch);
  const {scenario, flags} = patch;
  // A rare one names the seeds among which it is.
  const seeds = flags.some(flag => flag.startsWith('--seeds=')) ? [] : ['--seeds',
    `1..${seedsMax}`];
  const {stdout} = await run(simulator, [...seeds, '--scenario', scenario,
    '--stop-when-broken', ...flags], {maxBuffer: 1 << 26}).catch(error => error);
  const found = /^seed (\d+) .*?BROKEN (ended by|[^:\n]+)/m.exec(stdout);
  return found && {at: `seed ${found[1]}`, check: found[2]};
}

describe('planted faults', {concurrency: 2}, () => {
  for (const name of readdirSync(planted).filter(each => each.endsWith('.patch')).sort()) {
    test(name, async t => {
      const patch = readPatch(name);
      const found = await findFault(await buildFaulty(name, patch.file), patch);
      assert.ok(found, `not found in ${patch.scenario}`);
      t.diagnostic(`found by "${found.check}" with ${found.at} of ${patch.scenario}`);
      assert.ok(patch.checks.includes(found.check));
    });
  }
});
