// Postrider: a POST for a call. The server delivers by itself.
import {Pool} from 'undici';

export async function reset() {}

export async function openProducer({url, token, fanout}) {
  const pool = new Pool(url, {connections: 64, pipelining: 1});
  const headers = {'content-type': 'application/json', authorization: `Bearer ${token}`};
  return {
    async add(jobs) {
      // Everybody gets every fact, so that the first job names all of them.
      const facts = fanout ? jobs[0].facts : jobs.flatMap(job => job.facts);
      const {statusCode, body} = await pool.request({method: 'POST', headers,
        path: '/v1/streams/events/facts', body: JSON.stringify(facts)});
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`an append was answered ${statusCode}: ${text}`);
    },
  };
}

export async function openWorker() {}
