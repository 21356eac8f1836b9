import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test as base, expect, type Page } from '@playwright/test';

const EMAIL = 'ann@example.com';
const PASSWORD = 'correct horse';

/** The binary of the test run: `VEDETTE_BIN`, or the debug build of the checkout, made when it is missing. */
function binary(): string {
  const given = process.env.VEDETTE_BIN;
  if (given) return given;
  const target = process.env.CARGO_TARGET_DIR ?? resolve('../target');
  const path = join(target, 'debug/vedette');
  const env = { ...process.env, PATH: `${homedir()}/.cargo/bin:${process.env.PATH}` };
  if (!existsSync(path))
    execFileSync('cargo', ['build', '-q', '-p', 'app'], { cwd: '..', stdio: 'inherit', env });
  return path;
}

async function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        address && typeof address === 'object' ? done(address.port) : failed(new Error('no port')),
      );
    });
  });
}

/** A running server on an empty folder, with the organization `acme` and the project `shop`. */
export class Server {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly url: string,
    private readonly setup: { dsn: string; token: string; project_id: string },
  ) {}

  static async start(): Promise<Server> {
    const path = binary();
    const folder = mkdtempSync(join(tmpdir(), 'vedette-e2e-'));
    const data = join(folder, 'data');
    const url = `http://127.0.0.1:${await freePort()}`;
    const serve = ['serve', '--log', 'warn', '--listen', new URL(url).host, '--data-dir', data];
    const child = spawn(path, serve, { stdio: ['ignore', 'ignore', 'inherit'] });
    const end = Date.now() + 30_000;
    while (
      !(await fetch(`${url}/_health/`).then(
        (reply) => reply.ok,
        () => false,
      ))
    ) {
      if (Date.now() > end || child.exitCode !== null) throw new Error('the server does not start');
      await new Promise((done) => setTimeout(done, 50));
    }
    const account = ['--email', EMAIL, '--password', PASSWORD, '--org', 'acme', '--project', 'shop'];
    const said = execFileSync(path, ['setup', '--json', '--data-dir', data, ...account], {
      encoding: 'utf8',
    });
    return new Server(child, folder, url, JSON.parse(said.trim().split('\n').at(-1) ?? ''));
  }

  stop(): void {
    this.child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  get dsn(): string {
    return this.setup.dsn;
  }

  /** Sends an event as an SDK would; gives its id. */
  async send(event: object): Promise<string> {
    const id = crypto.randomUUID().replaceAll('-', '');
    const body = `{"event_id":"${id}"}\n{"type":"event"}\n${JSON.stringify({ ...event, event_id: id })}\n`;
    const key = new URL(this.dsn).username;
    const path = `/api/${this.setup.project_id}/envelope/?sentry_key=${key}`;
    const reply = await fetch(this.url + path, { method: 'POST', body });
    expect(reply.status, await reply.text()).toBe(200);
    return id;
  }

  /** Asks the API with the token of the set-up. */
  async get<T>(path: string): Promise<T | null> {
    const reply = await fetch(`${this.url}/api/0/${path}`, {
      headers: { authorization: `Bearer ${this.setup.token}` },
    });
    return reply.ok ? ((await reply.json()) as T) : null;
  }

  /** Has the API change something, with the token of the set-up. */
  async post<T>(path: string, body: object): Promise<T> {
    const reply = await fetch(`${this.url}/api/0/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.setup.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await reply.text();
    expect(reply.ok, text).toBe(true);
    return JSON.parse(text || 'null') as T;
  }

  /** Sends the fields of a form, files among them, with the token of the set-up. */
  async form<T>(path: string, fields: Record<string, string | File>): Promise<T> {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    const reply = await fetch(`${this.url}/api/0/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.setup.token}` },
      body,
    });
    const text = await reply.text();
    expect(reply.ok, text).toBe(true);
    return JSON.parse(text || 'null') as T;
  }

  /** Sends a minidump as a crash reporter would; gives the id of the event. */
  async crash(dump: Uint8Array<ArrayBuffer>): Promise<string> {
    const key = new URL(this.dsn).username;
    const path = `/api/${this.setup.project_id}/minidump/?sentry_key=${key}`;
    const reply = await fetch(this.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/x-dmp' },
      body: dump,
    });
    const text = await reply.text();
    expect(reply.status, text).toBe(200);
    return text.replaceAll('-', '');
  }

  /** Waits until an event is stored. */
  async stored(id: string): Promise<void> {
    await expect.poll(() => this.get(`projects/acme/shop/events/${id}/`)).not.toBeNull();
  }
}

/** Each test has a server of its own. */
export const test = base.extend<{ server: Server }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names from the pattern
  server: async ({}, use) => {
    const server = await Server.start();
    await use(server);
    server.stop();
  },
});

export async function signIn(page: Page): Promise<void> {
  await page.getByLabel('Email or user name').fill(EMAIL);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await expect(page).not.toHaveURL(/\/login/);
}

/** An error of a web shop in Python; `text` is its message. */
export function error(text: string, more: object = {}): object {
  return {
    platform: 'python',
    level: 'error',
    release: 'shop@1.4.2',
    environment: 'production',
    exception: {
      values: [
        {
          type: 'OrderError',
          value: text,
          mechanism: { type: 'generic', handled: false },
          stacktrace: {
            frames: [
              {
                module: 'flask.app',
                filename: 'flask/app.py',
                function: 'dispatch_request',
                lineno: 1484,
                in_app: false,
              },
              {
                module: 'shop.cart',
                filename: 'shop/cart.py',
                function: 'checkout',
                lineno: 42,
                in_app: true,
                pre_context: ['def checkout(cart):', '    total = cart.total()'],
                context_line: "    raise OrderError('no stock')",
                post_context: ['', ''],
                vars: { total: '12.50', cart: '<Cart 7>' },
              },
            ],
          },
        },
      ],
    },
    user: { id: '7', email: 'jo@example.com' },
    tags: { region: 'eu' },
    breadcrumbs: {
      values: [{ category: 'query', message: 'select * from stock', timestamp: Date.now() / 1000 }],
    },
    request: { url: 'https://shop.example/cart', method: 'POST', headers: { 'User-Agent': 'Mozilla/5.0' } },
    ...more,
  };
}
