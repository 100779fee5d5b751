/** The request's half of a command's C function: its parameters, and how they become a payload at `request + 2`. */
import { ENTRY_SIZE } from "../../protocol/channel.ts";
import { hexByte } from "../../protocol/hex.ts";
import type { FieldLayout, Layout } from "../../protocol/layout.ts";
import { atMost, identifier } from "./c-text.ts";

export interface RequestPart {
  readonly parameters: readonly string[];
  /** The most bytes of payload, for the buffer. */
  readonly room: string;
  /** The bytes of this payload, as a uint8_t. */
  readonly length: string;
  readonly body: readonly string[];
}

const OFFSET_SIZE = 8;

/**
 * @param withOffset for channel values: whether their time is told
 * @throws Error for a layout that no request has had so far
 */
export function requestPart(layout: Layout, withOffset: boolean): RequestPart {
  switch (layout.kind) {
    case "none":
      return { parameters: [], room: "0", length: "0", body: [] };
    case "fields":
      return fields(layout.fields);
    case "literal":
      return {
        ...sized(layout.bytes.length),
        parameters: [],
        body: layout.bytes.map((byte, i) => `request[${i + 2}] = ${hexByte(byte)};`),
      };
    case "bytes":
      return bytes(identifier(layout.name), layout.min, layout.max);
    case "entries":
      return layout.max === 1 ? oneEntry(withOffset) : entries(layout.max, withOffset);
    case "ascii":
      throw new Error(`no request holds a text so far: write the C of ${layout.name}`);
  }
}

function sized(size: number): { room: string; length: string } {
  return { room: `${size}`, length: `${size}` };
}

function fields(all: readonly FieldLayout[]): RequestPart {
  const parameters: string[] = [];
  const body: string[] = [];
  let at = 2;
  for (const field of all) {
    if (field.kind === "flag") throw new Error(`no request holds a flag so far: write the C of ${field.flag}`);
    const name = identifier(field.name || "value");
    const bits = field.kind === "named" ? 8 : field.bits;
    parameters.push(`uint${bits}_t ${name}`);
    body.push(bits === 8 ? `request[${at}] = ${name};` : `sakuraio_store_u${bits}(request + ${at}, ${name});`);
    at += bits / 8;
  }
  return { ...sized(at - 2), parameters, body };
}

function bytes(name: string, min: number, max: number): RequestPart {
  const room = atMost(max);
  return {
    parameters: [`const uint8_t *${name}`, `size_t ${name}_length`],
    room,
    length: `(uint8_t)${name}_length`,
    body: [
      `if (${min > 0 ? `${name}_length < ${min} || ` : ""}${name}_length > ${room}) return SAKURAIO_ERROR_ARGUMENT;`,
      // memcpy may not be given a null pointer, not even for no bytes.
      `if (${name}_length > 0) memcpy(request + 2, ${name}, ${name}_length);`,
    ],
  };
}

function oneEntry(withOffset: boolean): RequestPart {
  return {
    ...sized(ENTRY_SIZE + (withOffset ? OFFSET_SIZE : 0)),
    parameters: ["const sakuraio_entry *entry", ...(withOffset ? ["int64_t offset_ms"] : [])],
    body: [
      `memcpy(request + 2, entry, ${ENTRY_SIZE});`,
      ...(withOffset ? [`sakuraio_store_u64(request + ${2 + ENTRY_SIZE}, (uint64_t)offset_ms);`] : []),
    ],
  };
}

function entries(max: number, withOffset: boolean): RequestPart {
  const tail = withOffset ? OFFSET_SIZE : 0;
  const room = atMost(max * ENTRY_SIZE + tail);
  const most = tail === 0 ? `${room} / ${ENTRY_SIZE}` : `(${room} - ${tail}) / ${ENTRY_SIZE}`;
  return {
    parameters: ["const sakuraio_entry *entries", "size_t count", ...(withOffset ? ["int64_t offset_ms"] : [])],
    room,
    length: `(uint8_t)(count * ${ENTRY_SIZE}${tail === 0 ? "" : ` + ${tail}`})`,
    body: [
      `if (count < 1 || count > ${most}) return SAKURAIO_ERROR_ARGUMENT;`,
      `memcpy(request + 2, entries, count * ${ENTRY_SIZE});`,
      ...(withOffset ? [`sakuraio_store_u64(request + 2 + count * ${ENTRY_SIZE}, (uint64_t)offset_ms);`] : []),
    ],
  };
}
