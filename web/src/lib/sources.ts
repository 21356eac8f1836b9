import type { SymbolSource, SymbolSourceType } from '../api/sources.ts';

/** What kinds of places debug files come from, by the names of the API. */
export const SOURCE_TYPES: [SymbolSourceType, name: string][] = [
  ['http', 'Web server'],
  ['s3', 'Amazon S3, or what speaks like it'],
  ['gcs', 'Google Cloud Storage'],
];

const SHORT: Record<string, string> = { http: 'http', s3: 'S3', gcs: 'GCS' };

/** The type of a source, short. */
export const typeName = (type: string): string => SHORT[type] ?? type;

/** How a source may sort its files: the name, and what that means. */
export const LAYOUTS: [id: string, name: string, help: string][] = [
  ['native', 'Native', 'As debuggers look: Windows files as in a SymStore, ELF by build id, Mach-O by UUID.'],
  [
    'symstore',
    'SymStore',
    'Microsoft’s: crash.pdb/3249D99D…1/crash.pdb. ELF and Mach-O by Microsoft’s keys.',
  ],
  ['symstore_index2', 'SymStore with index2.txt', 'The same below two letters of the name: cr/crash.pdb/…'],
  ['ssqp', 'SSQP', 'Microsoft’s keys, all in lower case; what NuGet’s symbol server has.'],
  ['unified', 'Unified', 'By id, for every kind of file: b5/80b35a…/debuginfo'],
  ['debuginfod', 'debuginfod', 'By build id: buildid/b580b35a…/debuginfo; for ELF alone.'],
  ['slashsymbols', 'Slash symbols', 'By build id: b580b35a…/symbols; for ELF alone.'],
];

export const CASINGS: [id: string, name: string, help: string][] = [
  ['default', 'As the layout has it', 'What most servers take.'],
  ['lowercase', 'Lower case', 'The whole path is asked for in lower case.'],
  ['uppercase', 'Upper case', 'The whole path is asked for in upper case.'],
];

/** The files that a source can be asked for. */
export const FILE_TYPES: [id: string, name: string][] = [
  ['pe', 'PE (.exe, .dll)'],
  ['pdb', 'PDB'],
  ['portablepdb', 'Portable PDB'],
  ['elf_code', 'ELF programs'],
  ['elf_debug', 'ELF debug files'],
  ['mach_code', 'Mach-O programs'],
  ['mach_debug', 'Mach-O dSYM'],
  ['wasm_code', 'WebAssembly'],
  ['wasm_debug', 'WebAssembly debug files'],
  ['breakpad', 'Breakpad'],
  ['sourcebundle', 'Source bundles'],
];
const FILES = new Map(FILE_TYPES);

export const fileTypeName = (id: string): string => FILES.get(id) ?? id;

/** Where a source is. */
export function sourceAddress(source: SymbolSource): string {
  if (source.type === 'http') return source.url ?? '';
  const prefix = source.prefix ? `/${source.prefix.replace(/^\/+/, '')}` : '';
  return `${source.type === 'gcs' ? 'gs' : source.type}://${source.bucket ?? ''}${prefix}`;
}
