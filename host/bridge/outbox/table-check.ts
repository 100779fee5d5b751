/**
 * Checks LevelDB's table files before LevelDB sees them. It does not check their sums itself when it reads, and the
 * library as it comes is built with assertions: bytes that make no sense end the whole process, at each start again.
 *
 * A table (LevelDB's table_format.md), of which only what leads to the sums is read:
 *
 *     data blocks · filter · metaindex · index · footer (48): metaindex and index as varints · … · magic (8)
 *     a block: content, which ends with its restarts and their count (4) · kind (1) · masked CRC-32C of both (4)
 */
import { readFile, rename, writeFile } from "node:fs/promises";
import { crc32c, masked } from "./crc32c.ts";

const FOOTER_BYTES = 48;
const MAGIC = Buffer.from("57fb808b247547db", "hex");
const TRAILER_BYTES = 5;
const UNCOMPRESSED = 0;

interface Handle {
  readonly offset: number;
  readonly size: number;
}

/** What of a table is damaged: single blocks, or what leads to them. */
export type TableDamage = { readonly blocks: readonly Handle[] } | "unusable";

/** Nothing for a table that is whole. */
export function tableDamage(table: Buffer): TableDamage | undefined {
  if (table.length < FOOTER_BYTES || !table.subarray(-MAGIC.length).equals(MAGIC)) return "unusable";
  const footer = new Reader(table.subarray(table.length - FOOTER_BYTES));
  const metaindex = footer.handle();
  const index = footer.handle();
  if (!index || !metaindex || !isWhole(table, index)) return "unusable";
  const handles = handlesIn(table, index);
  if (!handles) return "unusable";
  const blocks = handles.filter((handle) => !isWhole(table, handle));
  // A filter that is wrong hides what is there. It is found by the metaindex: without that one LevelDB does without.
  const filters = isWhole(table, metaindex) ? handlesIn(table, metaindex) : undefined;
  if (!filters?.every((handle) => isWhole(table, handle))) blocks.push(metaindex);
  return blocks.every((handle) => isInside(table, handle)) ? (blocks.length > 0 ? { blocks } : undefined) : "unusable";
}

/** Nothing for a table that is whole. */
export async function checkTable(path: string): Promise<TableDamage | undefined> {
  return tableDamage(await readFile(path));
}

/**
 * Has LevelDB see that a table is damaged where it is: a block with an impossible count of restarts is a bad block for
 * it, and a file without its magic no table. The file is replaced: another name of it keeps what it was.
 */
export async function markDamage(path: string, damage: TableDamage): Promise<void> {
  const table = await readFile(path);
  if (damage === "unusable") table.fill(0, Math.max(0, table.length - MAGIC.length));
  else for (const { offset, size } of damage.blocks) table.writeUInt32LE(0xffffffff, offset + size - 4);
  await writeFile(`${path}.marked`, table, { mode: 0o600, flush: true });
  await rename(`${path}.marked`, path);
}

function isInside(table: Buffer, { offset, size }: Handle): boolean {
  return size >= 4 && offset + size + TRAILER_BYTES <= table.length - FOOTER_BYTES;
}

function isWhole(table: Buffer, handle: Handle): boolean {
  if (!isInside(table, handle)) return false;
  const end = handle.offset + handle.size;
  return masked(crc32c(table.subarray(handle.offset, end + 1))) === table.readUInt32LE(end + 1);
}

/**
 * The values of a block whose values are handles; nothing when it is not such a block. Compressed are those that
 * LevelDB's own repair wrote, until they are compacted: into them nobody looks, and their sum is right.
 */
function handlesIn(table: Buffer, { offset, size }: Handle): Handle[] | undefined {
  if (table[offset + size] !== UNCOMPRESSED) return [];
  const block = table.subarray(offset, offset + size);
  const entries = block.length - 4 * (1 + block.readUInt32LE(block.length - 4));
  if (entries < 0) return undefined;
  const reader = new Reader(block.subarray(0, entries));
  const handles: Handle[] = [];
  while (!reader.isAtEnd) {
    const shared = reader.varint();
    const keyBytes = reader.varint();
    const valueBytes = reader.varint();
    if (shared === undefined || keyBytes === undefined || valueBytes === undefined) return undefined;
    const value = reader.skip(keyBytes).handleOf(valueBytes);
    if (!value) return undefined;
    handles.push(value);
  }
  return handles;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): number | undefined {
    let value = 0;
    for (let factor = 1; factor < 2 ** 49; factor *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) return undefined;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    return undefined;
  }

  handle(): Handle | undefined {
    const offset = this.varint();
    const size = this.varint();
    return offset === undefined || size === undefined ? undefined : { offset, size };
  }

  /** A handle that takes so many bytes. */
  handleOf(bytes: number): Handle | undefined {
    const end = this.#at + bytes;
    const handle = this.handle();
    return this.#at === end ? handle : undefined;
  }

  skip(bytes: number): this {
    this.#at += bytes;
    return this;
  }
}
