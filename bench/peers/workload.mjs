// What the queues carry: a job is the facts of one call to one receiver.
import {makeFacts} from '../facts.mjs';

// Messages only, none alike: state would be work for Postrider alone.
const messages = makeFacts(5000).map(text => JSON.parse(text)).filter(fact => fact.content.body);

function marks(receiver, seq) {
  return {sent_ns: Number(process.hrtime.bigint()), seq, sender: `@r${receiver}:bench`};
}

/** Job `number` of `size` facts; receivers take turns, and `seq` counts all facts from 1. */
export function job(number, size, receivers) {
  const receiver = number % receivers;
  const facts = Array.from({length: size}, (_, at) => {
    const seq = number * size + at + 1;
    return {...messages[seq % messages.length], ...marks(receiver, seq)};
  });
  return {receiver, facts};
}

/** One fact as a job for each receiver. */
export function copies(number, receivers) {
  const {facts} = job(number, 1, 1);
  return Array.from({length: receivers}, (_, receiver) => ({receiver, facts}));
}

export const bytesPerFact = Math.round(messages.reduce((sum, _, number) =>
  sum + Buffer.byteLength(JSON.stringify(job(number, 1, 100).facts[0])), 0) / messages.length);
