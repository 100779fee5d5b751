/**
 * A file out of a module that hands out its parts once, in order, and cannot go back (§2).
 *
 * A part whose answer is lost leaves a hole, which is filled on a further pass: the download is cancelled and started
 * again, and what is held is hurried over. The frames' parity lets some damage pass; so when the CRC-32 of the whole is
 * wrong, further passes read everything once more, and the value of a byte that was seen most often counts.
 */
import type { RequestOf } from "../protocol/commands.ts";
import { SakuraError } from "../protocol/errors.ts";
import { FileBytes } from "./file-bytes.ts";
import { ChunkSize } from "./file-chunk.ts";
import { type FileLink, type FileMetadata, isSameFile } from "./file-link.ts";

export interface FileTransferLimits {
  readonly chunkBytes: number;
  readonly passes: number;
  readonly maxBytes: number;
}

/** Passes in a row that brought nothing. */
const FRUITLESS_MAX = 12;
/** A file whose bytes were all seen so often and whose CRC-32 is still wrong is wrong at the module. */
const LEAD_ENOUGH = 3;
/** Between two looks for a part that is not there yet: the first, and the longest. */
const EMPTY_MS = 20;
const EMPTY_MS_MAX = 500;
/** Of the best size for a part: where a pass is dear, what is asked for should rather arrive. */
const FILL_SHARE = 1 / 2;
const LAST_HOLES_SHARE = 1 / 4;
/** Holes are few when they are less of the file than this. */
const FEW_HOLES = 1 / 8;

export class FileTransfer {
  readonly #file: RequestOf<"START_FILE_DOWNLOAD">;
  readonly #link: FileLink;
  readonly #limits: FileTransferLimits;
  readonly #chunk: ChunkSize;
  #metadata: FileMetadata = { size: 0, timestamp: 0n, crc32: 0 };
  #bytes = new FileBytes(0);
  #version = 0;
  #passes = 0;
  #fruitless = 0;
  /** What every byte's lead should be. */
  #wanted = 1;
  #running = false;
  #complete = false;
  /** What the module hands out next, as far as is known. */
  #at = 0;
  /** Up to there that was so at the last look at the status. */
  #verified = 0;
  /** What the module may have handed out beyond. */
  #outstanding = 0;
  #emptyMs = EMPTY_MS;
  #fruit = false;

  constructor(file: RequestOf<"START_FILE_DOWNLOAD">, link: FileLink, limits: FileTransferLimits) {
    this.#file = file;
    this.#link = link;
    this.#limits = limits;
    this.#chunk = new ChunkSize(limits.chunkBytes);
  }

  get metadata(): FileMetadata {
    return this.#metadata;
  }

  get bytes(): FileBytes {
    return this.#bytes;
  }

  /** Changes when the file turns out to be another one than before. */
  get version(): number {
    return this.#version;
  }

  /** The pass under way, from 1 on. */
  get passes(): number {
    return this.#passes;
  }

