// The arguments that bench/run and bench/compare share; a mistake is one line and exit code 2.
import {parseArgs} from 'node:util';
import {benchmarks} from './benchmarks.mjs';
import {contestants} from './peers/contestants.mjs';
import {refuse} from './refuse.mjs';

const unknownOf = (names, known) => names.filter(name => !Object.hasOwn(known, name));

function parsed(program, more) {
  const options = {rounds: {type: 'string', default: '3'}, quick: {type: 'boolean', default: false},
    ...more};
  try {
    return parseArgs({allowPositionals: true, options});
  } catch (error) {
    const takes = Object.keys(options).map(name => `--${name}`).join(', ');
    return refuse(program, `${error.message.split(/[.\n] ?/)[0]}; it takes ${takes}`);
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
  if (unknown.length > 0) {
    refuse(program, `no benchmark is called "${unknown.join('", "')}"; there are ` +
      Object.keys(benchmarks).join(', '));
  }
  const peers = values.peers === undefined ? Object.keys(contestants) : values.peers.split(',');
  const strangers = unknownOf(peers, contestants);
  if (strangers.length > 0) {
    refuse(program, `--peers does not know "${strangers.join('", "')}"; it takes ` +
      Object.keys(contestants).join(','));
  }
  return {...values, rounds: Number(values.rounds), peers, words: positionals.slice(0, first),
    names: names.length > 0 ? names : Object.keys(benchmarks)};
}
