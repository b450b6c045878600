// Stands between a process and its replication bus: loses a fifth of the words, and lets the others
// overtake each other.
import net from 'node:net';

const lost = 0.2;
const delayMax = 30;

/**
 * The lines of our own bus; greetings are no words. Gives [[frame, mayBeLost], ...], and the bytes
 * that are no whole frame yet.
 */
export function tcpLines(bytes) {
  const frames = [];
  let end;
  while ((end = bytes.indexOf('\n')) >= 0) {
    const line = bytes.subarray(0, end + 1);
    frames.push([line, !/^(SERVER|PING|ERROR)/.test(line.toString('latin1', 0, 6))]);
    bytes = bytes.subarray(end + 1);
  }
  return [frames, bytes];
}

/** The end of the Redis reply that begins at `from`; -1 when it has not arrived yet. */
function endOfReply(bytes, from) {
  const line = bytes.indexOf('\r\n', from);
  if (line < 0) return -1;
  const kind = String.fromCharCode(bytes[from]);
  const count = Number(bytes.toString('latin1', from + 1, line));
  let end = line + 2;
  if (kind === '$' && count >= 0) end += count + 2;
  for (let part = 0; kind === '*' && part < count && end >= 0; part += 1) {
    end = end < bytes.length ? endOfReply(bytes, end) : -1;
  }
  return end <= bytes.length ? end : -1;
}

/** What Redis sends; only messages are words. */
export function redisPushes(bytes) {
  const frames = [];
  let end;
  while (bytes.length > 0 && (end = endOfReply(bytes, 0)) >= 0) {
    const reply = bytes.subarray(0, end);
    frames.push([reply, reply.toString('latin1', 0, 20).includes('message')]);
    bytes = bytes.subarray(end);
  }
  return [frames, bytes];
}

/** Passes connections on to a port of loopback. */
export class LossyLink {
  passed = 0;
  lost = 0;
  sockets = new Set();

  constructor(target, frames) {
    this.target = target;
    this.frames = frames;
  }

  async start() {
    this.server = net.createServer(client => {
      const server = net.connect(this.target, '127.0.0.1');
      this.pass(server, client, this.frames);
      // To Redis go commands, whose words come back from it.
      this.pass(client, server, this.frames === redisPushes ? bytes => [[[bytes, false]],
        Buffer.alloc(0)] : this.frames);
    });
    await new Promise(resolve => this.server.listen(0, '127.0.0.1', resolve));
    this.port = this.server.address().port;
    return this;
  }

  pass(from, to, frames) {
    this.sockets.add(from);
    let rest = Buffer.alloc(0);
    from.on('data', bytes => {
      const [whole, begun] = frames(Buffer.concat([rest, bytes]));
      rest = begun;
      for (const [frame, mayBeLost] of whole) {
        if (!mayBeLost) to.write(frame);
        else if (Math.random() < lost) this.lost += 1;
        else {
          this.passed += 1;
          setTimeout(() => to.writable && to.write(frame), Math.random() * delayMax);
        }
      }
    });
    from.on('error', () => {});
    from.on('close', () => {
      this.sockets.delete(from);
      to.destroy();
    });
  }

  stop() {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}
