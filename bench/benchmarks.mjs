// Every benchmark by its name.
import {alone, append} from './append.mjs';
import {delivery} from './delivery.mjs';
import {outbox, takeover, visibility, writers} from './fleet.mjs';
import {memory, patterns} from './memory.mjs';
import {latency} from './latency.mjs';
import {writes} from './writes.mjs';

export const benchmarks = {alone, append, delivery, latency, writes, memory, patterns, writers,
  visibility, takeover, outbox};
