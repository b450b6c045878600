// One process of an application: produces jobs or delivers them. Driven over IPC by process.mjs.
import {openClient} from './http_client.mjs';
import {copies, job} from './workload.mjs';

const adapter = await import(`./${process.argv[2]}.mjs`);
const sleep = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));
let producer;

/** The jobs of call `number`. */
function jobsOf(number, {jobs, facts, receivers, fanout}) {
  if (fanout) return copies(number, receivers);
  return Array.from({length: jobs}, (_, at) => job(number * jobs + at, facts, receivers));
}

/** Calls that begin when they are due, whatever the answers take. */
async function steadily({from, calls, rate}, call) {
  const begun = performance.now();
  const answers = [];
  while (answers.length < calls) {
    const due = Math.min(calls, Math.floor((performance.now() - begun) * rate / 1000));
    while (answers.length < due) answers.push(call(from + answers.length));
    await sleep(1);
  }
  await Promise.all(answers);
}

async function inFlight({from, calls, inflight}, call) {
  let next = from;
  await Promise.all(Array.from({length: inflight}, async () => {
    while (next < from + calls) await call(next++);
  }));
}

const operations = {
  reset: options => adapter.reset(options),
  async openProducer(options) {
    producer = await adapter.openProducer(options);
  },
  openWorker: options => adapter.openWorker(options, openClient(options.sink)),
  async produce(load) {
    const begun = process.hrtime.bigint();
    const call = number => producer.add(jobsOf(number, load));
    await (load.rate ? steadily(load, call) : inFlight(load, call));
    return {seconds: Number(process.hrtime.bigint() - begun) / 1e9};
  },
};

process.on('message', async ({id, operation, options}) => {
  try {
    process.send({id, result: await operations[operation](options)});
  } catch (error) {
    process.send({id, error: error.message});
  }
});
process.on('disconnect', () => process.exit());
process.send({ready: true});
