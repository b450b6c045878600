// No queue at all: the producer itself sends to the receiver. What HTTP alone allows here.
import {openClient} from './http_client.mjs';

export async function reset() {}

export async function openProducer({sink}) {
  const client = openClient(sink);
  return {
    add: jobs => Promise.all(jobs.map(({receiver, facts}) => client.put(receiver, facts))),
  };
}

export async function openWorker() {}
