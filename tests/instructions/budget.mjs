// What each scenario may cost: the figures of budget.json, and why each was changed last.
import {execFileSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';

const file = path.join(import.meta.dirname, 'budget.json');
const limit = 0.05;
const packages = ['libc6', 'libstdc++6', 'libsqlite3-0', 'libzstd1', 'libcurl4', 'valgrind'];

export function readBudget() {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** What counts depend on besides the code. */
export function platform(binary) {
  const comments = execFileSync('readelf', ['--string-dump=.comment', binary], {encoding: 'utf8'});
  const compiler = /clang version \S+/.exec(comments)?.[0] ?? 'another compiler than clang';
  const versions = execFileSync('dpkg-query', ['-W', '-f=${Package} ${Version}\n', ...packages],
    {encoding: 'utf8'}).trim().split('\n');
  const cpu = /\bavx2\b/.test(readFileSync('/proc/cpuinfo', 'utf8')) ? 'AVX2' : 'no AVX2';
  return [compiler, cpu, ...versions].join(', ');
}

/** What is wrong with a count, and what to do; nothing when it is within the limit. */
export function complaint(name, entry, instructions, countedOn) {
  if (!entry) return `"${name}" has no entry in budget.json; it takes ${instructions} instructions`;
  const change = instructions - entry.instructions;
  if (Math.abs(change) <= limit * entry.instructions) return undefined;
  const [grown, todo] = change > 0
    ? ['more', 'make it cheaper, or accept it with a reason']
    : ['fewer', 'lower the figure, so that the gain is kept'];
  const percent = (Math.abs(change) / entry.instructions * 100).toFixed(1);
  const lines = [
    `"${name}" was ${entry.instructions} instructions, and is ${instructions}: ` +
      `${percent} % ${grown}`,
    `${todo}: node tests/instructions/count.mjs --accept 'the reason' '${name}'`,
  ];
  if (entry.countedOn !== countedOn) {
    lines.push(`it was counted on ${entry.countedOn}`, `and now on ${countedOn}`);
  }
  return lines.join('\n');
}

/** The budget with other figures for the scenarios of `counts`. */
export function accepted(budget, counts, reason, countedOn) {
  const changed = Object.entries(counts).map(([name, instructions]) =>
    [name, {instructions, reason, countedOn}]);
  return {...budget, ...Object.fromEntries(changed)};
}

export function writeBudget(budget) {
  writeFileSync(file, `${JSON.stringify(budget, null, 2)}\n`);
}
