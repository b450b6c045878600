// The HTTP client of every peer: a PUT for a job, as many connections as receivers would have.
import {Pool} from 'undici';

const headers = {'content-type': 'application/json'};

export function openClient(sink) {
  const pool = new Pool(sink, {connections: 100, pipelining: 1});
  return {
    async put(receiver, events) {
      const {statusCode, body} = await pool.request({method: 'PUT', path: `/r/${receiver}/jobs`,
        headers, body: JSON.stringify({events})});
      await body.dump();
      if (statusCode !== 200) throw new Error(`a delivery was answered ${statusCode}`);
    },
    close: () => pool.close(),
  };
}
