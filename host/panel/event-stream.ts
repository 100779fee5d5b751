/** The bridge's events as Server-Sent Events, for as many readers as are there, however slowly they read. */
import type { ServerResponse } from "node:http";
import { z } from "zod";
import type { Clock } from "../../protocol/bus.ts";
import { eventJson } from "../bridge/event-json.ts";
import type { BridgeEvent } from "../bridge/index.ts";
import { checked } from "./input.ts";
import { problem } from "./problem.ts";

const READERS_MAX = 32;
/** What may wait for one reader; past it events are left out, and counted. */
const BUFFER_MAX = 1024 * 1024;
/** A connection that says nothing is taken for dead by what stands in between. */
const HEARTBEAT_MS = 15_000;
/** For a browser whose connection is gone, ms. */
const RECONNECT_MS = 2_000;

type EventType = BridgeEvent["type"];

/** A new kind of event does not compile until it is here. */
const TYPES: { readonly [T in EventType]: true } = {
  link: true,
  "link-note": true,
  service: true,
  message: true,
  "message-refused": true,
  published: true,
  downlink: true,
  outbox: true,
  dropped: true,
  "dead-letter": true,
  "service-removed": true,
  "link-removed": true,
  unsent: true,
};

const wanted = z.strictObject({ types: z.string().optional() });

/** `?types=service,link`: those alone. Nothing for all. */
export function typesOf(query: unknown): ReadonlySet<EventType> | undefined {
  checked(wanted, query);
  if (query.types === undefined) return undefined;
  const asked = query.types.split(",");
  const known = asked.filter(isType);
  if (known.length === asked.length) return new Set(known);
  throw problem(400, undefined, `types: must be some of ${Object.keys(TYPES).join(",")}`, "types");
}

function isType(text: string): text is EventType {
  return Object.hasOwn(TYPES, text);
}

interface Reader {
  readonly response: ServerResponse;
  readonly types: ReadonlySet<EventType> | undefined;
  skipped: number;
}

export class EventStream {
  readonly #clock: Clock;
  readonly #readers = new Set<Reader>();
  #cancelHeartbeat: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws SakuraError REFUSED when there are too many readers, before anything is written */
  makeRoom(): void {
    if (this.#readers.size < READERS_MAX) return;
    throw problem(503, "too-many-readers", `${READERS_MAX} read the events already: close some`);
  }

  /** From now on this response is ours, until its reader goes or `close` is called. */
  add(response: ServerResponse, types: ReadonlySet<EventType> | undefined, headers: Readonly<Record<string, string>>) {
    const reader: Reader = { response, types, skipped: 0 };
    // A reader that has gone, in whichever way.
    response.on("close", () => this.#remove(reader));
    response.on("error", () => this.#remove(reader));
    response.writeHead(200, { ...headers, "content-type": "text/event-stream" });
    response.write(`retry: ${RECONNECT_MS}\n\n`);
    this.#readers.add(reader);
    this.#cancelHeartbeat ??= this.#clock.after(HEARTBEAT_MS, () => this.#beat());
  }

  event(event: BridgeEvent): void {
    if (this.#readers.size === 0) return;
    let text: string | undefined;
    for (const reader of this.#readers) {
      if (reader.types && !reader.types.has(event.type)) continue;
      text ??= eventJson(event);
      if (text === undefined) return;
      this.#give(reader, text);
    }
  }

  close(): void {
    for (const { response } of this.#readers) response.end();
    this.#readers.clear();
    this.#rest();
  }

  #give(reader: Reader, json: string): void {
    const { response } = reader;
    if (response.writableLength > BUFFER_MAX) {
      reader.skipped++;
      return;
    }
    if (reader.skipped > 0) {
      response.write(`data: {"event":"skipped","events":${reader.skipped}}\n\n`);
      reader.skipped = 0;
    }
    response.write(`data: ${json}\n\n`);
  }

  #beat(): void {
    this.#cancelHeartbeat = this.#clock.after(HEARTBEAT_MS, () => this.#beat());
    for (const { response } of this.#readers) {
      if (response.writableLength <= BUFFER_MAX) response.write(":\n\n");
    }
  }

  #remove(reader: Reader): void {
    this.#readers.delete(reader);
    if (this.#readers.size === 0) this.#rest();
  }

  #rest(): void {
    this.#cancelHeartbeat?.();
    this.#cancelHeartbeat = undefined;
  }
}
