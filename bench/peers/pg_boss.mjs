// pg-boss: workers fetch batches, and again at once while batches are full; LISTEN/NOTIFY is on.
// For order there is a queue and a worker for each receiver. "Merged" is what the application adds
// by hand: one request for all fetched jobs of a receiver.
import pg from 'pg';
import {PgBoss} from 'pg-boss';

const fetched = {batchSize: 500, localConcurrency: 2};
const fetchedInOrder = {batchSize: 100};
const polling = {burstWhenBatchFull: true, pollingIntervalSeconds: 0.5,
  notifyPollingIntervalSeconds: 0.5};

const queueOf = (ordered, receiver) => ordered ? `deliver-${receiver}` : 'deliver';

async function start(url, options) {
  const boss = new PgBoss({connectionString: url, max: 10, schedule: false, ...options});
  boss.on('error', error => console.error(`pg-boss: ${error.message}`));
  await boss.start();
  return boss;
}

function byReceiver(jobs) {
  const groups = new Map();
  for (const {receiver, facts} of jobs) {
    groups.set(receiver, [...groups.get(receiver) ?? [], ...facts]);
  }
  return [...groups];
}

export async function reset({url, ordered, receivers}) {
  const client = new pg.Client({connectionString: url});
  await client.connect();
  await client.query('DROP SCHEMA IF EXISTS pgboss CASCADE');
  await client.end();
  const boss = await start(url, {supervise: false});
  for (let receiver = 0; receiver < (ordered ? receivers : 1); receiver += 1) {
    await boss.createQueue(queueOf(ordered, receiver), {notify: true});
  }
  await boss.stop();
}

export async function openProducer({url, ordered}) {
  const boss = await start(url, {supervise: false});
  const inOrder = jobs => {
    const groups = new Map();
    for (const job of jobs) groups.set(job.receiver, [...groups.get(job.receiver) ?? [], job]);
    return Promise.all([...groups].map(([receiver, own]) =>
      boss.insert(queueOf(true, receiver), own.map(data => ({data})))));
  };
  return {
    add(jobs) {
      if (jobs.length === 1) return boss.send(queueOf(ordered, jobs[0].receiver), jobs[0]);
      return ordered ? inOrder(jobs) : boss.insert('deliver', jobs.map(data => ({data})));
    },
  };
}

export async function openWorker({url, ordered, merged, receivers}, client) {
  const boss = await start(url, {useListenNotify: true});
  const put = ({receiver, facts}) => client.put(receiver, facts);
  async function deliver(fetchedJobs) {
    const jobs = fetchedJobs.map(({data}) => data);
    if (merged) {
      await Promise.all(byReceiver(jobs).map(([receiver, facts]) => client.put(receiver, facts)));
    } else if (ordered) {
      for (const job of jobs) await put(job);
    } else {
      await Promise.all(jobs.map(put));
    }
  }
  const options = {...polling, ...(ordered ? fetchedInOrder : fetched)};
  for (let receiver = 0; receiver < (ordered ? receivers : 1); receiver += 1) {
    await boss.work(queueOf(ordered, receiver), options, deliver);
  }
}
