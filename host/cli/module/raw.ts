/** `sakuraio module raw`: any command with any payload, and the bytes both ways. */
import { commandByCode, commandTable, isCommandName } from "../../../protocol/commands.ts";
import { isSakuraError, reasonOf, SakuraError } from "../../../protocol/errors.ts";
import { decodeResponse, encodeFrame } from "../../../protocol/frame.ts";
import { fromHex, hexByte, toHex } from "../../../protocol/hex.ts";
import { type Status, statuses, statusMeanings, statusText } from "../../../protocol/status.ts";
import { type ExitCode, printLine } from "../io.ts";
import { jsonLine, type Plain } from "../json-line.ts";
import type { ModuleSession } from "./session.ts";

/** Exits 1 when the module refuses. */
export async function moduleRaw(
  code: string,
  hex: readonly string[],
  { io, json, withModule }: ModuleSession,
): Promise<ExitCode> {
  const head = parseCode(code);
  const payload = fromHex(hex.join(" "));
  const name = commandByCode(head);
  const request = encodeFrame(head, payload);
  return withModule(async (module) => {
    if (!json) printLine(io.stdout, `-> ${toHex(request, " ")}  ${name ?? "a command that is in no table"}`);
    const raw = await module.raw(head, payload, { signal: io.signal });
    const answer = encodeFrame(raw.status, raw.payload);
    const done = raw.status === statuses.values.NONE;
    const decoded = name && done ? decode(() => decodeResponse(name, answer)) : undefined;
    const event = {
      event: "raw",
      code: head,
      name,
      request: toHex(request),
      answer: toHex(answer),
      status: raw.status,
      status_name: statusText(raw.status),
      payload: toHex(raw.payload),
      value: decoded?.value,
      problem: decoded?.problem,
    };
    printLine(io.stdout, json ? jsonLine(event) : `<- ${toHex(answer, " ")}  ${meaning(raw.status, decoded)}`);
    return done ? 0 : 1;
  });
}

interface Decoded {
  readonly value?: Plain | undefined;
  readonly problem?: string | undefined;
}

function decode(read: () => unknown): Decoded {
  try {
    return { value: plain(read()) };
  } catch (error) {
    if (!isSakuraError(error, "INVALID_PAYLOAD")) throw error;
    return { problem: reasonOf(error) };
  }
}

/** Every answer of the table is made of these. */
function plain(value: unknown): Plain | undefined {
  if (value === undefined || value === null) return undefined;
  if (value instanceof Uint8Array) return toHex(value);
  switch (typeof value) {
    case "number":
    case "bigint":
    case "string":
    case "boolean":
      return value;
    case "object":
      return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)]));
    default:
      return String(value);
  }
}

function meaning(status: number, decoded: Decoded | undefined): string {
  const word = statusText(status);
  if (decoded?.problem !== undefined) return `${word}, but ${decoded.problem}`;
  if (decoded?.value !== undefined) return `${word}  ${valueText(decoded.value)}`;
  const known = Object.hasOwn(statuses.values, word) ? statusMeanings[word as Status] : undefined;
  return known === undefined ? word : `${word}: ${known}`;
}

function valueText(value: Plain): string {
  if (typeof value !== "object" || value === null) return typeof value === "string" ? value : jsonLine(value);
  return Object.entries(value)
    .map(([key, field]) => `${key} ${typeof field === "string" ? field : jsonLine(field ?? null)}`)
    .join(", ");
}

/** `A1`, `0xA1` or a name of the table, in any case. */
function parseCode(text: string): number {
  const name = text.toUpperCase();
  if (isCommandName(name)) return commandTable[name].code;
  if (/^(0x)?[0-9a-f]{1,2}$/i.test(text)) return Number.parseInt(text, 16);
  throw new SakuraError(
    "INVALID_ARGUMENT",
    `a command is its code in hexadecimal (A1, ${hexByte(0xa1)}) or its name (GET_UNIQUE_ID), not "${text}"`,
  );
}