  /** Whether every byte is there and the CRC-32 is right. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Starts a pass. */
  async begin(): Promise<void> {
    this.#link.progress();
    const metadata = await this.#link.begin(this.#file, this.#passes > 0);
    this.#running = true;
    this.#passes++;
    this.#at = 0;
    this.#verified = 0;
    this.#outstanding = 0;
    this.#fruit = false;
    if (this.#version === 0 || !isSameFile(metadata, this.#metadata)) this.#startAnew(metadata);
  }

  /** One step further: a part, a look at the status, or a new pass. Once it is complete, nothing. */
  async step(): Promise<void> {
    this.#link.checkSignal();
    if (this.#complete) return;
    if (!this.#running) return this.begin();
    if (this.#outstanding > 0) return this.#verify(this.#outstanding);
    const next = this.#bytes.nextBelow(this.#wanted, this.#at);
    if (next >= this.#bytes.size) return this.#endPass();
    const count = this.#countFrom(next);
    await this.#ask(count, next > this.#at);
  }

  /** How many bytes to ask for now, when this is the next one that is wanted. */
  #countFrom(next: number): number {
    const { chunkBytes } = this.#limits;
    if (next > this.#at) return Math.min(chunkBytes, next - this.#at);
    const bytes = this.#bytes;
    const few = bytes.size - bytes.held < bytes.size * FEW_HOLES;
    const share = this.#passes === 1 ? 1 : few ? LAST_HOLES_SHARE : FILL_SHARE;
    return bytes.endBelow(this.#wanted, next, next + this.#chunk.bytes(share)) - next;
  }

  async #ask(count: number, hurries: boolean): Promise<void> {
    const outcome = await this.#link.part(count);
    switch (outcome.kind) {
      case "part":
        // What is hurried over is too long to tell of the best size.
        if (!hurries) this.#chunk.arrived(count);
        return this.#take(outcome.bytes, count);
      case "unknown":
        this.#outstanding = count;
        if (!hurries) this.#chunk.failed(count);
        return;
      case "not-asked":
        if (!hurries) this.#chunk.failed(count);
    }
  }

  async #take(part: Uint8Array, count: number): Promise<void> {
    if (part.length === 0) return this.#nothingThere();
    const end = this.#at + part.length;
    // A request or an answer that was damaged in a way that the parity does not show.
    if (part.length > count || end > this.#bytes.size) return this.#verify(count);
    this.#see(this.#at, part);
    this.#moveTo(end);
    if (part.length < count && end < this.#bytes.size) await this.#verify(0);
  }

  #see(at: number, part: Uint8Array): void {
    this.#fruit ||= this.#bytes.nextBelow(this.#wanted, at) < at + part.length;
    this.#bytes.see(at, part);
  }

  #moveTo(position: number): void {
    if (position !== this.#at) {
      this.#link.progress();
      this.#emptyMs = EMPTY_MS;
    }
    this.#at = position;
    this.#outstanding = 0;
  }

  async #nothingThere(): Promise<void> {
    await this.#verify(0);
    if (!this.#running) return;
    await this.#link.wait(this.#emptyMs);
    this.#emptyMs = Math.min(EMPTY_MS_MAX, this.#emptyMs * 2);
  }

  /** Asks where the module is. @param beyond how many bytes it may have handed out that did not arrive */
  async #verify(beyond: number): Promise<void> {
    let { status, received } = await this.#link.status();
    if (received !== this.#at && received !== this.#at + beyond) {
      // Damage that passed the parity is not the same twice.
      for (let again = await this.#link.status(); ; again = await this.#link.status()) {
        if (again.status === status && again.received === received) break;
        ({ status, received } = again);
        await this.#link.wait(0);
      }
    }
    if (received > this.#bytes.size || !this.#goesOn(status, received)) {
      this.#running = false;
      // Further back than it was: an earlier look was deceived, and what followed it stands in the wrong place.
      if (status === "receiving") this.#bytes.forget(this.#verified, this.#at);
      if (status !== "none") await this.#link.cancel();
      this.#endFruit();
      return;
    }
    // What was taken for these parts is not what the module handed out.
    if (received < this.#at || received > this.#at + beyond) {
      this.#bytes.forget(this.#verified, Math.max(this.#at, received));
    }
    this.#moveTo(received);
    this.#verified = received;
  }

  /** Whether what the status says is the download under way. */
  #goesOn(status: string, received: number): boolean {
    if (status === "receiving") return received >= this.#verified;
    // A download ends by itself with its last byte (§2).
    return status === "none" && received === this.#bytes.size;
  }

  async #endPass(): Promise<void> {
    if (this.#at < this.#bytes.size) await this.#link.cancel();
    this.#running = false;
    this.#endFruit();
    if (!this.#bytes.whole) return;
    if (this.#bytes.crc32() === this.#metadata.crc32) {
      this.#complete = true;
      return;
    }
    if (this.#bytes.nextBelow(this.#wanted) < this.#bytes.size) return;
    const sure = this.#wanted > 1 && this.#bytes.contradictions === 0;
    if (sure || this.#wanted >= LEAD_ENOUGH) throw this.#wrong();
    this.#wanted++;
  }

  #endFruit(): void {
    this.#fruitless = this.#fruit ? 0 : this.#fruitless + 1;
    if (this.#fruitless < FRUITLESS_MAX && this.#passes < this.#limits.passes) return;
    const { held, size, whole } = this.#bytes;
    if (whole && this.#bytes.crc32() === this.#metadata.crc32) return;
    throw new SakuraError(
      "DAMAGED_ANSWER",
      `file ${this.#file} did not arrive whole in ${this.#passes} passes, ${held} of ${size} bytes: check the wiring`,
      { context: { file: this.#file, held, size, passes: this.#passes } },
    );
  }

  #wrong(): SakuraError {
    const { crc32 } = this.#metadata;
    const actual = this.#bytes.crc32();
    return new SakuraError(
      "DAMAGED_ANSWER",
      `file ${this.#file} arrived the same again and again, and its CRC-32 is ${hex(actual)}, not ${hex(crc32)} as the ` +
        "module says: upload the file again",
      { context: { file: this.#file, crc32: actual, expected: crc32, held: this.#bytes.held } },
    );
  }

  #startAnew(metadata: FileMetadata): void {
    if (metadata.size > this.#limits.maxBytes) {
      throw new SakuraError(
        "INVALID_PAYLOAD",
        `file ${this.#file} has ${metadata.size} bytes, which is more than the ${this.#limits.maxBytes} allowed`,
        { context: { file: this.#file, size: metadata.size } },
      );
    }
    this.#metadata = metadata;
    this.#bytes = new FileBytes(metadata.size);
    this.#wanted = 1;
    this.#version++;
  }
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}
