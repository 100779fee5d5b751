/**
 * The npm package `sakuraio` 0.1.0 by Malik Olivier Boussejra: a client of the module that nobody here wrote. It has no
 * types; these are the parts that are used. The bus is the caller's: bytes one by one.
 */
import { createRequire } from "node:module";

type Done = (error?: Error | null) => void;

export interface SyncBus {
  startWriteSync(): void;
  sendByteSync(byte: number): void;
  endWriteSync(): void;
  startReadSync(): void;
  receiveByteSync(): number;
  endReadSync(): void;
}

export interface AsyncBus {
  startWrite(done: Done): void;
  sendByte(byte: number, done: Done): void;
  endWrite(done: Done): void;
  startRead(done: Done): void;
  receiveByte(done: (error: Error | null, byte?: number) => void): void;
  endRead(done: Done): void;
}

/** Its methods by name, each with a twin whose name ends in `Sync`. */
export type SakuraioClient = Readonly<Record<string, (...parameters: unknown[]) => unknown>>;

export const sakuraio: { use(bus: SyncBus | AsyncBus): SakuraioClient } = createRequire(import.meta.url)("sakuraio");
