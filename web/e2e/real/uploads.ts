import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import { expect } from '@playwright/test';
import type { Server } from './server.ts';

/** A file of the fixtures of the repository. */
export const fixture = (path: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(resolve('../fixtures', path)));

/** An archive of files that are stored as they are. */
function zip(files: [name: string, bytes: Uint8Array][]): Buffer<ArrayBuffer> {
  const parts: Buffer[] = [];
  const entries: Buffer[] = [];
  let offset = 0;
  for (const [name, bytes] of files) {
    const title = Buffer.from(name);
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt16LE(0x21, 8);
    facts.writeUInt32LE(crc32(bytes), 10);
    facts.writeUInt32LE(bytes.length, 14);
    facts.writeUInt32LE(bytes.length, 18);
    facts.writeUInt16LE(title.length, 22);
    const local = [Buffer.from('PK\x03\x04'), facts, title, Buffer.from(bytes)];
    const made = Buffer.from([20, 0]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    entries.push(Buffer.from('PK\x01\x02'), made, facts, place, title);
    parts.push(...local);
    offset += 30 + title.length + bytes.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, directory, Buffer.from('PK\x05\x06'), end]);
}

/** Uploads the script and the map of a case of fixtures/scripts as one bundle, as the tools of builds do. */
export async function uploadScripts(server: Server, name: string, more: object = {}): Promise<void> {
  const { files } = JSON.parse(Buffer.from(fixture(`scripts/${name}/input.json`)).toString()) as {
    files: { file: string; kind: string; debug_id: string; url: string }[];
  };
  const listed = files.map((one) => [
    `files/_/_/${one.file}`,
    {
      type: one.kind === 'map' ? 'source_map' : 'minified_source',
      url: one.url,
      headers: { 'debug-id': one.debug_id, ...(one.kind === 'map' ? {} : { sourcemap: 'app.js.map' }) },
    },
  ]);
  const bundle = zip([
    ...files.map((one): [string, Uint8Array] => [
      `files/_/_/${one.file}`,
      fixture(`scripts/${name}/${one.file}`),
    ]),
    ['manifest.json', Buffer.from(JSON.stringify({ files: Object.fromEntries(listed) }))],
  ]);
  const checksum = createHash('sha1').update(bundle).digest('hex');
  await server.form('organizations/acme/chunk-upload/', { file: new File([bundle], checksum) });
  const body = { checksum, chunks: [checksum], projects: ['shop'], ...more };
  await expect
    .poll(
      async () =>
        (await server.post<{ state: string }>('organizations/acme/artifactbundle/assemble/', body)).state,
    )
    .toBe('ok');
}

/** Uploads a debug file, or an archive of them. */
export async function uploadDebugFile(server: Server, path: string): Promise<void> {
  const name = path.slice(path.lastIndexOf('/') + 1);
  await server.form('projects/acme/shop/files/dsyms/', { file: new File([fixture(path)], name) });
}

/** The event of a case of fixtures/scripts. */
export const scriptEvent = (name: string): object =>
  (JSON.parse(Buffer.from(fixture(`scripts/${name}/input.json`)).toString()) as { event: object }).event;
