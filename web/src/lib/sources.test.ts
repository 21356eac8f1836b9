import { describe, expect, it } from 'vitest';
import type { SymbolSource } from '../api/sources.ts';
import { fileTypeName, sourceAddress, typeName } from './sources.ts';

const source = (more: Partial<SymbolSource>): SymbolSource => ({
  id: 'a',
  type: 'http',
  name: 'A',
  layout: { type: 'native', casing: 'default' },
  ...more,
});

describe('sources of symbols', () => {
  it('are at an address, or in a bucket', () => {
    expect(sourceAddress(source({ url: 'https://symbols.example/' }))).toBe('https://symbols.example/');
    expect(sourceAddress(source({ type: 's3', bucket: 'b', prefix: '/x/' }))).toBe('s3://b/x/');
    expect(sourceAddress(source({ type: 'gcs', bucket: 'b' }))).toBe('gs://b');
  });
  it('have types and files that keep their name where nobody knows a better one', () => {
    expect([typeName('gcs'), typeName('ftp')]).toEqual(['GCS', 'ftp']);
    expect([fileTypeName('pdb'), fileTypeName('proguard')]).toEqual(['PDB', 'proguard']);
  });
});
