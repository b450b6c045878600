// More facts than were recorded, with the recorded ones' kinds, sizes and words.
import {readFileSync} from 'node:fs';
import path from 'node:path';

const recorded = path.resolve(import.meta.dirname, '../examples/homeserver-traffic.ndjson');
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** A repeatable draw below `bound` (mulberry32). */
function drawFrom(seed) {
  let state = seed;
  return bound => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

/**
 * `count` facts, none alike: the recorded ones over and over, each time with another event ID and
 * with its text's words drawn anew, so that a block compresses no better than real traffic would.
 * `change(fact, number)` may alter each.
 */
export function makeFacts(count, change = () => {}) {
  const originals = readFileSync(recorded, 'utf8').trim().split('\n');
  const words = originals.map(line => JSON.parse(line).content.body).filter(Boolean).join(' ')
    .split(/\s+/);
  const draw = drawFrom(1);
  const facts = [];
  for (let number = 0; number < count; number += 1) {
    const fact = JSON.parse(originals[number % originals.length]);
    fact.event_id = `$${Array.from({length: 43}, () => letters[draw(64)]).join('')}`;
    fact.origin_server_ts += draw(1_000_000);
    if (fact.content.body) {
      fact.content.body = fact.content.body.replace(/\S+/g, () => words[draw(words.length)]);
    }
    change(fact, number);
    facts.push(JSON.stringify(fact));
  }
  return facts;
}
