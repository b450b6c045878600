// The arguments of bench/run; a mistake is one line and exit code 2.
import {parseArgs} from 'node:util';
import {benchmarks} from './benchmarks.mjs';
import {refuse} from './refuse.mjs';

function unknownOf(names, known) {
  return names.filter(name => !Object.hasOwn(known, name)).join(', ');
}

function parsed(program, options) {
  try {
    return parseArgs({allowPositionals: true, options: {
      rounds: {type: 'string', default: '3'}, quick: {type: 'boolean', default: false}, ...options,
    }});
  } catch (error) {
    return refuse(program, error.message.split('. ')[0]);
  }
}

/** `first`: how many words stand before the names of benchmarks. */
export function readArguments(program, options, first = 0) {
  const {values, positionals} = parsed(program, options);
  if (!/^[1-9]\d{0,2}$/.test(values.rounds)) {
    refuse(program, `--rounds is a number from 1 to 999, not "${values.rounds}"`);
  }
  const names = positionals.slice(first);
  const unknown = unknownOf(names, benchmarks);
  if (unknown) {
    refuse(program, `no benchmark is called ${unknown}; there are ` +
      Object.keys(benchmarks).join(', '));
  }
  return {...values, rounds: Number(values.rounds), words: positionals.slice(0, first),
    names: names.length > 0 ? names : Object.keys(benchmarks)};
}
