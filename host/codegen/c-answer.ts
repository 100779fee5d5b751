/** The answer's half of a command's C function: where it goes, and how it is read from `response + 2`. */
import { ENTRY_SIZE } from "../../protocol/channel.ts";
import { hexByte } from "../../protocol/hex.ts";
import type { FieldLayout, Layout } from "../../protocol/layout.ts";
import { atMost, identifier, macro } from "./c-text.ts";

export interface AnswerPart {
  readonly parameters: readonly string[];
  /** The fewest and the most bytes of payload. */
  readonly least: string;
  readonly most: string;
  readonly body: readonly string[];
  /** What the parameters hold, where their names do not say it. */
  readonly words: string;
}

const OFFSET_SIZE = 8;
const nothing = { parameters: [], words: "" };

/**
 * @param taken the names that the request's parameters have
 * @throws Error for a layout that no answer has had so far
 */
export function answerPart(layout: Layout, taken: readonly string[]): AnswerPart {
  const free = (name: string): string => (taken.includes(name) ? `answer_${name}` : name);
  switch (layout.kind) {
    case "none":
      return { ...nothing, least: "0", most: "0", body: [] };
    case "fields":
      return fields(layout.fields, free);
    case "ascii":
      return text(free(identifier(layout.name)), layout);
    case "bytes":
      return bytes(free(identifier(layout.name)), layout);
    case "entries":
      return entry(layout);
    case "literal":
      throw new Error("no answer is a literal so far: write its C");
  }
}

function fields(all: readonly FieldLayout[], free: (name: string) => string): AnswerPart {
  const parameters: string[] = [];
  const body: string[] = [];
  const words: string[] = [];
  let at = 2;
  for (const field of all) {
    const name = free(identifier(field.name || "value"));
    if (field.kind === "unsigned" && field.bits !== 8) {
      parameters.push(`uint${field.bits}_t *${name}`);
      body.push(`*${name} = sakuraio_load_u${field.bits}(response + ${at});`);
      at += field.bits / 8;
      continue;
    }
    if (field.kind === "flag") {
      const flag = free(identifier(field.flag));
      parameters.push(`uint8_t *${flag}`);
      body.push(`*${flag} = (uint8_t)(response[${at}] >> 7);`);
      words.push(`${flag} is 0 or 1.`);
    }
    if (field.kind !== "unsigned") words.push(`${name} is a ${macro(field.names.label)}_.`);
    parameters.push(`uint8_t *${name}`);
    body.push(`*${name} = ${field.kind === "flag" ? `response[${at}] & ${hexByte(field.mask)}` : `response[${at}]`};`);
    at += 1;
  }
  return { parameters, least: `${at - 2}`, most: `${at - 2}`, body, words: words.join(" ") };
}

export const textSize = (name: string): string => macro(name, "size");

function text(name: string, layout: { readonly name: string; readonly min: number; readonly max: number }): AnswerPart {
  return {
    parameters: [`char ${name}[${textSize(layout.name)}]`],
    least: `${layout.min}`,
    most: layout.min === layout.max ? `${layout.max}` : atMost(layout.max),
    body: [`memcpy(${name}, response + 2, response[1]);`, `${name}[response[1]] = 0;`],
    words: "",
  };
}

function bytes(name: string, { min, max }: { readonly min: number; readonly max: number }): AnswerPart {
  return {
    parameters: [`uint8_t *${name}`, `size_t ${name}_capacity`, `size_t *${name}_length`],
    least: `${min}`,
    most: atMost(max),
    body: [
      `if (response[1] > ${name}_capacity) return SAKURAIO_ERROR_LENGTH;`,
      `if (response[1] > 0) memcpy(${name}, response + 2, response[1]);`,
      `*${name}_length = response[1];`,
    ],
    words: `An answer of more than ${name}_capacity bytes is SAKURAIO_ERROR_LENGTH, and lost.`,
  };
}

function entry(layout: { readonly max: number; readonly offset: "optional" | "always" }): AnswerPart {
  if (layout.max !== 1 || layout.offset !== "always") throw new Error("no answer has several entries so far");
  const size = ENTRY_SIZE + OFFSET_SIZE;
  return {
    parameters: ["sakuraio_entry *entry", "int64_t *offset_ms"],
    least: `${size}`,
    most: `${size}`,
    body: [
      `memcpy(entry, response + 2, ${ENTRY_SIZE});`,
      `*offset_ms = (int64_t)sakuraio_load_u64(response + ${2 + ENTRY_SIZE});`,
    ],
    words: "offset_ms is when it was received: -1500 is 1.5 s ago.",
  };
}
