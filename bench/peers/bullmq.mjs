// BullMQ: one worker with 50 jobs in flight, or for order a queue and a worker for each receiver.
import {Queue, Worker} from 'bullmq';
import IORedis from 'ioredis';

const inFlight = 50;
const defaultJobOptions = {removeOnComplete: true, removeOnFail: {count: 1000}, attempts: 5,
  backoff: {type: 'exponential', delay: 1000}};

const connect = url => new IORedis(url, {maxRetriesPerRequest: null});
const queueOf = (ordered, receiver) => ordered ? `deliver-${receiver}` : 'deliver';
const queueCount = ({ordered, receivers}) => ordered ? receivers : 1;

export async function reset() {}

export async function openProducer({url, ordered, receivers}) {
  const connection = connect(url);
  const queues = Array.from({length: queueCount({ordered, receivers})}, (_, receiver) =>
    new Queue(queueOf(ordered, receiver), {connection, defaultJobOptions}));
  const single = job => queues[ordered ? job.receiver : 0].add('deliver', job);
  const many = jobs => Promise.all(queues.map((queue, receiver) => {
    const own = ordered ? jobs.filter(job => job.receiver === receiver) : jobs;
    return own.length > 0 && queue.addBulk(own.map(data => ({name: 'deliver', data})));
  }));
  return {add: jobs => jobs.length === 1 ? single(jobs[0]) : many(jobs)};
}

export async function openWorker({url, ordered, receivers}, client) {
  const workers = Array.from({length: queueCount({ordered, receivers})}, (_, receiver) => {
    const worker = new Worker(queueOf(ordered, receiver),
      ({data}) => client.put(data.receiver, data.facts),
      {connection: connect(url), concurrency: ordered ? 1 : inFlight});
    worker.on('error', error => console.error(`bullmq: ${error.message}`));
    return worker;
  });
  await Promise.all(workers.map(worker => worker.waitUntilReady()));
}
