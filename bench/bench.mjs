// Every benchmark starts its own server on its own folder; a comparison runs in turns with it.
import {rmSync} from 'node:fs';
import {availableParallelism} from 'node:os';
import {temporaryFolder} from '../tests/e2e/harness.mjs';
import {readArguments} from './arguments.mjs';
import {benchmarks} from './benchmarks.mjs';
import {printTable} from './table.mjs';

const program = 'bench/run';
const {rounds, quick, names} = readArguments(program, {});
const folder = temporaryFolder();
const run = {rounds, quick, folder, seconds: quick ? 1 : 3,
  scaled: count => quick ? Math.ceil(count / 20) : count};

try {
  console.log(`${availableParallelism()} cores; median (lowest–highest) of ${rounds} rounds`);
  for (const name of names) {
    printTable(await benchmarks[name](run));
  }
} catch (error) {
  console.error(`${program}: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, {recursive: true, force: true});
}
