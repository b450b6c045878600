// graphile-worker: its preset for throughput, a local queue and completion in batches. For order
// each receiver has a named queue, without the local one, which does not keep it.
import {Logger, makeWorkerUtils, run, runMigrations} from 'graphile-worker';
import pg from 'pg';

const inFlight = 32;
const quiet = new Logger(() => () => {});

export async function reset({url}) {
  const client = new pg.Client({connectionString: url});
  await client.connect();
  await client.query('DROP SCHEMA IF EXISTS graphile_worker CASCADE');
  await client.end();
  await runMigrations({connectionString: url, logger: quiet});
}

export async function openProducer({url, ordered}) {
  const pool = new pg.Pool({connectionString: url, max: 10});
  pool.on('error', error => console.error(`graphile-worker: ${error.message}`));
  const utils = await makeWorkerUtils({pgPool: pool, logger: quiet});
  const options = job => ordered ? {queueName: `receiver-${job.receiver}`} : {};
  return {
    add: jobs => jobs.length === 1 ? utils.addJob('deliver', jobs[0], options(jobs[0]))
      : utils.addJobs(jobs.map(job => ({identifier: 'deliver', payload: job, ...options(job)}))),
  };
}

export async function openWorker({url, ordered}, client) {
  await run({
    noHandleSignals: true, logger: quiet,
    taskList: {deliver: ({receiver, facts}) => client.put(receiver, facts)},
    preset: {worker: {
      connectionString: url, concurrentJobs: inFlight, maxPoolSize: inFlight + 1,
      localQueue: {size: ordered ? -1 : 500}, completeJobBatchDelay: 0, failJobBatchDelay: 0,
    }},
  });
}
