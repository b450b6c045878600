// Who takes part, by the names that --peers takes. What is a queue needs a worker that delivers.
import {openNothing, openPostgres, openPostrider, openRedis} from './servers.mjs';

export const contestants = {
  'postrider': {title: 'Postrider', adapter: 'postrider', open: openPostrider},
  'bullmq': {title: 'BullMQ, AOF everysec', adapter: 'bullmq', isQueue: true,
    open: () => openRedis({appendfsync: 'everysec'})},
  'bullmq-always': {title: 'BullMQ, AOF always', adapter: 'bullmq', isQueue: true,
    open: () => openRedis({appendfsync: 'always'})},
  'pg-boss': {title: 'pg-boss', adapter: 'pg_boss', isQueue: true, open: openPostgres},
  'graphile-worker': {title: 'graphile-worker', adapter: 'graphile_worker', isQueue: true,
    open: openPostgres},
  'direct': {title: 'no queue: PUT by the producer', adapter: 'direct', open: openNothing},
};

/** Those of `names` that were asked for; `how` is what the application asks of a queue. */
export function entrants(asked, names, how = {}, suffix = '') {
  return names.filter(name => asked.includes(name)).map(name =>
    ({...contestants[name], name, how, title: contestants[name].title + suffix}));
}
