// Every benchmark by its name; those with peers need what bench/peers installs.
import {alone, append} from './append.mjs';
import {hostile} from './attacks.mjs';
import {delivery} from './delivery.mjs';
import {outbox, takeover, visibility, writers} from './fleet.mjs';
import {followers} from './followers.mjs';
import {memory, patterns} from './memory.mjs';
import {drain, e2e, enqueue, fanout, latency, ordered} from './peers/benchmarks.mjs';
import {writes} from './writes.mjs';

export const withPeers = {enqueue, drain, e2e, ordered, latency, fanout};
export const benchmarks = {...withPeers, alone, append, delivery, writes, memory, patterns, writers,
  visibility, takeover, outbox, followers, hostile};
