/**
 * Pure functions on the bytes of a Linux ELF library: which glibc versions it wants, and a copy that wants an
 * older one. It exists for one case: a library linked on a machine with glibc 2.38 asks for the C23 variants of
 * three number parsers that older systems only have under their classic names.
 */

/** C23 variants whose classic counterparts are interchangeable for decimal and hexadecimal input. */
const RELABELLED_SYMBOLS = ['__isoc23_strtol', '__isoc23_strtoul', '__isoc23_sscanf'] as const;
/** The classic name is the tail of the same string: `__isoc23_strtol` + 9 bytes is `strtol`. */
const CLASSIC_NAME_OFFSET = '__isoc23_'.length;
/** The glibc version that brought the C23 variants. */
export const RELABELLED_VERSION = 'GLIBC_2.38';

/** ELF machine number → the oldest version name glibc knows on that machine. */
const BASE_VERSION_OF_MACHINE: Readonly<Record<number, string>> = { 62: 'GLIBC_2.2.5', 183: 'GLIBC_2.17' };

const SECTION_TYPE_DYNSYM = 11;
const SECTION_TYPE_VERNEED = 0x6ffffffe;
const SECTION_TYPE_VERSYM = 0x6fffffff;
const DYNSYM_ENTRY_BYTES = 24;
const VERSYM_ENTRY_BYTES = 2;
/** The upper bit of a symbol's version index means "hidden" and is not part of the index. */
const VERSYM_INDEX_MASK = 0x7fff;

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

interface NeededVersion {
  readonly file: string;
  readonly name: string;
  /** The number by which symbols refer to this version. */
  readonly index: number;
  /** Where the entry stands in the file: hash (4 bytes), flags (2), index (2), name offset (4), next (4). */
  readonly entryOffset: number;
}

/**
 * Names of the symbol versions a 64-bit little-endian ELF library wants from libc, such as `GLIBC_2.34`.
 * Throws when the bytes are no such library.
 */
export function listNeededGlibcVersions(library: Buffer): readonly string[] {
  const names = readNeededVersions(library, readSections(library)).map((version) => version.name);
  return [...new Set(names.filter((name) => name.startsWith('GLIBC_')))];
}

/**
 * A copy in which the three C23 number parsers are asked for under their classic names at the oldest glibc
 * version. Throws when anything else in the library also wants `GLIBC_2.38`: relabelling would then be wrong.
 */
export function relabelGlibcSymbols(library: Buffer): Buffer {
  const copy = Buffer.from(library);
  const sections = readSections(copy);
  const versions = readNeededVersions(copy, sections);
  const newest = versions.find((version) => version.name === RELABELLED_VERSION);
  if (newest === undefined) return copy;

  const baseName = BASE_VERSION_OF_MACHINE[copy.readUInt16LE(0x12)];
  const base = versions.find((version) => version.file === newest.file && version.name === baseName);
  if (base === undefined) throw new Error(`it wants nothing of ${baseName ?? 'a known base version'} yet`);

  for (const symbol of symbolsOfVersion(copy, sections, newest.index)) {
    if (!RELABELLED_SYMBOLS.some((name) => name === symbol.name)) {
      throw new Error(`it wants ${symbol.name} of ${RELABELLED_VERSION}, which has no older counterpart`);
    }
    copy.writeUInt32LE(symbol.nameOffset + CLASSIC_NAME_OFFSET, symbol.entryOffset);
  }
  copy.copy(copy, newest.entryOffset, base.entryOffset, base.entryOffset + 4);
  copy.copy(copy, newest.entryOffset + 8, base.entryOffset + 8, base.entryOffset + 12);
  return copy;
}

function readSections(library: Buffer): readonly Section[] {
  const isElf64LittleEndian =
    library.length > 64 && library.readUInt32BE(0) === 0x7f454c46 && library[4] === 2;
  if (!isElf64LittleEndian || library[5] !== 1) throw new Error('it is not a 64-bit little-endian ELF file');
  const tableOffset = Number(library.readBigUInt64LE(0x28));
  const entryBytes = library.readUInt16LE(0x3a);
  const count = library.readUInt16LE(0x3c);
  return Array.from({ length: count }, (_, index) => {
    const at = tableOffset + index * entryBytes;
    return {
      type: library.readUInt32LE(at + 4),
      offset: Number(library.readBigUInt64LE(at + 0x18)),
      size: Number(library.readBigUInt64LE(at + 0x20)),
      link: library.readUInt32LE(at + 0x28),
    };
  });
}

function findSection(sections: readonly Section[], type: number): Section {
  const section = sections.find((candidate) => candidate.type === type);
  if (section === undefined) throw new Error(`it has no section of type 0x${type.toString(16)}`);
  return section;
}

function readName(library: Buffer, sections: readonly Section[], owner: Section, nameOffset: number): string {
  const strings = sections[owner.link];
  if (strings === undefined) throw new Error('a section names a string table that is not there');
  const start = strings.offset + nameOffset;
  return library.toString('latin1', start, library.indexOf(0, start));
}

function readNeededVersions(library: Buffer, sections: readonly Section[]): readonly NeededVersion[] {
  const section = findSection(sections, SECTION_TYPE_VERNEED);
  const versions: NeededVersion[] = [];
  let fileOffset = section.offset;
  for (;;) {
    const file = readName(library, sections, section, library.readUInt32LE(fileOffset + 4));
    let entryOffset = fileOffset + library.readUInt32LE(fileOffset + 8);
    for (let left = library.readUInt16LE(fileOffset + 2); left > 0; left--) {
      const name = readName(library, sections, section, library.readUInt32LE(entryOffset + 8));
      versions.push({ file, name, index: library.readUInt16LE(entryOffset + 6), entryOffset });
      entryOffset += library.readUInt32LE(entryOffset + 12);
    }
    const next = library.readUInt32LE(fileOffset + 12);
    if (next === 0) return versions;
    fileOffset += next;
  }
}

interface VersionedSymbol {
  readonly name: string;
  readonly nameOffset: number;
  readonly entryOffset: number;
}

function symbolsOfVersion(library: Buffer, sections: readonly Section[], index: number): VersionedSymbol[] {
  const symbols = findSection(sections, SECTION_TYPE_DYNSYM);
  const indexes = findSection(sections, SECTION_TYPE_VERSYM);
  const found: VersionedSymbol[] = [];
  for (let number = 0; number * DYNSYM_ENTRY_BYTES < symbols.size; number++) {
    const version = library.readUInt16LE(indexes.offset + number * VERSYM_ENTRY_BYTES) & VERSYM_INDEX_MASK;
    if (version !== index) continue;
    const entryOffset = symbols.offset + number * DYNSYM_ENTRY_BYTES;
    const nameOffset = library.readUInt32LE(entryOffset);
    found.push({ name: readName(library, sections, symbols, nameOffset), nameOffset, entryOffset });
  }
  return found;
}
