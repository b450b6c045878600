// Two builds of Postrider in turns, each round in processes of their own; B is set against A.
import {spawnSync} from 'node:child_process';
import {accessSync, constants, readFileSync, rmSync, statSync} from 'node:fs';
import path from 'node:path';
import {temporaryFolder} from '../tests/e2e/harness.mjs';
import {readArguments} from './arguments.mjs';
import {benchmarks} from './benchmarks.mjs';
import {refuse} from './refuse.mjs';
import {printTable, ratio} from './table.mjs';

const program = 'bench/compare';

// These run no server.
const withoutServer = ['alone', 'patterns'];

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function buildsOf(words) {
  if (words.length < 2) {
    refuse(program, 'give two postrider binaries, then any benchmarks: bench/compare A B append');
  }
  return words.map(word => {
    const file = path.resolve(word);
    if (!isProgram(file)) refuse(program, `${word} is not a program that can be run`);
    return file;
  });
}

/** The table of one round of a benchmark with a build. */
function measure(build, name, quick, file) {
  const args = [path.join(import.meta.dirname, 'bench.mjs'), '--rounds', '1', '--json', file,
    '--peers', 'postrider', ...quick ? ['--quick'] : [], name];
  const {status, stderr} = spawnSync(process.execPath, args, {encoding: 'utf8',
    env: {...process.env, BINARY_UNDER_TEST: build}, stdio: ['ignore', 'ignore', 'pipe']});
  const table = status === 0 && JSON.parse(readFileSync(file, 'utf8')).tables[name];
  if (!table) throw new Error(`${name} with ${build} failed: ${stderr.trim().split('\n').at(-1)}`);
  return table;
}

/** Every figure of a table: what it is, and its value in this round. */
function figuresOf({head, rows}) {
  const isFigure = (cell, column) => Array.isArray(cell) && Number.isFinite(cell[0]) &&
    !head[column].startsWith('ratio');
  return rows.flatMap(row => {
    const label = row.filter(cell => !Array.isArray(cell)).join(' ').trim();
    return row.flatMap((cell, column) => isFigure(cell, column)
      ? [{what: [label, head[column]].filter(Boolean).join(', '), value: cell[0]}] : []);
  });
}

function compare(name, {rounds, quick, builds, file}) {
  const sides = builds.map(() => new Map());
  let title;
  for (let round = 0; round < rounds; round += 1) {
    // Whoever is second finds a warm machine: they take turns in that too.
    const turns = round % 2 === 0 ? [0, 1] : [1, 0];
    for (const side of turns) {
      const table = measure(builds[side], name, quick, file);
      title = `${name}: ${table.title}`;
      for (const {what, value} of figuresOf(table)) {
        sides[side].set(what, [...sides[side].get(what) ?? [], value]);
      }
    }
  }
  const [a, b] = sides;
  printTable({title, head: ['', 'A', 'B', 'B / A'], rows: [...a.keys()].map(what =>
    [what, a.get(what), b.get(what) ?? [], ratio(b.get(what) ?? [], a.get(what))])});
}

const {rounds, quick, words, names} = readArguments(program, {}, 2);
const builds = buildsOf(words);
const chosen = names.length < Object.keys(benchmarks).length ? names
  : names.filter(name => !withoutServer.includes(name));
const folder = temporaryFolder();
try {
  console.log(`A ${builds[0]}\nB ${builds[1]}\nmedian (lowest–highest) of ${rounds} rounds`);
  for (const name of chosen) {
    compare(name, {rounds, quick, builds, file: path.join(folder, 'round.json')});
  }
} catch (error) {
  console.error(`${program}: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, {recursive: true, force: true});
}
