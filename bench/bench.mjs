// Every benchmark starts its own server on its own folder; a comparison runs in turns with it.
import {closeSync, openSync, rmSync, writeFileSync} from 'node:fs';
import {temporaryFolder} from '../tests/e2e/harness.mjs';
import {readArguments} from './arguments.mjs';
import {benchmarks, withPeers} from './benchmarks.mjs';
import {circumstances} from './machine.mjs';
import {installPeers} from './peers/process.mjs';
import {refuse} from './refuse.mjs';
import {printTable} from './table.mjs';

const program = 'bench/run';
const {rounds, quick, json, peers, names} = readArguments(program,
  {json: {type: 'string'}, peers: {type: 'string'}});
if (json) assertWritable(json);
const folder = temporaryFolder();
const failures = [];
const run = {rounds, quick, peers, folder, failures, seconds: quick ? 1 : 3,
  scaled: count => quick ? Math.ceil(count / 20) : count};

function assertWritable(file) {
  try {
    closeSync(openSync(file, 'a'));
  } catch (error) {
    refuse(program, `--json cannot be written: ${error.message}`);
  }
}

/** After each benchmark, so that an interruption leaves what was measured. */
function writeResult(result) {
  if (json) writeFileSync(json, `${JSON.stringify(result, null, 1)}\n`);
}

try {
  if (names.some(name => Object.hasOwn(withPeers, name))) installPeers();
  const result = {...circumstances(folder), rounds, quick, failures, tables: {}};
  console.log(`${result.machine.cores} cores; median (lowest–highest) of ${rounds} rounds`);
  for (const name of names) {
    result.tables[name] = await benchmarks[name](run);
    printTable(result.tables[name]);
    writeResult(result);
  }
} catch (error) {
  console.error(`${program}: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, {recursive: true, force: true});
}
if (failures.length > 0) process.exitCode = 1;
