// Stands between a process and PostgreSQL, as a network does that may lose what it knew of a
// connection: the process's side ends, and the server's stays open.
import net from 'node:net';

export class ForgetfulLink {
  pairs = new Set();
  isDown = false;

  constructor(url) {
    this.target = new URL(url).port;
    this.targetUrl = url;
  }

  async start() {
    this.server = net.createServer({allowHalfOpen: true}, client => this.connect(client));
    await new Promise(resolve => this.server.listen(0, '127.0.0.1', resolve));
    this.url = this.targetUrl.replace(`:${this.target}/`, `:${this.server.address().port}/`);
    return this;
  }

  connect(client) {
    client.on('error', () => {});
    if (this.isDown) return client.destroy();
    const pair = {client, server: net.connect(this.target, '127.0.0.1'), isForgotten: false};
    this.pairs.add(pair);
    pair.server.on('error', () => {});
    client.on('data', bytes => pair.isForgotten || pair.server.write(bytes));
    pair.server.on('data', bytes => pair.isForgotten || client.write(bytes));
    client.on('close', () => pair.isForgotten || pair.server.destroy());
    pair.server.on('close', () => client.destroy());
  }

  /** Ends every connection for the process alone. */
  forget() {
    for (const pair of this.pairs) {
      pair.isForgotten = true;
      pair.client.destroy();
    }
  }

  /** Lets nothing through until `up()`. */
  down() {
    this.isDown = true;
    this.forget();
  }

  up() {
    this.isDown = false;
  }

  stop() {
    this.server.close();
    for (const {client, server} of this.pairs) {
      client.destroy();
      server.destroy();
    }
  }
}
