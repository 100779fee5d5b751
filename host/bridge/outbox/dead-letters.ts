/** A lane's dead letters. They stay on the disk; only how many there are is in memory. */
import { z } from "zod";
import { SakuraError } from "../../../protocol/errors.ts";
import type { Change } from "./change.ts";
import { letterKey, letterOf, letterRange } from "./keys.ts";
import type { Store, StoreOperation, StoreRecord } from "./leveldb.ts";
import { type DeadLetter, ENTRY_OVERHEAD, type OutboxMessage } from "./outbox.ts";
import { seal, unseal } from "./sealed.ts";

const headerSchema = z.object({ v: z.literal(1), module: z.string(), reason: z.string(), at: z.number() });

/** Looked at together. */
const PAGE_BYTES = 1024 * 1024;
const LIMIT_MAX = 1_000;

export interface LetterCount {
  readonly count: number;
  readonly bytes: number;
  /** The number of the next. */
  readonly next: number;
}

export interface LetterHost {
  /** @throws SakuraError REFUSED, context.reason `outbox-failed`, when there is no store to read from */
  reading<T>(work: (store: Store) => Promise<T>): Promise<T>;
  submit(change: Change): Promise<void>;
}

export class DeadLetters {
  readonly #lane: number;
  readonly #host: LetterHost;
  #count: number;
  #bytes: number;
  #next: number;
  /** One retrying or deleting at a time, so that no letter is taken twice. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(lane: number, host: LetterHost, { count, bytes, next }: LetterCount) {
    this.#lane = lane;
    this.#host = host;
    this.#count = count;
    this.#bytes = bytes;
    this.#next = next;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get next(): number {
    return this.#next;
  }

  /** The store says how many there are, after a write of which nobody knows what became of it. */
  recount({ count, bytes, next }: LetterCount): void {
    this.#count = count;
    this.#bytes = bytes;
    this.#next = Math.max(this.#next, next);
  }

  /** @param leave takes the message out of the lane; false when it has left before. Called when the batch is made */
  async add({ module, payload }: OutboxMessage, reason: string, at: number, leave: () => boolean): Promise<void> {
    const key = letterKey(this.#lane, this.#next++);
    const value = seal({ v: 1, module, reason, at }, [payload], payload.length);
    let added = 0;
    await this.#host.submit({
      operations: () => {
        added = leave() ? 1 : 0;
        return added === 1 ? [{ type: "put", key, value }] : [];
      },
      onFailure: "keep",
      done: () => this.#adjust(added, added * (payload.length + ENTRY_OVERHEAD)),
    });
  }

  async list({ after, limit }: { after?: string | undefined; limit: number }): Promise<readonly DeadLetter[]> {
    const letters: DeadLetter[] = [];
    const most = Math.min(limit, LIMIT_MAX);
    for (
      let from = after === undefined ? -1 : numberOf(after), complete = false;
      !complete && letters.length < most;
    ) {
      const page = await this.#host.reading((store) => store.read(letterRange(this.#lane, from), PAGE_BYTES));
      for (const record of page.records) {
        from = letterOf(record.key)?.number ?? from;
        const letter = decodeLetter(record);
        if (letter && letters.length < most) letters.push(letter);
      }
      complete = page.complete;
    }
    return letters;
  }

  retry(ids: readonly string[] | "all"): Promise<number> {
    return this.#inTurn(() =>
      this.#eachPage(ids, async (records) => {
        const letters = records.flatMap((record) => decodeLetter(record) ?? []);
        await this.#host.submit({
          messages: letters,
          operations: () => records.map(deletion),
          undo: records.map(({ key, value }) => ({ type: "put", key, value })),
          onFailure: "refuse",
          done: () => this.#adjust(-records.length, -sizeOf(records)),
        });
        return letters.length;
      }),
    );
  }

  delete(ids: readonly string[] | "all"): Promise<number> {
    return this.#inTurn(() =>
      this.#eachPage(ids, async (records) => {
        await this.#host.submit({
          operations: () => records.map(deletion),
          onFailure: "refuse",
          done: () => this.#adjust(-records.length, -sizeOf(records)),
        });
        return records.length;
      }),
    );
  }

  #adjust(letters: number, bytes: number): void {
    this.#count += letters;
    this.#bytes += bytes;
  }

  #inTurn(work: () => Promise<number>): Promise<number> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #eachPage(
    ids: readonly string[] | "all",
    work: (records: readonly StoreRecord[]) => Promise<number>,
  ): Promise<number> {
    if (ids !== "all") {
      const keys = [...new Set(ids)].map((id) => letterKey(this.#lane, numberOf(id)));
      const found = await this.#host.reading((store) =>
        Promise.all(keys.map(async (key) => ({ key, value: await store.get(key) }))),
      );
      const records = found.flatMap(({ key, value }) => (value ? [{ key, value }] : []));
      return records.length === 0 ? 0 : work(records);
    }
    // Those that are set aside meanwhile are not meant.
    const end = this.#next;
    let total = 0;
    for (let from = -1, complete = false; !complete; ) {
      const range = { from: letterKey(this.#lane, from + 1), to: letterKey(this.#lane, end) };
      const page = await this.#host.reading((store) => store.read(range, PAGE_BYTES));
      from = letterOf(page.records.at(-1)?.key ?? Buffer.alloc(0))?.number ?? from;
      if (page.records.length > 0) total += await work(page.records);
      complete = page.complete;
    }
    return total;
  }
}

const deletion = ({ key }: StoreRecord): StoreOperation => ({ type: "del", key });

/** What a letter takes of its lane's bound. */
export function letterSize(record: StoreRecord): number {
  return (unseal(record.value)?.body.length ?? 0) + ENTRY_OVERHEAD;
}

const sizeOf = (records: readonly StoreRecord[]): number =>
  records.reduce((bytes, record) => bytes + letterSize(record), 0);

/** Nothing when it is damaged. */
function decodeLetter({ key, value }: StoreRecord): DeadLetter | undefined {
  const unsealed = unseal(value);
  const parsed = headerSchema.safeParse(unsealed?.header);
  const number = letterOf(key)?.number;
  if (!unsealed || !parsed.success || number === undefined) return undefined;
  const { module, reason, at } = parsed.data;
  return { id: String(number), module, payload: unsealed.body, reason, setAsideAt: at };
}

function numberOf(id: string): number {
  if (/^\d{1,14}$/.test(id)) return Number(id);
  throw new SakuraError("INVALID_ARGUMENT", `${id} is no id of a dead letter; list them to see their ids`);
}
